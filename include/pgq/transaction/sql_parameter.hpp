#pragma once

#include <pgq/job/id.hpp>

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace pgq::detail {

template <class T>
concept sql_number = !std::is_same_v<T, char> && requires(char* at, const T& v) {
    std::to_chars(at, at, v);
};

/// An argument of `exec` other than NULL and std::optional: text, a number, a bool, the id or handle of a job.
template <class T>
concept sql_value = std::is_same_v<T, bool> || std::is_base_of_v<job_id, T> ||
    std::is_convertible_v<const T&, std::string_view> || sql_number<T>;

template <class T>
inline constexpr bool is_sql_parameter = sql_value<T>;
template <>
inline constexpr bool is_sql_parameter<std::nullopt_t> = true;
template <>
inline constexpr bool is_sql_parameter<std::nullptr_t> = true;
template <class T>
inline constexpr bool is_sql_parameter<std::optional<T>> = is_sql_parameter<T>;

/// The text that the server reads; empty for NULL.
template <sql_value T>
std::optional<std::string> to_sql_parameter(const T& value) {
    if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
    else if constexpr (std::is_base_of_v<job_id, T>) return std::to_string(value.value);
    else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        return std::string{std::string_view{value}};
    } else {
        char digits[64];
        return std::string{digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
    }
}
inline std::optional<std::string> to_sql_parameter(std::nullopt_t) { return std::nullopt; }
inline std::optional<std::string> to_sql_parameter(std::nullptr_t) { return std::nullopt; }
template <class T>
std::optional<std::string> to_sql_parameter(const std::optional<T>& value) {
    return value ? to_sql_parameter(*value) : std::nullopt;
}

}  // namespace pgq::detail
