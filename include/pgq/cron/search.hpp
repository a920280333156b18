#pragma once

#include <pgq/cron/local_search.hpp>
#include <pgq/cron/masks.hpp>
#include <pgq/cron/zone.hpp>

#include <algorithm>
#include <cstdint>

// Searches the UTC times of an expression in a zone, in seconds since 1970.
//
// A fixed time is a local time that is turned into UTC: a time that the clock skips is the end of the gap, a time that
// the clock shows twice is the first one. An expression that follows real time fires at each UTC time whose local time
// fits.
namespace pgq::cron::detail {

template <zone Z>
constexpr std::int64_t next_fixed(const masks& m, std::int64_t after, const Z& z) {
    std::int64_t from = after + z.period_at(sys_of(after)).offset.count() + 1;
    for (;;) {
        const std::int64_t local = next_local(m, from);
        if (local == no_next) return no_next;
        const instant found = to_instant(z, local);
        if (found.time > after) return found.time;
        // `after` is in the second occurrence of a repeated hour, or at the end of a gap.
        from = found.is_repeated ? std::max(found.repeat_ends, local + 1) : local + 1;
    }
}

template <zone Z>
constexpr std::int64_t previous_fixed(const masks& m, std::int64_t before, const Z& z) {
    std::int64_t from = before - 1 + z.period_at(sys_of(before - 1)).offset.count();
    // All first occurrences of a repeated hour are before its second occurrence.
    if (const instant at = to_instant(z, from); at.is_repeated && at.time < before - 1) from = at.repeat_ends - 1;
    for (;;) {
        const std::int64_t local = previous_local(m, from);
        if (local == no_previous) return no_previous;
        const std::int64_t found = to_instant(z, local).time;
        if (found < before) return found;
        from = local - 1;
    }
}

// Goes from period to period. A search that found nothing in one period need not be repeated in the next, unless the
// local time went back to before its beginning.
template <zone Z>
constexpr std::int64_t next_real(const masks& m, std::int64_t after, const Z& z) {
    std::int64_t searched_from = no_next;
    std::int64_t local = no_previous;
    for (std::int64_t at = after + 1;;) {
        const offset_period period = z.period_at(sys_of(at));
        const std::int64_t offset = period.offset.count();
        if (at + offset < searched_from || at + offset > local) {
            searched_from = at + offset;
            local = next_local(m, searched_from);
            if (local == no_next) return no_next;
        }
        if (local - offset < seconds_of(period.end)) return local - offset;
        at = seconds_of(period.end);
    }
}

template <zone Z>
constexpr std::int64_t previous_real(const masks& m, std::int64_t before, const Z& z) {
    std::int64_t searched_from = no_previous;
    std::int64_t local = no_next;
    for (std::int64_t at = before - 1;;) {
        const offset_period period = z.period_at(sys_of(at));
        const std::int64_t offset = period.offset.count();
        if (at + offset > searched_from || at + offset < local) {
            searched_from = at + offset;
            local = previous_local(m, searched_from);
            if (local == no_previous) return no_previous;
        }
        if (local - offset >= seconds_of(period.begin)) return local - offset;
        at = seconds_of(period.begin) - 1;
    }
}

template <zone Z>
constexpr std::int64_t next_time(const masks& m, std::int64_t after, const Z& z) {
    if (m.interval > 0) return (floor_div(after, m.interval) + 1) * m.interval;
    return m.follows_real_time ? next_real(m, after, z) : next_fixed(m, after, z);
}

template <zone Z>
constexpr std::int64_t previous_time(const masks& m, std::int64_t before, const Z& z) {
    if (m.interval > 0) return floor_div(before - 1, m.interval) * m.interval;
    return m.follows_real_time ? previous_real(m, before, z) : previous_fixed(m, before, z);
}

}  // namespace pgq::cron::detail
