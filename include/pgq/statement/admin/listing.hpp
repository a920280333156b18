#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/statement/wire.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

/// What an operator lists. docs/design/admin.md has the numbers.
namespace pgq::statement {

/// At most $4 lanes behind $3, of the queue $1 and the entrypoint $2 if these are not empty.
inline constexpr query list_lanes{"list_lanes", R"(
SELECT l.id, l.queue, l.entrypoint, l.version, l.dead_letters, (extract(epoch FROM l.keep_failures) * 1000000)::int8,
       rule.paused, rule.draining
  FROM {s}.lane l CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(r.kind = 'paused'), false) AS paused,
           coalesce(bool_or(r.kind = 'draining'), false) AS draining
      FROM {s}.paused r WHERE r.queue IN ('', l.queue) AND r.entrypoint IN ('', l.entrypoint)) rule
 WHERE l.id > $3 AND ($1 = '' OR l.queue = $1) AND ($2 = '' OR l.entrypoint = $2)
 ORDER BY l.id LIMIT $4)"};

/// See sql/0010_admin.sql. Times come as microseconds since 1970 and go so.
inline constexpr query list_jobs{"list_jobs", R"(
SELECT id, lane, rank, state, attempts, enqueued_at, run_at, since, worker, coalesce(reason, ''),
       (SELECT array_agg(ARRAY[e.key, coalesce(e.value, '')])
          FROM jsonb_each_text(CASE WHEN jsonb_typeof(headers) = 'object' THEN headers END) e), key, next
  FROM {s}.list_jobs($1, $2, $3, $4, $5, $6, $7, 'epoch'::timestamptz + $8 * interval '1 microsecond',
                     'epoch'::timestamptz + $9 * interval '1 microsecond', $10, $11))"};

/// At most $2 workers behind $1.
inline constexpr query list_workers{"list_workers", R"(
SELECT w.id, w.host, w.pid, w.version, w.lanes, w.queue_prefix, w.queues, w.entrypoints, w.started_at, w.heartbeat_at,
       (extract(epoch FROM w.lease_time) * 1000000)::int8, w.heartbeat_at >= now() - w.lease_time,
       (SELECT coalesce(sum(cardinality(e.ids) - CASE WHEN e.done IS NULL THEN 0 ELSE bit_count(e.done) END), 0)::int8
          FROM {s}.lease e WHERE e.worker = w.id)
  FROM {s}.worker w WHERE w.id > $1 ORDER BY w.id LIMIT $2)"};

inline constexpr query failed_groups{"failed_groups",
                                     "SELECT lane, reason, n, capped, latest, example FROM {s}.failed_groups($1, $2)"};

inline constexpr std::pair<job_state, char> state_letters[] = {{job_state::ready, 'w'},   {job_state::deferred, 'd'},
                                                               {job_state::blocked, 'b'}, {job_state::leased, 'l'},
                                                               {job_state::held, 'h'},    {job_state::ended, 'e'}};
/// One letter for each of these states.
inline std::string letters_of(job_state states) {
    std::string out;
    for (const auto& [state, letter] : state_letters)
        if (includes(states, state)) out += letter;
    return out;
}
constexpr job_state state_of(char letter) noexcept {
    for (const auto& [state, one] : state_letters)
        if (one == letter) return state;
    return job_state::ready;
}

/// These lanes; nothing: a null, which means all.
inline params& bind_some_lanes(params& p, std::optional<std::span<const lane_id>> lanes) {
    if (!lanes) return p.null(wire::int4_array);
    return p.int4s(lanes->size(), [&](std::size_t i) { return (*lanes)[i].value; });
}
inline void bind_list_jobs(params& p, const job_search& r) {
    const auto time = [&](const std::optional<time_point>& t) {
        if (t) p.number(std::int64_t{t->time_since_epoch().count()});
        else p.null(wire::int8_oid);
    };
    bind_some_lanes(p, r.lanes)
        .text(letters_of(r.states))
        .number(r.after.value)
        .number(r.last.value)
        .texts(r.headers.size(), [&](std::size_t i) { return r.headers[i].name; })
        .texts(r.headers.size(), [&](std::size_t i) { return r.headers[i].value; })
        .text(r.reason);
    time(r.enqueued_since);
    time(r.enqueued_before);
    p.number(r.most).number(r.look);
}

}  // namespace pgq::statement
