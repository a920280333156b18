#pragma once

#include <pgq/cli/top/canvas.hpp>

#include <pgq/protocol/statistics.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <utility>

/// Numbers in few characters.
namespace pgq::cli::top {

/// "0", "0.25", "3.1", "120", "1 234"
inline std::string rate_text(double per_second) {
    if (!(per_second > 0)) return "0";
    std::array<char, 40> out{};
    if (per_second >= 100) return capped_count{std::llround(per_second), false}.text();
    std::snprintf(out.data(), out.size(), per_second < 1 ? "%.2f" : "%.1f", per_second);
    return out.data();
}

/// One unit, at most six characters: "250us", "12ms", "3.4s", "5min", "2.5h", "12d".
inline std::string short_text(duration d) {
    struct unit {
        double nanoseconds;
        const char* name;
    };
    static constexpr std::array<unit, 6> units{
        {{86'400e9, "d"}, {3'600e9, "h"}, {60e9, "min"}, {1e9, "s"}, {1e6, "ms"}, {1e3, "us"}}};
    const auto n = static_cast<double>(std::max(d, duration{}).count());
    for (const unit& u : units) {
        const double amount = n / u.nanoseconds;
        if (amount < 1) continue;
        std::array<char, 40> out{};
        const bool with_point = amount < 10 && n >= 1e9;
        std::snprintf(out.data(), out.size(), with_point ? "%.1f%s" : "%.0f%s", std::floor(amount * 10) / 10, u.name);
        return out.data();
    }
    return "0s";
}

/// "12:34:56"
inline std::string clock_text(time_point t) {
    const std::chrono::hh_mm_ss at{
        std::chrono::floor<std::chrono::seconds>(t - std::chrono::floor<std::chrono::days>(t))};
    std::array<char, 40> out{};
    std::snprintf(out.data(), out.size(), "%02d:%02d:%02d", static_cast<int>(at.hours().count()),
                  static_cast<int>(at.minutes().count()), static_cast<int>(at.seconds().count()));
    return out.data();
}

/// The last `width` values as columns, each as high as its part of the highest.
inline std::string sparkline(std::span<const double> values, std::size_t width, const glyphs& g) {
    static constexpr std::array<std::string_view, 8> blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static constexpr std::array<std::string_view, 8> letters{"_", ".", "-", "=", "+", "*", "%", "#"};
    values = values.last(std::min(width, values.size()));
    double highest = 0;
    for (const double v : values) highest = std::max(highest, v);
    std::string out(width - values.size(), ' ');
    for (const double v : values) {
        const double part = highest > 0 ? v / highest : 0;
        const auto step = static_cast<std::size_t>(std::clamp(std::lround(part * 7), 0L, 7L));
        out += v > 0 && step == 0 ? (g.utf8 ? blocks : letters)[1] : (g.utf8 ? blocks : letters)[step];
    }
    return out;
}

/// The time that the whole minutes of the statistics of `last` up to `now` cover: the first one begins later than
/// `now - last`, and the present one is not over.
inline duration covered_time(time_point now, duration last) noexcept {
    const auto first =
        std::chrono::ceil<std::chrono::minutes>(now - std::chrono::floor<std::chrono::microseconds>(last));
    return std::max<duration>(now - first, std::chrono::seconds{1});
}

}  // namespace pgq::cli::top
