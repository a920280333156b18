#pragma once

#include <pgq/diagnostic/transactions.hpp>

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace pgq::detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class Number>
std::string text_of_number(Number n) {
    char digits[64];
    const auto end = std::to_chars(digits, digits + sizeof digits, n);
    return {digits, end.ptr};
}

/// An argument as the server is to read it; nothing for NULL.
template <class T>
std::optional<std::string> sql_parameter(const T& value) {
    if constexpr (std::is_same_v<T, std::nullopt_t> || std::is_same_v<T, std::nullptr_t>) return std::nullopt;
    else if constexpr (is_optional<T>) return value ? sql_parameter(*value) : std::nullopt;
    else if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
    else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        return std::string{std::string_view{value}};
    } else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, char>) return text_of_number(value);
    else {
        (void)sizeof(diagnostic::no_sql_parameter<T>);
        return std::nullopt;
    }
}

}  // namespace pgq::detail
