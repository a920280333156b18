#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/serializer/json/codec.hpp>
#include <pgq/serializer/json/options.hpp>
#include <pgq/serializer/json/writer.hpp>
#include <pgq/sql_functions/json_shape.hpp>
#include <pgq/sql_functions/sql_text.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ratio>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq::detail::sql {

/// How a member of a job is a parameter of an SQL function:
///
///     static constexpr std::string_view type;                     // its SQL type
///     static std::optional<std::string> literal(const T& value);  // of that type; none if SQL has no such value
///     static std::string json(std::string name, std::string at);  // its jsonb; `at` is its place, for errors
///
/// A type that SQL does not have is a jsonb.
template <class T>
struct parameter;

/// The JSON of a default in SQL; none if it has a zero byte, which text in PostgreSQL cannot hold.
template <class T>
std::optional<std::string> json_literal(const T& value) {
    std::string text;
    serializer::json_writer out{text, serializer::json_options{}};
    serializer::encode(value, out);
    if (out.failed() || text.find("\\u0000") != std::string::npos) return {};
    return sql::literal(text) + "::jsonb";
}

struct parameter_as_it_is {
    static std::string json(std::string name, const std::string&) { return name; }
};

template <class T>
concept array_element = std::same_as<T, bool> || serializer::detail::json_integer<T> ||
    serializer::detail::json_float<T> || std::same_as<T, std::string>;

template <class T>
struct parameter : parameter_as_it_is {
    static constexpr std::string_view type = "jsonb";
    static std::optional<std::string> literal(const T& value) { return json_literal(value); }
};

template <>
struct parameter<bool> : parameter_as_it_is {
    static constexpr std::string_view type = "boolean";
    static std::optional<std::string> literal(bool value) { return value ? "true" : "false"; }
};

/// At least as wide as a plain number in SQL. The check of the payload refuses numbers that a narrower member cannot
/// hold.
template <serializer::detail::json_integer T>
struct parameter<T> : parameter_as_it_is {
    static constexpr std::string_view type = sizeof(T) < 4 || std::same_as<T, std::int32_t> ? "integer"
                                             : sizeof(T) == 4 || std::is_signed_v<T>        ? "bigint"
                                                                                            : "numeric";
    static std::optional<std::string> literal(T value) { return std::to_string(value); }
};

template <serializer::detail::json_float T>
struct parameter<T> : parameter_as_it_is {
    static constexpr std::string_view type = "double precision";
    static std::optional<std::string> literal(T value) {
        if (std::isnan(value)) return "'NaN'::double precision";
        if (std::isinf(value)) return value > 0 ? "'Infinity'::double precision" : "'-Infinity'::double precision";
        char text[32];
        const auto end = std::to_chars(text, text + sizeof text, value).ptr;
        return "'" + std::string(text, end) + "'::double precision";
    }
};

template <>
struct parameter<std::string> : parameter_as_it_is {
    static constexpr std::string_view type = "text";
    static std::optional<std::string> literal(const std::string& value) {
        if (!is_storable_text(value)) return {};
        return sql::literal(value);
    }
};

template <class A>
struct parameter<std::vector<std::byte, A>> {
    static constexpr std::string_view type = "bytea";
    static std::optional<std::string> literal(const std::vector<std::byte, A>& value) {
        std::string text = "'";
        for (const std::byte b : value) {
            text += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4U];
            text += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15U];
        }
        return "decode(" + text + "', 'hex')";
    }
    static std::string json(const std::string& name, const std::string&) {
        return "translate(encode(" + name + ", 'base64'), E'\\n', '')";
    }
};

template <own_enum T>
    requires(!says_what_it_writes<T>)
struct parameter<T> : parameter<std::underlying_type_t<T>> {
    static std::optional<std::string> literal(T value) {
        return parameter<std::underlying_type_t<T>>::literal(static_cast<std::underlying_type_t<T>>(value));
    }
};

/// A type whose codec names the type it is written as: a parameter of that type, if SQL has it.
template <says_what_it_writes T>
    requires array_element<typename codec<T>::written_as>
struct parameter<T> : parameter<typename codec<T>::written_as> {
    static std::optional<std::string> literal(const T& value) {
        const auto text = json_literal(value);
        if (!text) return {};
        return "(" + *text + " #>> '{}')::" + std::string{parameter<typename codec<T>::written_as>::type};
    }
};

}  // namespace pgq::detail::sql
