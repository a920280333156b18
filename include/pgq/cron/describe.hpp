#pragma once

#include <pgq/cron/expression.hpp>
#include <pgq/cron/masks.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::cron {
namespace detail {

using words = std::vector<std::string>;

inline constexpr std::array<std::string_view, 7> weekday_names{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                               "Thursday", "Friday", "Saturday"};
inline constexpr std::array<std::string_view, 12> month_names{"January",   "February", "March",    "April",
                                                              "May",       "June",     "July",     "August",
                                                              "September", "October",  "November", "December"};

inline std::string weekday_name(int weekday) { return std::string{weekday_names[static_cast<std::size_t>(weekday)]}; }
inline std::string month_name(int month) { return std::string{month_names[static_cast<std::size_t>(month - 1)]}; }
inline std::string number(int value) { return std::to_string(value); }
inline std::string two_digits(int value) { return (value < 10 ? "0" : "") + std::to_string(value); }

// 1st, 2nd, 3rd, 4th
inline std::string ordinal(int n) {
    const bool teen = n / 10 % 10 == 1;
    return std::to_string(n) + (teen || n % 10 > 3 || n % 10 == 0 ? "th"
                                : n % 10 == 1                     ? "st"
                                : n % 10 == 2                     ? "nd"
                                                                  : "rd");
}

// "a", "a and b", "a, b and c"
inline std::string join(const words& items, std::string_view last) {
    std::string text;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) text += i + 1 == items.size() ? " " + std::string{last} + " " : ", ";
        text += items[i];
    }
    return text;
}

// The values of a mask; three or more in a row are "a to b".
inline words spans(std::uint64_t mask, std::string (*name)(int)) {
    words items;
    for (int from = lowest_from(mask, 0); from >= 0;) {
        int to = from;
        while (lowest_from(mask, to + 1) == to + 1) ++to;
        if (to - from >= 2) items.push_back(name(from) + " to " + name(to));
        else
            for (int value = from; value <= to; ++value) items.push_back(name(value));
        from = lowest_from(mask, to + 1);
    }
    return items;
}

// n if the mask is 0, n, 2n ... of a field with `size` values that n divides; otherwise 0.
inline int even_step(std::uint64_t mask, int size) {
    const int step = lowest_from(mask, 1);
    if (step < 1 || size % step != 0) return 0;
    std::uint64_t expected = 0;
    for (int value = 0; value < size; value += step) expected |= 1ULL << value;
    return mask == expected ? step : 0;
}

// "every minute", "every 5 minutes", "at minute 0 and 30"
inline std::string describe_unit(std::uint64_t mask, int size, const std::string& unit) {
    const int step = even_step(mask, size);
    if (step == 1) return "every " + unit;
    if (step > 0) return "every " + std::to_string(step) + " " + unit + "s";
    return "at " + unit + " " + join(spans(mask, number), "and");
}

// "at 02:30 and 14:30"; empty if there are more than four times
inline std::string clock_times(const masks& m) {
    if (std::popcount(m.hours) * std::popcount(m.minutes) > 4 || std::popcount(m.seconds) != 1) return {};
    const int second = lowest_from(m.seconds, 0);
    words times;
    for (int h = lowest_from(m.hours, 0); h >= 0; h = lowest_from(m.hours, h + 1))
        for (int minute = lowest_from(m.minutes, 0); minute >= 0; minute = lowest_from(m.minutes, minute + 1))
            times.push_back(two_digits(h) + ":" + two_digits(minute) + (second == 0 ? "" : ":" + two_digits(second)));
    return "at " + join(times, "and");
}

inline std::string describe_minutes(const masks& m) {
    const int step = even_step(m.minutes, 60);
    if (m.seconds == 1) return describe_unit(m.minutes, 60, "minute");
    const std::string seconds = describe_unit(m.seconds, 60, "second");
    if (step == 1) return even_step(m.seconds, 60) > 0 ? seconds : seconds + " of every minute";
    return seconds + ", " + describe_unit(m.minutes, 60, "minute");
}

inline std::string describe_time(const masks& m) {
    if (std::string times = clock_times(m); !times.empty()) return times;
    const int step = even_step(m.hours, 24);
    if (step == 1) return describe_minutes(m) + (even_step(m.minutes, 60) > 0 ? "" : " of every hour");
    if (step > 0) return describe_minutes(m) + " of every " + ordinal(step) + " hour from 00:00";
    return describe_minutes(m) + " in hour " + join(spans(m.hours, number), "and");
}

inline void add_dates(const masks& m, words& days) {
    if (m.days != 0) days.push_back("on day " + join(spans(m.days, number), "and") + " of the month");
    if (m.last_day) days.push_back("on the last day of the month");
    if (m.last_workday) days.push_back("on the last Monday to Friday of the month");
    if (m.near_days != 0)
        days.push_back("on the Monday to Friday nearest to day " + join(spans(m.near_days, number), "and"));
}

inline void add_weekdays(const masks& m, words& days) {
    if (m.weekdays != 0) days.push_back("on " + join(spans(m.weekdays, weekday_name), "and"));
    words ordinals;
    for (int bit = lowest_from(m.nth_weekdays, 0); bit >= 0; bit = lowest_from(m.nth_weekdays, bit + 1))
        ordinals.push_back("the " + ordinal(bit / 7 + 1) + " " + weekday_name(bit % 7));
    for (int weekday = lowest_from(m.last_weekdays, 0); weekday >= 0;
         weekday = lowest_from(m.last_weekdays, weekday + 1))
        ordinals.push_back("the last " + weekday_name(weekday));
    if (!ordinals.empty()) days.push_back("on " + join(ordinals, "and") + " of the month");
}

inline std::string describe_days(const masks& m) {
    words days;
    if (!m.any_day) add_dates(m, days);
    if (!m.any_weekday) add_weekdays(m, days);
    std::string text = days.empty() ? "every day" : join(days, "or");
    constexpr std::uint64_t all_months = (1U << 13) - 2;
    if (m.months != all_months) text += " in " + join(spans(m.months, month_name), "and");
    return text;
}

inline std::string describe_interval(std::int64_t seconds) {
    constexpr std::array<std::pair<std::int64_t, std::string_view>, 4> units{
        {{seconds_per_day, "day"}, {3'600, "hour"}, {60, "minute"}, {1, "second"}}};
    words parts;
    for (const auto& [size, name] : units) {
        const std::int64_t count = seconds / size;
        seconds %= size;
        if (count > 0) parts.push_back(std::to_string(count) + " " + std::string{name} + (count == 1 ? "" : "s"));
    }
    return "every " + join(parts, "and");
}

}  // namespace detail

/// An expression as an English sentence: `0 9 * * 1-5` is "At 09:00 on Monday to Friday."
inline std::string describe(const expression& e) {
    const masks& m = e.fields;
    std::string text = m.interval > 0 ? detail::describe_interval(m.interval)
                                      : detail::describe_time(m) + ", " + detail::describe_days(m);
    text.front() = text.front() == 'a' ? 'A' : 'E';
    return text + ".";
}

}  // namespace pgq::cron
