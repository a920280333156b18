#pragma once

#include <pgq/job/header.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/when.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// sql/0006_schedules.sql says what the functions do.
namespace pgq::statement {

inline constexpr query declare_schedule{
    "declare_schedule",
    "SELECT {s}.declare_schedule($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
    "$20, $21, $22, $23)"};

inline constexpr query keep_schedules{"keep_schedules", "SELECT {s}.keep_schedules($1, $2)"};

/// Those of the queue $1; if it is empty, of all. Without schedules one row has the time and nothing else.
inline constexpr query schedules{"schedules", R"(
SELECT clock_timestamp(), s.name, l.entrypoint, s.lane, s.expression, s.zone,
       (extract(epoch FROM s.jitter) * 1000000)::int8, s.starts_at, s.ends_at, s.missed_count,
       (extract(epoch FROM s.missed_age) * 1000000)::int8, s.overlap,
       CASE WHEN s.next_at < 'infinity' THEN s.next_at END, s.fired_at, s.fired_job, s.paused_at,
       coalesce(s.pause_reason, ''), s.declared_at
  FROM (SELECT 1) one LEFT JOIN ({s}.schedule s JOIN {s}.lane l ON l.id = s.lane) ON $1 = '' OR s.queue = $1
 ORDER BY s.queue, s.name)"};

inline constexpr query fire_schedules{"fire_schedules", R"(
SELECT clock_timestamp(), number, outcome, CASE WHEN next_tick < 'infinity' THEN next_tick END, jobs, reasons
  FROM {s}.fire_schedules($1, $2, $3, $4, $5, $6))"};

inline constexpr query change_schedule{
    "change_schedule", "SELECT changed, job, coalesce(reason, ''), of_lane FROM {s}.change_schedule($1, $2, $3, $4)"};

inline constexpr query prune_schedules{"prune_schedules", "SELECT {s}.prune_schedules($1, $2)"};

namespace detail {

inline std::int64_t to_micros(time_point t) noexcept { return t.time_since_epoch().count(); }
inline std::int64_t to_micros(duration d) noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}
template <class Time>
params& put_micros(params& p, const std::optional<Time>& t) {
    return t ? p.number(to_micros(*t)) : p.null(wire::int8_oid);
}
inline params& put_span(params& p, const when& w) { return w.is_set() ? p.number(w.micros()) : p.null(wire::int8_oid); }

}  // namespace detail

inline void bind_declare_schedule(params& p, std::string_view queue, const schedule_definition& d) {
    const enqueue_options& o = d.job.option(0);
    const char rule[] = {static_cast<char>(o.unique_key.scope()), static_cast<char>(o.unique_key.then())};
    p.text(queue).text(d.name).number(d.job.lane.value).text(d.expression).text(d.zone);
    p.number(detail::to_micros(d.jitter));
    detail::put_micros(p, d.starts_at);
    detail::put_micros(p, d.ends_at).number(d.missed_count);
    detail::put_micros(p, d.missed_age).letter(static_cast<char>(d.overlap)).bytes((*d.job.bodies)[0]);
    if (d.job.has_keys()) p.text((*d.job.keys)[0]);
    else p.null(wire::text_oid);
    p.number(std::int16_t{o.priority});
    detail::put_span(p, o.run_at);
    detail::put_span(p, o.expected_at);
    detail::put_span(p, o.expires_at)
        .boolean(o.if_expired == on_expiry::hold)
        .number(detail::to_micros(o.keep_outcome))
        .texts(2 * o.headers.size(),
               [&](std::size_t i) { return i % 2 == 0 ? o.headers[i / 2].name : o.headers[i / 2].value; })
        .text(o.unique_key.key())
        .text({rule, 2})
        .number(detail::to_micros(o.unique_key.period()));
}

inline void bind_fire_schedules(params& p, std::string_view queue, std::span<const schedule_firing> all) {
    std::vector<std::pair<std::int32_t, time_point>> ticks;
    for (std::size_t i = 0; i < all.size(); ++i)
        for (const time_point t : all[i].ticks) ticks.emplace_back(static_cast<std::int32_t>(i + 1), t);
    p.text(queue)
        .texts(all.size(), [&](std::size_t i) { return all[i].name; })
        .int8s(all.size(), [&](std::size_t i) { return detail::to_micros(all[i].expected); })
        .int8s_or_null(all.size(),
                       [&](std::size_t i) {
                           const auto& next = all[i].next;
                           return next ? std::optional{detail::to_micros(*next)} : std::nullopt;
                       })
        .int4s(ticks.size(), [&](std::size_t i) { return ticks[i].first; })
        .int8s(ticks.size(), [&](std::size_t i) { return detail::to_micros(ticks[i].second); });
}

}  // namespace pgq::statement
