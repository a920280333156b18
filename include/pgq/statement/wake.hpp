#pragma once

#include <pgq/statement/query.hpp>

/// Waking sleepers without a notification in anybody's commit and without a write.
///
/// A worker that is about to sleep takes two session advisory locks, a shared one that says "somebody sleeps" and its own,
/// and then claims once more. Who makes a job claimable looks for the locks after its commit: either it sees them and
/// notifies one sleeper on that sleeper's own channel, or the sleeper's last claim sees the job. $1 is the lock space, the
/// oid of the schema.
namespace pgq::statement {

inline constexpr query announce_sleep{"announce_sleep",
                                      "SELECT pg_advisory_lock_shared($1, 0), pg_advisory_lock($1, $2)"};
inline constexpr query announce_awake{"announce_awake",
                                      "SELECT pg_advisory_unlock($1, $2), pg_advisory_unlock_shared($1, 0)"};

// For each lane one sleeper. When nobody sleeps, which is when it matters, this is one lock attempt. The notification's commit
// need not be durable.
#define PGQ_WAKE(lanes)                                                                                \
    "SELECT CASE WHEN NOT pg_try_advisory_xact_lock($1, 0) THEN ("                                     \
    " SELECT count(pg_notify('pgq_' || $1::text || '_' || s.id::text, '')) FROM ("                     \
    "  SELECT DISTINCT s.id, set_config('synchronous_commit', 'off', true)"                            \
    "    FROM unnest(" lanes                                                                           \
    ") l(lane) CROSS JOIN LATERAL ("                                                                   \
    "     SELECT w.id FROM (SELECT id FROM {s}.worker WHERE l.lane = ANY (lanes) ORDER BY random()) w" \
    "      WHERE NOT pg_try_advisory_xact_lock_shared($1, w.id) LIMIT 1) s) s) END"

/// Wakes sleepers that serve the lanes $2.
inline constexpr query wake{"wake", PGQ_WAKE("$2")};

/// Wakes sleepers that serve the lanes that statements of this session have noted in the setting `pgq.lanes`, and forgets them.
inline constexpr query wake_noted{
    "wake_noted",
    "WITH noted AS MATERIALIZED (SELECT current_setting('pgq.lanes', true) AS lanes),"
    " forget AS MATERIALIZED (SELECT lanes, set_config('pgq.lanes', '', false) FROM noted) " PGQ_WAKE(
        "(SELECT string_to_array(lanes, ',')::int4[] FROM forget)")};

#undef PGQ_WAKE

/// Ends a former session of worker $2 that the server still believes in: half open, it would keep the sleeper's lock for as long
/// as the network takes to notice, and its successor could never announce anything.
inline constexpr query oust_former{"oust_former", R"(
SELECT count(pg_terminate_backend(pid)) FROM pg_locks
 WHERE locktype = 'advisory' AND classid = ($1::int8 & 4294967295)::oid AND objid = $2::int8::oid AND objsubid = 2
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND mode = 'ExclusiveLock' AND granted AND pid <> pg_backend_pid())"};

/// Inside somebody's own transaction: heard by everybody, when that transaction commits.
inline constexpr query wake_all{"wake_all", "SELECT pg_notify('pgq_' || $1::text, $2::text)"};

/// The same for the lanes that statements of this session have noted, which it forgets.
inline constexpr query wake_all_noted{
    "wake_all_noted",
    "WITH noted AS MATERIALIZED (SELECT current_setting('pgq.lanes', true) AS lanes),"
    " forget AS MATERIALIZED (SELECT lanes, set_config('pgq.lanes', '', false) FROM noted)"
    " SELECT count(pg_notify('pgq_' || $1::text, l.lane))"
    " FROM (SELECT DISTINCT unnest(string_to_array(lanes, ',')) AS lane FROM forget) l WHERE l.lane <> ''"};

}  // namespace pgq::statement
