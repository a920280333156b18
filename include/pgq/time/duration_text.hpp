#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

// Times as a program stores them: "30s", "1500ms".
namespace pgq::detail {

struct time_unit {
    std::string_view name;
    duration::rep ticks;
};
inline constexpr std::array time_units{
    time_unit{"h", duration{std::chrono::hours{1}}.count()},
    time_unit{"min", duration{std::chrono::minutes{1}}.count()},
    time_unit{"s", duration{std::chrono::seconds{1}}.count()},
    time_unit{"ms", duration{std::chrono::milliseconds{1}}.count()},
    time_unit{"us", duration{std::chrono::microseconds{1}}.count()},
    time_unit{"ns", 1},
};

/// Appends a time in the largest unit that is exact. A negative time counts as zero.
inline void append_duration(std::string& out, duration d) {
    const auto ticks = std::max(d, duration::zero()).count();
    if (ticks == 0) return void(out += "0s");
    for (const time_unit& unit : time_units) {
        if (ticks % unit.ticks != 0) continue;
        out += std::to_string(ticks / unit.ticks);
        return void(out += unit.name);
    }
}

/// Reads what `append_duration` writes. Nothing if it is something else, or a time that is too long; no overflow.
inline std::optional<duration> read_duration(std::string_view text) noexcept {
    duration::rep count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || count < 0) return std::nullopt;
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    for (const time_unit& known : time_units)
        if (unit == known.name && count <= duration::max().count() / known.ticks) return duration{count * known.ticks};
    return std::nullopt;
}

}  // namespace pgq::detail
