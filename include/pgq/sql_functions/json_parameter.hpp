#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/serializer/json_codec.hpp>
#include <pgq/serializer/json_options.hpp>
#include <pgq/serializer/json_writer.hpp>
#include <pgq/sql_functions/helper_functions.hpp>
#include <pgq/sql_functions/json_shape.hpp>

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

namespace pgq::serializer {

/// How a member is a parameter of an SQL function:
///
///     static constexpr std::string_view type;                         // its SQL type
///     static std::optional<std::string> literal(const T& value);      // an expression of that type; none when SQL has no such value
///     static std::string json(std::string parameter, std::string at)  // the jsonb of a parameter, or what becomes one; `at` for errors
///
/// What has no type of its own in SQL is a jsonb.
template <class T>
struct sql_parameter;

namespace detail {

/// What the JSON of a default becomes in SQL, where zero bytes in text do not exist.
template <class T>
std::optional<std::string> json_literal(const T& value) {
    std::string text;
    json_writer out{text, json_options{}};
    encode(value, out);
    if (out.failed() || text.find("\\u0000") != std::string::npos) return {};
    return statement::literal(text) + "::jsonb";
}

struct parameter_as_it_is {
    static std::string json(std::string parameter, const std::string&) { return parameter; }
};

/// Microseconds, when a count of `Period` is a whole number of them that PostgreSQL can have.
template <class Period>
std::optional<std::int64_t> whole_micros(std::int64_t count, std::int64_t least, std::int64_t most) {
    using per_tick = std::ratio_divide<Period, std::micro>;
    if constexpr (per_tick::den != 1) {
        if (count % per_tick::den != 0) return {};
        count /= per_tick::den;
    }
    if (count > most / per_tick::num || count < least / per_tick::num) return {};
    return count * per_tick::num;
}

inline std::string interval_literal(std::int64_t micros) {
    if (micros % 1'000'000 == 0) return "'" + std::to_string(micros / 1'000'000) + " seconds'::interval";
    return "'" + std::to_string(micros) + " microseconds'::interval";
}

template <class Period>
std::string ticks(const std::string& span, const std::string& at) {
    return "{f}.pgq_ticks(" + span + ", " + std::to_string(Period::num) + ", " + std::to_string(Period::den) + ", " +
           statement::literal(at) + ")";
}

template <class T>
concept counted_time = json_integer<T>;

template <class T>
concept array_element = std::same_as<T, bool> || json_integer<T> || json_float<T> || std::same_as<T, std::string>;

}  // namespace detail

template <class T>
struct sql_parameter : detail::parameter_as_it_is {
    static constexpr std::string_view type = "jsonb";
    static std::optional<std::string> literal(const T& value) { return detail::json_literal(value); }
};

template <>
struct sql_parameter<bool> : detail::parameter_as_it_is {
    static constexpr std::string_view type = "boolean";
    static std::optional<std::string> literal(bool value) { return value ? "true" : "false"; }
};

/// As wide as a number in SQL that has no suffix: what is narrower is checked with the payload.
template <detail::json_integer T>
struct sql_parameter<T> : detail::parameter_as_it_is {
    static constexpr std::string_view type = sizeof(T) < 4 || std::same_as<T, std::int32_t> ? "integer"
                                             : sizeof(T) == 4 || std::is_signed_v<T>        ? "bigint"
                                                                                            : "numeric";
    static std::optional<std::string> literal(T value) { return std::to_string(value); }
};

template <detail::json_float T>
struct sql_parameter<T> : detail::parameter_as_it_is {
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
struct sql_parameter<std::string> : detail::parameter_as_it_is {
    static constexpr std::string_view type = "text";
    static std::optional<std::string> literal(const std::string& value) {
        if (!pgq::detail::is_storable_text(value)) return {};
        return statement::literal(value);
    }
};

template <class A>
struct sql_parameter<std::vector<std::byte, A>> {
    static constexpr std::string_view type = "bytea";
    static std::optional<std::string> literal(const std::vector<std::byte, A>& value) {
        std::string text = "'";
        for (const std::byte b : value) {
            text += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4U];
            text += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15U];
        }
        return "decode(" + text + "', 'hex')";
    }
    static std::string json(const std::string& parameter, const std::string&) {
        return "translate(encode(" + parameter + ", 'base64'), E'\\n', '')";
    }
};

template <detail::own_enum T>
    requires(!detail::says_what_it_writes<T>)
