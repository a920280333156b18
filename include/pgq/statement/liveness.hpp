#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/statement/joined.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

namespace pgq::statement {

inline constexpr query register_worker{"register_worker", R"(
INSERT INTO {s}.worker (lease_time, host, pid, version, lanes)
VALUES ($1 * interval '1 microsecond', $2, $3, $4, $5) RETURNING id)"};

/// One heartbeat. Answers whether the worker is registered, whether a dead worker left work, and whether a job is asked
/// to stop or is of a paused lane.
inline constexpr query beat{"beat", R"(
WITH mine AS (UPDATE {s}.worker SET heartbeat_at = now() WHERE id = $1 RETURNING 1)
SELECT (SELECT count(*) FROM mine),
       EXISTS (SELECT FROM {s}.worker WHERE id <> $1 AND heartbeat_at < now() - lease_time)
    OR EXISTS (SELECT FROM {s}.lease l WHERE NOT EXISTS (SELECT FROM {s}.worker w WHERE w.id = l.worker)),
       EXISTS (SELECT FROM {s}.lease l, unnest(l.flags) WITH ORDINALITY f(flags, o)
                WHERE l.worker = $1 AND f.flags & 2 <> 0 AND (l.done IS NULL OR get_bit(l.done, f.o::int - 1) = 0))
    OR EXISTS (SELECT FROM {s}.paused_lane)
       AND EXISTS (SELECT FROM {s}.lease l JOIN {s}.paused_lane p USING (lane) WHERE l.worker = $1))"};

/// Removes dead rows that VACUUM must leave, if there are many; see sql/0004_compact.sql.
inline constexpr query compact{"compact", "SELECT {s}.compact()"};

/// Removes dead workers, under their row locks. `rescue_leases` follows in the same transaction.
inline constexpr query remove_dead_workers{"remove_dead_workers", R"(
DELETE FROM {s}.worker WHERE id = ANY (ARRAY(
    SELECT id FROM {s}.worker WHERE heartbeat_at < now() - lease_time ORDER BY id FOR UPDATE SKIP LOCKED)))"};

namespace return_text {

// Each of these texts deletes leases as `l`; the text `end` follows and uses them.
// A heartbeat has less than its lease time for this. So it takes a portion: dead workers until their payloads have
// 16 MiB, where each job counts for 800 bytes more. The next beats take the rest. Of one worker it takes all, because
// the rules compare its jobs, but no more than 64 MiB.
// `w` says of each dead worker how many open jobs it had, and whether one of these ran alone. The rules are those of
// judge_crash() in protocol/tracked.hpp, in the same order. A job's own attempts are read as in
// protocol/own_settings.hpp.
inline constexpr std::string_view of_dead_workers = R"(
WITH due AS (
    SELECT e.ctid AS place, sum(c.cost) OVER (ORDER BY e.worker) - sum(c.cost) OVER (PARTITION BY e.worker) AS before,
           sum(c.cost) OVER (PARTITION BY e.worker ORDER BY e.id) - c.cost AS before_of_worker
      FROM {s}.lease e CROSS JOIN LATERAL (SELECT pg_column_size(e.bodies) + 800 * cardinality(e.ids) AS cost) c
     WHERE NOT EXISTS (SELECT FROM {s}.worker w WHERE w.id = e.worker)),
l AS (DELETE FROM {s}.lease WHERE ctid = ANY (ARRAY(
          SELECT place FROM due WHERE before < 16777216 AND before_of_worker < 67108864)) RETURNING *),
w AS MATERIALIZED (
    SELECT e.worker, count(*) AS n, coalesce(bool_or(e.flags[j.o] & 128 <> 0), false) AS marked
      FROM {s}.lease e CROSS JOIN LATERAL unnest(e.ids) WITH ORDINALITY j(id, o)
     WHERE e.worker IN (SELECT worker FROM l) AND (e.done IS NULL OR get_bit(e.done, j.o - 1) = 0) GROUP BY e.worker),
item AS (
    SELECT CASE WHEN v.counts THEN least(j.attempts + f.crashes, 32767) ELSE f.before END::int2 AS attempts,
           CASE WHEN f.flags & 2 <> 0 THEN 'c'
                WHEN v.counts AND j.attempts + f.crashes >= f.most THEN 'h'
                WHEN j.body IS NULL THEN 'h' ELSE 'r' END::"char" AS kind,
           CASE WHEN j.body IS NULL THEN 'its payload is missing' ELSE 'its worker died' END AS reason,
           nullif(CASE WHEN v.counts THEN f.flags & 65 WHEN w.marked THEN f.flags & 125
                       ELSE f.flags & 65 | (f.crashes + 1) * 4
                          | CASE WHEN f.crashes > 0 OR f.before + f.crashes + 1 >= f.most - 1 THEN 64 ELSE 0 END
                       END, 0)::int2 AS flags, {job_of_lease}
      FROM l JOIN w ON w.worker = l.worker CROSS JOIN LATERAL {jobs_of_lease}
     CROSS JOIN LATERAL (SELECT coalesce(l.flags[j.o], 0)::int4 AS flags,
                                (coalesce(l.flags[j.o], 0) & 60) / 4 AS crashes,
                                greatest(j.attempts - 1, 0)::int4 AS before,
                                CASE WHEN l.max_attempts < 32767
                                          AND l.headers[j.o] ->> 'pgq-max-attempts' ~ '^[1-9][0-9]{0,4}$'
                                     THEN least((l.headers[j.o] ->> 'pgq-max-attempts')::int4, 32767)
                                     ELSE l.max_attempts END AS most) f
     CROSS JOIN LATERAL (SELECT f.flags & 128 <> 0 OR NOT w.marked AND (w.n = 1 OR f.crashes = 15) AS counts) v
     WHERE l.done IS NULL OR get_bit(l.done, j.o - 1) = 0),)";
inline constexpr std::string_view of_worker = R"(
WITH l AS (DELETE FROM {s}.lease WHERE worker = $1 RETURNING *),)";
inline constexpr std::string_view of_leases = R"(
WITH l AS (DELETE FROM {s}.lease WHERE id = ANY ($1) RETURNING *),)";
inline constexpr std::string_view uncounted = R"(
item AS (SELECT greatest(j.attempts - 1, 0)::int2 AS attempts,
                CASE WHEN l.flags[j.o] & 2 <> 0 THEN 'c' WHEN j.body IS NULL THEN 'h' ELSE 'r' END::"char" AS kind,
                CASE WHEN j.body IS NULL THEN 'its payload is missing' ELSE 'its worker died' END AS reason,
                nullif(l.flags[j.o] & 125, 0)::int2 AS flags, {job_of_lease}
           FROM l CROSS JOIN LATERAL {jobs_of_lease} WHERE l.done IS NULL OR get_bit(l.done, j.o - 1) = 0),)";

