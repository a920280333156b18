#pragma once

#include <pgq/cron/masks.hpp>
#include <pgq/cron/parser.hpp>
#include <pgq/cron/problem.hpp>
#include <pgq/cron/search.hpp>
#include <pgq/cron/zone.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pgq::cron {

namespace detail {

// A time that microseconds cannot hold is the largest or smallest that they can.
constexpr time_point to_time_point(std::int64_t seconds) noexcept {
    constexpr std::int64_t most = time_point::max().time_since_epoch().count() / 1'000'000;
    if (seconds > most) return time_point::max();
    if (seconds < -most) return time_point::min();
    return time_point{std::chrono::seconds{seconds}};
}

}  // namespace detail

/// A parsed cron expression: when something happens again and again. It can be a template argument.
///
/// Five fields: minute, hour, day of the month, month, day of the week; six: seconds first. Or a macro, such as
/// `@daily` or `@every 90s`. docs/reference/cron.md has the grammar.
///
/// If both days are restricted, one of them is enough: `0 0 13 * 5` fires on each 13th and on each Friday. A day that
/// is `*` or `?` restricts nothing.
///
/// In a zone with daylight saving time, a fixed time that the clock skips fires once, at the end of the gap. A fixed
/// time that the clock shows twice fires once, the first time. If seconds, minutes or hours begin with `*`, the
/// expression follows real time instead: it fires at each time that the clock really shows, in both hours of the two.
/// `@every` counts from 1970-01-01 00:00 UTC in every zone.
struct expression {
    masks fields{};

    /// Reads an expression at run time. Errors: `errc::invalid_cron`; the text says which field, which character and
    /// what to write instead. A range that runs backwards and a date that never comes are errors.
    static result<expression> parse(std::string_view text) {
        const detail::parsed read = detail::parse(text);
        if (read.error.what != mistake::none) return detail::to_error(read.error, text);
        return expression{read.value};
    }

    /// The first time later than `after`, a whole second. It is `time_point::max()` if that is after the year 294,000.
    template <zone Z = utc>
    constexpr time_point next(time_point after, const Z& where = Z{}) const {
        const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(after).time_since_epoch().count();
        return detail::to_time_point(detail::next_time(fields, seconds, where));
    }

    /// The last time earlier than `before`. There is no first time: an expression goes back for ever.
    template <zone Z = utc>
    constexpr time_point previous(time_point before, const Z& where = Z{}) const {
        const std::int64_t seconds = std::chrono::ceil<std::chrono::seconds>(before).time_since_epoch().count();
        return detail::to_time_point(detail::previous_time(fields, seconds, where));
    }

    /// The next `count` times later than `after`, in order.
    template <zone Z = utc>
    constexpr std::vector<time_point> next_times(time_point after, std::size_t count, const Z& where = Z{}) const {
        std::vector<time_point> times;
        while (times.size() < count) times.push_back(after = next(after, where));
        return times;
    }

    /// Compares what the fields allow, not the text: `0 0 * * 7` equals `@weekly`.
    friend constexpr bool operator==(const expression&, const expression&) = default;
};

}  // namespace pgq::cron
