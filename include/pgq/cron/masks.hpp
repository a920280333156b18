#pragma once

#include <pgq/cron/calendar.hpp>

#include <bit>
#include <cstdint>

namespace pgq::cron {

/// What a cron expression allows: one bit for each value of a field. The default is "every minute".
///
/// Members are public because a template argument demands it. Let `expression::parse` or `every<"...">` fill them in.
struct masks {
    std::uint64_t seconds = 1;                 ///< bits 0 to 59
    std::uint64_t minutes = (1ULL << 60) - 1;  ///< bits 0 to 59
    std::uint32_t hours = (1U << 24) - 1;      ///< bits 0 to 23
    std::uint32_t days = 0;                    ///< bits 1 to 31
    std::uint32_t near_days = 0;               ///< bits 1 to 31: the weekday, Monday to Friday, nearest to this day
    std::uint32_t months = (1U << 13) - 2;     ///< bits 1 to 12
    std::uint32_t weekdays = 0;                ///< bits 0 (Sunday) to 6
    std::uint32_t last_weekdays = 0;           ///< bits 0 to 6: the last such weekday of the month
    std::uint64_t nth_weekdays = 0;            ///< bit (n - 1) * 7 + weekday: the nth such weekday of the month
    bool last_day = false;                     ///< the last day of the month
    bool last_workday = false;                 ///< the last Monday to Friday of the month
    bool any_day = true;                       ///< the day of the month is `*` or `?`
    bool any_weekday = true;                   ///< the day of the week is `*` or `?`
    bool follows_real_time = true;             ///< seconds, minutes or hours begin with `*`
    std::int64_t interval = 0;                 ///< seconds of `@every`; 0 if the expression has fields

    friend constexpr bool operator==(const masks&, const masks&) = default;
};

namespace detail {

// The lowest bit that is `from` or higher, or -1.
constexpr int lowest_from(std::uint64_t mask, int from) noexcept {
    if (from > 63) return -1;
    mask = mask >> from << from;
    return mask == 0 ? -1 : std::countr_zero(mask);
}

// The highest bit that is `from` or lower, or -1.
constexpr int highest_to(std::uint64_t mask, int from) noexcept {
    if (from < 0) return -1;
    mask = mask << (63 - from) >> (63 - from);
    return mask == 0 ? -1 : 63 - std::countl_zero(mask);
}

constexpr std::uint32_t day_bit(int day) noexcept { return std::uint32_t{1} << day; }

// The Monday to Friday that is nearest to `day` in its month. Day 1 is weekday `first`.
constexpr int nearest_workday(int day, int first, int length) noexcept {
    const int weekday = (first + day - 1) % 7;
    if (weekday == 6) return day > 1 ? day - 1 : day + 2;
    if (weekday == 0) return day < length ? day + 1 : day - 2;
    return day;
}

constexpr std::uint32_t days_by_date(const masks& m, int first, int length) noexcept {
    std::uint32_t found = m.days;
    if (m.last_day) found |= day_bit(length);
    if (m.last_workday) {
        const int weekday = (first + length - 1) % 7;
        found |= day_bit(length - (weekday == 6 ? 1 : weekday == 0 ? 2 : 0));
    }
    for (int day = lowest_from(m.near_days, 1); day > 0 && day <= length; day = lowest_from(m.near_days, day + 1))
        found |= day_bit(nearest_workday(day, first, length));
    return found;
}

constexpr std::uint32_t days_by_weekday(const masks& m, int first, int length) noexcept {
    std::uint32_t found = 0;
    for (int weekday = 0; weekday < 7; ++weekday) {
        const int earliest = (weekday - first + 7) % 7 + 1;
        if ((m.weekdays >> weekday & 1) != 0) found |= 0x1020'4081U << earliest;  // each seventh bit
        if ((m.last_weekdays >> weekday & 1) != 0) found |= day_bit(earliest + (length - earliest) / 7 * 7);
        for (int n = 0; n < 5; ++n)
            if ((m.nth_weekdays >> (n * 7 + weekday) & 1) != 0 && earliest + n * 7 <= length)
                found |= day_bit(earliest + n * 7);
    }
    return found;
}

// The days of a month on which the expression fires, as bits 1 to 31. If both the day of the month and the day of the
// week are restricted, a day needs only one of them.
constexpr std::uint32_t days_of(const masks& m, std::int64_t year, int month) noexcept {
    const int length = days_in_month(year, month);
    const std::uint32_t all = static_cast<std::uint32_t>((1ULL << (length + 1)) - 2);
    if (m.any_day && m.any_weekday) return all;
    const int first = weekday_of(days_from_date({.year = year, .month = month, .day = 1}));
    std::uint32_t found = 0;
    if (!m.any_day) found |= days_by_date(m, first, length);
    if (!m.any_weekday) found |= days_by_weekday(m, first, length);
    return found & all;
}

}  // namespace detail
}  // namespace pgq::cron
