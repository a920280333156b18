#pragma once

#include <pgq/cron/calendar.hpp>
#include <pgq/cron/masks.hpp>

#include <cstdint>
#include <limits>

// Searches the local times of an expression, without time zones. A local time is the number of seconds since
// 1970-01-01 00:00 on the clock on the wall.
namespace pgq::cron::detail {

// There is no such time. Only masks that nobody parsed can have none.
inline constexpr std::int64_t no_next = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t no_previous = std::numeric_limits<std::int64_t>::min();

// The Gregorian calendar repeats after 400 years.
inline constexpr int months_to_search = 400 * 12 + 1;

constexpr int time_of_day(int hour, int minute, int second) noexcept { return hour * 3'600 + minute * 60 + second; }

// The first time of day at or after `from`, in seconds, or -1.
constexpr int next_time_of_day(const masks& m, int from) noexcept {
    const int hour = from / 3'600;
    const int minute = from / 60 % 60;
    const int first_minute = lowest_from(m.minutes, 0);
    const int first_second = lowest_from(m.seconds, 0);
    if (first_minute < 0 || first_second < 0) return -1;
    if (lowest_from(m.hours, hour) == hour) {
        const int second = lowest_from(m.seconds, from % 60);
        if (second >= 0 && lowest_from(m.minutes, minute) == minute) return time_of_day(hour, minute, second);
        const int later = lowest_from(m.minutes, minute + 1);
        if (later >= 0) return time_of_day(hour, later, first_second);
    }
    const int later = lowest_from(m.hours, hour + 1);
    return later < 0 ? -1 : time_of_day(later, first_minute, first_second);
}

// The last time of day at or before `from`, in seconds, or -1.
constexpr int previous_time_of_day(const masks& m, int from) noexcept {
    const int hour = from / 3'600;
    const int minute = from / 60 % 60;
    const int last_minute = highest_to(m.minutes, 59);
    const int last_second = highest_to(m.seconds, 59);
    if (last_minute < 0 || last_second < 0) return -1;
    if (highest_to(m.hours, hour) == hour) {
        const int second = highest_to(m.seconds, from % 60);
        if (second >= 0 && highest_to(m.minutes, minute) == minute) return time_of_day(hour, minute, second);
        const int earlier = highest_to(m.minutes, minute - 1);
        if (earlier >= 0) return time_of_day(hour, earlier, last_second);
    }
    const int earlier = highest_to(m.hours, hour - 1);
    return earlier < 0 ? -1 : time_of_day(earlier, last_minute, last_second);
}

struct position {
    date day{};
    int time = 0;  // of the day, in seconds
};

constexpr position position_of(std::int64_t local) noexcept {
    const std::int64_t days = floor_div(local, seconds_per_day);
    return {.day = date_from_days(days), .time = static_cast<int>(local - days * seconds_per_day)};
}

// The first local time of the expression at or after `from`.
constexpr std::int64_t next_local(const masks& m, std::int64_t from) noexcept {
    auto [at, time] = position_of(from);
    const int first_time = next_time_of_day(m, 0);
    if (first_time < 0) return no_next;
    for (int months = 0; months < months_to_search; ++months) {
        const std::uint32_t days = (m.months >> at.month & 1) != 0 ? days_of(m, at.year, at.month) : 0;
        for (int day = lowest_from(days, at.day); day > 0; day = lowest_from(days, day + 1)) {
            const int found = day == at.day ? next_time_of_day(m, time) : first_time;
            if (found >= 0) return days_from_date({at.year, at.month, day}) * seconds_per_day + found;
        }
        at = at.month == 12 ? date{at.year + 1, 1, 1} : date{at.year, at.month + 1, 1};
        time = 0;
    }
    return no_next;
}

// The last local time of the expression at or before `from`.
constexpr std::int64_t previous_local(const masks& m, std::int64_t from) noexcept {
    auto [at, time] = position_of(from);
    const int last_time = previous_time_of_day(m, seconds_per_day - 1);
    if (last_time < 0) return no_previous;
    for (int months = 0; months < months_to_search; ++months) {
        const std::uint32_t days = (m.months >> at.month & 1) != 0 ? days_of(m, at.year, at.month) : 0;
        for (int day = highest_to(days, at.day); day > 0; day = highest_to(days, day - 1)) {
            const int found = day == at.day ? previous_time_of_day(m, time) : last_time;
            if (found >= 0) return days_from_date({at.year, at.month, day}) * seconds_per_day + found;
        }
        at = at.month == 1 ? date{at.year - 1, 12, 31} : date{at.year, at.month - 1, 31};
        time = static_cast<int>(seconds_per_day - 1);
    }
    return no_previous;
}

}  // namespace pgq::cron::detail