// The jobs go back to `ready`. Jobs that are asked to stop are cancelled, and jobs without attempts left or without a
// payload are held; waiting callers are notified.
inline constexpr std::string_view end =
    R"(
back AS (INSERT INTO {s}.ready ({job}) SELECT {job} FROM item WHERE kind = 'r' RETURNING lane),
kept AS (INSERT INTO {s}.deferred ({deferred}) SELECT 'infinity', 'h', reason, {job}
           FROM item WHERE kind = 'h' RETURNING id, lane, attempts, reason),
failed AS (
    INSERT INTO {s}.failure (id, lane, attempt, reason)
    SELECT id, lane, attempts, reason FROM kept k
     WHERE (SELECT a.keep_failures > '0' FROM {s}.lane a WHERE a.id = k.lane) IS NOT FALSE)
SELECT (SELECT count(*) FROM back), (SELECT count(*) FROM kept), (SELECT array_agg(DISTINCT lane) FROM item),
       (SELECT {s}.end_tracked(array_agg(id), array_agg(kind), array_agg(attempts),
                               array_agg(CASE kind WHEN 'h' THEN reason END), NULL)
          FROM item WHERE flags & 1 <> 0 AND kind <> 'r' HAVING count(*) > 0),
       (SELECT array_agg(id ORDER BY id) FROM kept), (SELECT array_agg(reason ORDER BY id) FROM kept),
       (SELECT {s}.count_ended(array_agg(lane), array_agg(kind)) FROM item WHERE kind <> 'r' HAVING count(*) > 0))";

}  // namespace return_text

/// Returns the jobs of leases whose worker is not registered: it is dead, or it claimed after it was declared dead. A
/// worker registers before it claims, so this never takes a lease of a living worker. It takes a portion of them.
inline constexpr query rescue_leases{"rescue_leases", joined<return_text::of_dead_workers, return_text::end>::text};

/// Returns everything a worker holds, as if it had never been claimed.
inline constexpr query give_back_all{"give_back_all",
                                     joined<return_text::of_worker, return_text::uncounted, return_text::end>::text};
/// The same for some leases, wherever their rows have moved.
inline constexpr query give_back{"give_back",
                                 joined<return_text::of_leases, return_text::uncounted, return_text::end>::text};

inline constexpr query unregister{"unregister", "DELETE FROM {s}.worker WHERE id = $1"};
inline constexpr query leases_of{
    "leases_of",
    "SELECT id, ctid, done, flags, EXISTS (SELECT FROM {s}.paused_lane p WHERE p.lane = l.lane)"
    " FROM {s}.lease l WHERE worker = $1"};

inline void bind_register(params& p, const worker_info& w) {
    p.clear();
    p.number(std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(w.lease_time).count()})
        .text(w.host)
        .number(w.pid)
        .text(w.version)
        .int4s(w.lanes.size(), [&](std::size_t i) { return w.lanes[i].value; });
}

}  // namespace pgq::statement
