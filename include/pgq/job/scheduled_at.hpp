#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

/// The headers that a schedule adds to its jobs.
namespace pgq::detail {

inline constexpr std::string_view schedule_header = "pgq-schedule";          // the name of the schedule
inline constexpr std::string_view scheduled_at_header = "pgq-scheduled-at";  // its tick, such as
                                                                             // 2026-11-29T00:00:00.000000Z

// A time that the text has no room for is the first or the last one that it can show.
inline std::string format_tick(time_point t) {
    constexpr time_point first = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
    constexpr time_point end = std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1};
    t = std::clamp(t, first, end - std::chrono::microseconds{1});
    const auto day = std::chrono::floor<std::chrono::days>(t);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{t - day};
    std::array<char, 64> text{};
    const int n =
        std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                      static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
    return {text.data(), static_cast<std::size_t>(n)};
}

/// Empty if `format_tick` has not written it.
inline std::optional<time_point> parse_tick(std::string_view text) {
    static constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd.ddddddZ";
    if (text.size() != form.size()) return std::nullopt;
    for (std::size_t i = 0; i < form.size(); ++i)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return std::nullopt;
    const auto number = [text](std::size_t at, std::size_t digits) {
        std::int32_t n = 0;
        for (std::size_t i = at; i < at + digits; ++i) n = 10 * n + (text[i] - '0');
        return n;
    };
    const std::chrono::year_month_day date{std::chrono::year{number(0, 4)},
                                           std::chrono::month{static_cast<unsigned>(number(5, 2))},
                                           std::chrono::day{static_cast<unsigned>(number(8, 2))}};
    if (!date.ok()) return std::nullopt;
    return time_point{std::chrono::sys_days{date}} + std::chrono::hours{number(11, 2)} +
           std::chrono::minutes{number(14, 2)} + std::chrono::seconds{number(17, 2)} +
           std::chrono::microseconds{number(20, 6)};
}

}  // namespace pgq::detail
