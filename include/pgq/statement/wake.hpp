#pragma once

#include <pgq/statement/joined.hpp>
#include <pgq/statement/query.hpp>

#include <string_view>

/// How sleeping workers are woken. It needs no notification in the commit of an enqueue, and no write.
///
/// A worker that is about to sleep takes two session advisory locks: a shared one on 0, "somebody sleeps", and one on
/// its id. Then it claims once more. A session that makes jobs claimable looks for the locks after its commit. Either
/// it sees them and notifies one sleeping worker on that worker's channel, or the last claim of the worker sees the
/// jobs. $1 is the lock space, the oid of the schema.
namespace pgq::statement {

/// Everybody who may connect can take these locks. So the worker gives up after a while and sleeps without a lock that
/// somebody else holds. That makes the worker look asleep as well, so it is woken, until that lock is free. Each is a
/// transaction of its own: one that fails leaves the other.
inline constexpr query join_sleepers{
    "join_sleepers", "SELECT set_config('lock_timeout', '250ms', true), pg_advisory_lock_shared($1, 0)"};
inline constexpr query subscribe_wakes{"subscribe_wakes",
                                       "SELECT set_config('lock_timeout', '250ms', true), pg_advisory_lock($1, $2)"};
inline constexpr query unsubscribe_wakes{"unsubscribe_wakes",
                                         "SELECT pg_advisory_unlock($1, $2), pg_advisory_unlock_shared($1, 0)"};

namespace wake_text {

// Notifies one sleeping worker for each lane. When no worker sleeps, which is when speed matters, this is one lock
// attempt. The commit of the notification need not be durable.
inline constexpr std::string_view before = R"(
SELECT CASE WHEN NOT pg_try_advisory_xact_lock($1, 0) THEN (
    SELECT count(pg_notify('pgq_' || $1::text || '_' || s.id::text, '')) FROM (
        SELECT DISTINCT s.id, set_config('synchronous_commit', 'off', true) FROM unnest()";
inline constexpr std::string_view behind = R"() l(lane) CROSS JOIN LATERAL (
            SELECT w.id FROM (SELECT id FROM {s}.worker v WHERE l.lane = ANY (lanes) OR queue_prefix IS NOT NULL
                AND EXISTS (SELECT FROM {s}.lane a JOIN unnest(v.entrypoints, v.versions) u(entrypoint, version)
                                USING (entrypoint, version)
                             WHERE a.id = l.lane AND starts_with(a.queue, v.queue_prefix)
                               AND (v.queues IS NULL OR a.queue = ANY (v.queues))) ORDER BY random()) w
             WHERE NOT pg_try_advisory_xact_lock_shared($1, w.id) LIMIT 1) s) s) END)";

// The planner counts the elements of a parameter, and a plan for one lane looks cheaper than the plan for any lanes. So
// it would plan each wake anew, which takes ten times as long as the wake. It does not count those of a subquery.
inline constexpr std::string_view given = "(SELECT $2)";
inline constexpr std::string_view noted = R"(
WITH noted AS MATERIALIZED (SELECT current_setting('pgq.wake_lanes', true) AS lanes),
forget AS MATERIALIZED (SELECT lanes, set_config('pgq.wake_lanes', '', false) FROM noted))";
inline constexpr std::string_view noted_lanes = "(SELECT string_to_array(lanes, ',')::int4[] FROM forget)";

}  // namespace wake_text

/// Wakes sleeping workers of the lanes $2.
inline constexpr query wake =
    query{"wake", joined<wake_text::before, wake_text::given, wake_text::behind>::text}.as_stored();

/// Wakes sleeping workers of the lanes in the setting pgq.wake_lanes, which statements of this session have filled, and
/// clears it.
inline constexpr query wake_collected{
    "wake_collected", joined<wake_text::noted, wake_text::before, wake_text::noted_lanes, wake_text::behind>::text};

/// Ends other sessions with the lock of worker $2: after a broken connection the server may keep the former session of
/// the worker until the network times out, and the new session cannot take the lock before.
inline constexpr query terminate_previous{"terminate_previous", R"(
SELECT count(pg_terminate_backend(pid)) FROM pg_locks
 WHERE locktype = 'advisory' AND classid = ($1::int8 & 4294967295)::oid AND objid = $2::int8::oid AND objsubid = 2
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND mode = 'ExclusiveLock' AND granted AND pid <> pg_backend_pid())"};

/// Notifies all workers, when the caller's transaction commits.
inline constexpr query wake_all{"wake_all", "SELECT pg_notify('pgq_' || $1::text, $2::text)"};

/// The same for the lanes that statements of this session have noted, which it forgets.
inline constexpr query wake_all_collected =
    query{"wake_all_collected",
          "WITH noted AS MATERIALIZED (SELECT current_setting('pgq.wake_lanes', true) AS lanes),"
          " forget AS MATERIALIZED ("
          "SELECT lanes, set_config('pgq.wake_lanes', '', current_setting('pgq.stateless', true) = 'on') FROM noted)"
          " SELECT count(pg_notify('pgq_' || $1::text, l.lane))"
          " FROM (SELECT DISTINCT unnest(string_to_array(lanes, ',')) AS lane FROM forget) l WHERE l.lane <> ''"}
        .as_stored();

}  // namespace pgq::statement
