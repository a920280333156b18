#pragma once

#include <cstdint>

// The Gregorian calendar in whole numbers. Days count from 1970-01-01. Years are not limited to those of std::chrono.
namespace pgq::cron::detail {

inline constexpr std::int64_t seconds_per_day = 86'400;

struct date {
    std::int64_t year = 1970;
    int month = 1;
    int day = 1;
};

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept { return a / b - (a % b < 0 ? 1 : 0); }

// The calendar year begins with March here, so that the leap day is its last one.
constexpr std::int64_t days_from_date(date d) noexcept {
    const std::int64_t year = d.month <= 2 ? d.year - 1 : d.year;
    const std::int64_t era = floor_div(year, 400);
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t day_of_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
    return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

constexpr date date_from_days(std::int64_t days) noexcept {
    days += 719'468;
    const std::int64_t era = floor_div(days, 146'097);
    const std::int64_t day_of_era = days - era * 146'097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
    const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    return {.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
            .month = month,
            .day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1)};
}

constexpr bool is_leap(std::int64_t year) noexcept { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

constexpr int days_in_month(std::int64_t year, int month) noexcept {
    if (month == 2) return is_leap(year) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// 0 is Sunday.
constexpr int weekday_of(std::int64_t days) noexcept { return static_cast<int>(days + 4 - floor_div(days + 4, 7) * 7); }

}  // namespace pgq::cron::detail
