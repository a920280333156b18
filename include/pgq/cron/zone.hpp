#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pgq::cron {

/// A span of time in which a zone has one offset. The local time is the UTC time plus the offset.
struct offset_period {
    std::chrono::sys_seconds begin = std::chrono::sys_seconds::min();
    std::chrono::sys_seconds end = std::chrono::sys_seconds::max();  ///< the first second of the next period
    std::chrono::seconds offset{};                                   ///< positive in the east; less than 24 h
};

/// A time zone: it knows which offset it has at a UTC time, and from when until when.
///
/// The periods follow each other without gaps. `utc` and `fixed_offset` are zones; `pgq::time_zone` of
/// <pgq/timezones.hpp> has the zones of the system, by their IANA names.
template <class Z>
concept zone = requires(const Z& z, std::chrono::sys_seconds t) {
    { z.period_at(t) } -> std::same_as<offset_period>;
};

/// Coordinated Universal Time.
struct utc {
    constexpr offset_period period_at(std::chrono::sys_seconds) const noexcept { return {}; }
};

/// A zone that always has one offset: `fixed_offset{5h + 45min}`. Offsets of a day or more count as one second less.
class fixed_offset {
public:
    constexpr explicit fixed_offset(std::chrono::seconds offset) noexcept
        : offset_{offset > most    ? most
                  : offset < -most ? -most
                                   : offset} {}

    constexpr offset_period period_at(std::chrono::sys_seconds) const noexcept { return {.offset = offset_}; }

private:
    static constexpr std::chrono::seconds most = std::chrono::hours{24} - std::chrono::seconds{1};

    std::chrono::seconds offset_;
};

static_assert(zone<utc> && zone<fixed_offset>);

/// The offset that a text names which needs no database: `UTC`, `+05:45`, `-03:00`. Empty for another text.
constexpr std::optional<std::chrono::seconds> read_offset(std::string_view text) noexcept {
    if (text == "UTC") return std::chrono::seconds{0};
    const auto digits = [text](std::size_t at) {
        const int tens = text[at] - '0', ones = text[at + 1] - '0';
        return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : 99;
    };
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
    const int hours = digits(1), minutes = digits(4);
    if (hours > 23 || minutes > 59) return std::nullopt;
    const std::chrono::seconds offset = std::chrono::hours{hours} + std::chrono::minutes{minutes};
    return text[0] == '-' ? -offset : offset;
}

namespace detail {

constexpr std::chrono::sys_seconds sys_of(std::int64_t seconds) noexcept {
    return std::chrono::sys_seconds{std::chrono::seconds{seconds}};
}
constexpr std::int64_t seconds_of(std::chrono::sys_seconds t) noexcept { return t.time_since_epoch().count(); }

// What a local time is in UTC.
struct instant {
    std::int64_t time = 0;         // the first occurrence; the end of the gap if the clock skipped this local time
    std::int64_t repeat_ends = 0;  // the local time at which the repeated hour ends, if the clock shows this time twice
    bool is_repeated = false;
};

template <zone Z>
constexpr instant to_instant(const Z& z, std::int64_t local) {
    constexpr std::int64_t reach = 86'400;  // no offset is larger
    offset_period period = z.period_at(sys_of(local - reach));
    for (;;) {
        const std::int64_t time = local - period.offset.count();
        const std::int64_t end = seconds_of(period.end);
        if (end > local + reach) return {.time = time};
        const offset_period next = z.period_at(period.end);
        if (time < end) {
            const bool repeated = local >= end + next.offset.count();
            return {.time = time, .repeat_ends = end + period.offset.count(), .is_repeated = repeated};
        }
        if (local < end + next.offset.count()) return {.time = end};
        period = next;
    }
}

}  // namespace detail
}  // namespace pgq::cron