struct sql_parameter<T> : sql_parameter<std::underlying_type_t<T>> {
    static std::optional<std::string> literal(T value) {
        return sql_parameter<std::underlying_type_t<T>>::literal(static_cast<std::underlying_type_t<T>>(value));
    }
};

/// A type whose codec says as what it is written: a parameter as that, when SQL has it.
template <detail::says_what_it_writes T>
    requires detail::array_element<typename codec<T>::written_as>
struct sql_parameter<T> : sql_parameter<typename codec<T>::written_as> {
    static std::optional<std::string> literal(const T& value) {
        const auto text = detail::json_literal(value);
        if (!text) return {};
        return "(" + *text + " #>> '{}')::" + std::string{sql_parameter<typename codec<T>::written_as>::type};
    }
};

template <detail::counted_time Rep, class Period>
    requires detail::made_of_parts<std::chrono::duration<Rep, Period>, pgq::detail::type_list<Rep>>
struct sql_parameter<std::chrono::duration<Rep, Period>> {
    static constexpr std::string_view type = "interval";
    static std::optional<std::string> literal(std::chrono::duration<Rep, Period> value) {
        if (!std::in_range<std::int64_t>(value.count())) return {};
        const auto micros =
            detail::whole_micros<Period>(static_cast<std::int64_t>(value.count()), INT64_MIN, INT64_MAX);
        if (!micros) return {};
        return detail::interval_literal(*micros);
    }
    static std::string json(const std::string& parameter, const std::string& at) {
        return detail::ticks<Period>(parameter, at);
    }
};

template <detail::counted_time Rep, class Period>
    requires detail::made_of_parts<std::chrono::sys_time<std::chrono::duration<Rep, Period>>,
                                   pgq::detail::type_list<std::chrono::duration<Rep, Period>>>
struct sql_parameter<std::chrono::sys_time<std::chrono::duration<Rep, Period>>> {
    static constexpr std::string_view type = "timestamptz";
    static std::optional<std::string> literal(std::chrono::sys_time<std::chrono::duration<Rep, Period>> value) {
        constexpr std::int64_t first = -210'000'000'000'000'000,
                               last = 9'100'000'000'000'000'000;  // of PostgreSQL's calendar
        const auto count = value.time_since_epoch().count();
        if (!std::in_range<std::int64_t>(count)) return {};
        const auto micros = detail::whole_micros<Period>(static_cast<std::int64_t>(count), first, last);
        if (!micros) return {};
        return "'epoch'::timestamptz + " + detail::interval_literal(*micros);
    }
    static std::string json(const std::string& parameter, const std::string& at) {
        return detail::ticks<Period>("(" + parameter + " - 'epoch'::timestamptz)", at);
    }
};

template <class T>
    requires detail::made_of_parts<std::optional<T>, pgq::detail::type_list<T>>
struct sql_parameter<std::optional<T>> : sql_parameter<T> {
    static std::optional<std::string> literal(const std::optional<T>& value) {
        if (!value) return "NULL";
        return sql_parameter<T>::literal(*value);
    }
};

namespace detail {

template <class Elements, class T>
struct array_parameter : parameter_as_it_is {
    static constexpr std::size_t bracketed = sql_parameter<T>::type.size() + 2;
    static constexpr auto type_text = [] {
        std::array<char, bracketed> text{};
        std::size_t at = 0;
        for (const char c : sql_parameter<T>::type) text[at++] = c;
        text[at++] = '[';
        text[at++] = ']';
        return text;
    }();
    static constexpr std::string_view type{type_text.data(), bracketed};

    static std::optional<std::string> literal(const Elements& value) {
        std::string all;
        for (const auto& element : value) {
            const auto one = sql_parameter<T>::literal(element);
            if (!one) return {};
            all += (all.empty() ? "" : ", ") + *one;
        }
        return "ARRAY[" + all + "]::" + std::string{type};
    }
};

}  // namespace detail

template <detail::array_element T, class A>
    requires detail::made_of_parts<std::vector<T, A>, pgq::detail::type_list<T>>
struct sql_parameter<std::vector<T, A>> : detail::array_parameter<std::vector<T, A>, T> {
};
template <detail::array_element T, std::size_t N>
    requires detail::made_of_parts<std::array<T, N>, pgq::detail::type_list<T>>
struct sql_parameter<std::array<T, N>> : detail::array_parameter<std::array<T, N>, T> {
};

}  // namespace pgq::serializer
