#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace pgq {

/// A type whose values can be keys of jobs: text, an integer, a bool or an enumeration.
template <class T>
concept has_key_text = std::convertible_to<const T&, std::string_view> || std::integral<T> || std::is_enum_v<T>;

/// The longest key, in bytes. Keys are indexed, and an index entry can have at most a third of a page.
inline constexpr std::size_t max_key_bytes = 2048;

/// Appends the text of a key to `out`. Different values of one type have different texts.
template <has_key_text T>
void append_key(const T& value, std::string& out) {
    if constexpr (std::convertible_to<const T&, std::string_view>) out += std::string_view{value};
    else if constexpr (std::is_enum_v<T>) out += std::to_string(static_cast<std::underlying_type_t<T>>(value));
    else out += std::to_string(value);
}

}  // namespace pgq
