#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace pgq {

/// What can tell jobs apart: text, an integer, a bool, an enumerator.
template <class T>
concept has_key_text = std::convertible_to<const T&, std::string_view> || std::integral<T> || std::is_enum_v<T>;

/// The longest key, in bytes. It is indexed, and an index takes no more than a third of a page.
inline constexpr std::size_t max_key_bytes = 2048;

/// The text of a key; different values have different texts.
template <has_key_text T>
void append_key(const T& value, std::string& out) {
    if constexpr (std::convertible_to<const T&, std::string_view>) out += std::string_view{value};
    else if constexpr (std::is_enum_v<T>) out += std::to_string(static_cast<std::underlying_type_t<T>>(value));
    else out += std::to_string(value);
}

}  // namespace pgq
