#pragma once

#include <pgq/detail/type_list.hpp>
#include <pgq/sql_functions/json_shape.hpp>
#include <pgq/sql_functions/parameter.hpp>
#include <pgq/sql_functions/sql_text.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ratio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Members of other types than a single value as parameters: durations and moments, optional members, arrays.
namespace pgq::detail::sql {

template <class T>
concept counted_time = serializer::detail::json_integer<T>;

/// The microseconds of a count of `Period`; none if that is no whole number from `least` to `most`.
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

// PostgreSQL 14 reads each number of an interval as an int4.
inline std::string interval_literal(std::int64_t micros) {
    const auto number = [](std::int64_t n, const char* unit) { return std::to_string(n) + unit; };
    const std::int64_t seconds = micros / 1'000'000, rest = micros % 1'000'000;
    std::string text;
    if (rest == 0 && std::in_range<std::int32_t>(seconds)) text = number(seconds, " seconds");
    else if (std::in_range<std::int32_t>(micros)) text = number(micros, " microseconds");
    else text = number(seconds / 3600, " hours ") + number(seconds % 3600, " seconds ") + number(rest, " microseconds");
    return "'" + text + "'::interval";
}

template <class Period>
std::string ticks(const std::string& span, const std::string& at) {
    return "{f}.pgq_ticks(" + span + ", " + std::to_string(Period::num) + ", " + std::to_string(Period::den) + ", " +
           sql::literal(at) + ")";
}

template <counted_time Rep, class Period>
    requires made_of_parts<std::chrono::duration<Rep, Period>, type_list<Rep>>
struct parameter<std::chrono::duration<Rep, Period>> {
    static constexpr std::string_view type = "interval";
    static std::optional<std::string> literal(std::chrono::duration<Rep, Period> value) {
        if (!std::in_range<std::int64_t>(value.count())) return {};
        const auto micros = whole_micros<Period>(static_cast<std::int64_t>(value.count()), INT64_MIN, INT64_MAX);
        if (!micros) return {};
        return interval_literal(*micros);
    }
    static std::string json(const std::string& name, const std::string& at) { return ticks<Period>(name, at); }
};

template <counted_time Rep, class Period>
    requires made_of_parts<std::chrono::sys_time<std::chrono::duration<Rep, Period>>,
                           type_list<std::chrono::duration<Rep, Period>>>
struct parameter<std::chrono::sys_time<std::chrono::duration<Rep, Period>>> {
    static constexpr std::string_view type = "timestamptz";
    static std::optional<std::string> literal(std::chrono::sys_time<std::chrono::duration<Rep, Period>> value) {
        constexpr std::int64_t first = -210'000'000'000'000'000,
                               last = 9'100'000'000'000'000'000;  // of PostgreSQL's calendar
        const auto count = value.time_since_epoch().count();
        if (!std::in_range<std::int64_t>(count)) return {};
        const auto micros = whole_micros<Period>(static_cast<std::int64_t>(count), first, last);
        if (!micros) return {};
        return "'epoch'::timestamptz + " + interval_literal(*micros);
    }
    static std::string json(const std::string& name, const std::string& at) {
        return ticks<Period>("(" + name + " - 'epoch'::timestamptz)", at);
    }
};

template <class T>
    requires made_of_parts<std::optional<T>, type_list<T>>
struct parameter<std::optional<T>> : parameter<T> {
    static std::optional<std::string> literal(const std::optional<T>& value) {
        if (!value) return "NULL";
        return parameter<T>::literal(*value);
    }
};

template <class Elements, class T>
struct array_parameter : parameter_as_it_is {
    static constexpr std::size_t bracketed = parameter<T>::type.size() + 2;
    static constexpr auto type_text = [] {
        std::array<char, bracketed> text{};
        std::size_t at = 0;
        for (const char c : parameter<T>::type) text[at++] = c;
        text[at++] = '[';
        text[at++] = ']';
        return text;
    }();
    static constexpr std::string_view type{type_text.data(), bracketed};

    static std::optional<std::string> literal(const Elements& value) {
        std::string all;
        for (const auto& element : value) {
            const auto one = parameter<T>::literal(element);
            if (!one) return {};
            all += (all.empty() ? "" : ", ") + *one;
        }
        return "ARRAY[" + all + "]::" + std::string{type};
    }
};

template <array_element T, class A>
    requires made_of_parts<std::vector<T, A>, type_list<T>>
struct parameter<std::vector<T, A>> : array_parameter<std::vector<T, A>, T> {
};
template <array_element T, std::size_t N>
    requires made_of_parts<std::array<T, N>, type_list<T>>
struct parameter<std::array<T, N>> : array_parameter<std::array<T, N>, T> {
};

}  // namespace pgq::detail::sql
