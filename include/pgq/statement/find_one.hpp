#pragma once

#include <pgq/statement/query.hpp>

/// Where a job is. docs/design/storage.md has the numbers.
namespace pgq::statement {

/// All that is known of job $1. One statement has one snapshot, so a job that moves meanwhile is found in one place.
///
/// Nothing indexes `ready` and `pack` by id. `lanes` has their pairs of lane and rank, each found by one step along the
/// index; in each pair the id is looked up. After 1000 pairs the statement reads the table. A tracked job says its lane
/// and rank. Of packs it looks at the last 16 of each pair that begin at or before the id. Concurrent calls draw ids
/// alternately, so it can be an earlier one: the statement reads the table of packs before it says that it knows
/// nothing. `miss` is a loop around the two that read a table: so the server starts no parallel workers in vain. Its
/// plan is made anew: a plan from when the tables were empty would read them.
inline constexpr query find_one{"find_one", R"(
WITH RECURSIVE known AS MATERIALIZED (SELECT lane, rank, waits_for FROM {s}.tracked WHERE id = $1),
elsewhere AS MATERIALIZED (
    SELECT {job}, CASE WHEN kind IN ('h', 'b') THEN kind ELSE 'd' END::text AS state, run_at,
           NULL::timestamptz AS since,
           NULL::int4 AS worker, reason
      FROM {s}.deferred WHERE id = $1
    UNION ALL
    SELECT {job}, 'l', NULL, claimed_at, worker, NULL FROM (
        SELECT {job_of_lease}, j.attempts, l.flags[j.o] AS flags, l.claimed_at, l.worker
          FROM {s}.lease l CROSS JOIN LATERAL {jobs_of_lease}
         WHERE $1 = ANY (l.ids) AND j.id = $1 AND (l.done IS NULL OR get_bit(l.done, j.o - 1) = 0)) e),
lanes(lane, rank, n) AS (
    (SELECT lane, rank, 1 FROM {s}.ready WHERE NOT EXISTS (SELECT FROM known) AND NOT EXISTS (SELECT FROM elsewhere)
      ORDER BY lane, rank LIMIT 1)
    UNION ALL
    SELECT x.lane, x.rank, n + 1 FROM lanes p CROSS JOIN LATERAL (
        SELECT r.lane, r.rank FROM {s}.ready r WHERE (r.lane, r.rank) > (p.lane, p.rank)
         ORDER BY r.lane, r.rank LIMIT 1) x
     WHERE n < 1000),
single AS MATERIALIZED (
    SELECT {job} FROM {s}.ready
     WHERE lane = (SELECT lane FROM known) AND rank = (SELECT rank FROM known) AND id = $1
    UNION ALL
    SELECT r.* FROM lanes p CROSS JOIN LATERAL (
        SELECT {job} FROM {s}.ready r WHERE r.lane = p.lane AND r.rank = p.rank AND r.id = $1) r),
pack_lanes(lane, rank, n) AS (
    (SELECT lane, rank, 1 FROM {s}.pack
      WHERE NOT EXISTS (SELECT FROM known) AND NOT EXISTS (SELECT FROM elsewhere) AND NOT EXISTS (SELECT FROM single)
      ORDER BY lane, rank LIMIT 1)
    UNION ALL
    SELECT x.lane, x.rank, n + 1 FROM pack_lanes p CROSS JOIN LATERAL (
        SELECT r.lane, r.rank FROM {s}.pack r WHERE (r.lane, r.rank) > (p.lane, p.rank)
         ORDER BY r.lane, r.rank LIMIT 1) x
     WHERE n < 1000),
packed AS MATERIALIZED (
    SELECT {job_of_pack} FROM pack_lanes w CROSS JOIN LATERAL (
        SELECT * FROM {s}.pack r WHERE r.lane = w.lane AND r.rank = w.rank AND r.id <= $1 ORDER BY r.id DESC LIMIT 16) p
     CROSS JOIN LATERAL {jobs_of_pack} WHERE $1 = ANY (p.ids) AND j.id = $1),
quick AS MATERIALIZED (
    SELECT e.* FROM elsewhere e
    UNION ALL SELECT {job}, 'w', NULL, NULL, NULL, NULL FROM single
    UNION ALL SELECT {job}, 'w', NULL, NULL, NULL, NULL FROM packed),
miss AS MATERIALIZED (
    SELECT (SELECT count(*) FROM lanes) AS steps
     WHERE NOT EXISTS (SELECT FROM quick) AND NOT EXISTS (SELECT FROM known)),
unended AS MATERIALIZED (
    SELECT q.* FROM quick q
    UNION ALL
    SELECT {job}, 'w', NULL, NULL, NULL, NULL FROM miss m CROSS JOIN LATERAL (
        SELECT {job} FROM {s}.ready WHERE m.steps >= 1000 AND id = $1 OFFSET 0) r WHERE m.steps >= 1000
    UNION ALL
    SELECT {job}, 'w', NULL, NULL, NULL, NULL FROM miss m CROSS JOIN LATERAL (
        SELECT {job_of_pack} FROM {s}.pack p CROSS JOIN LATERAL {jobs_of_pack}
         WHERE m.steps >= 0 AND p.id <= $1 AND $1 = ANY (p.ids) AND j.id = $1 OFFSET 0) r),
found AS (
    SELECT u.*, NULL::text AS how FROM unended u
    UNION ALL
    SELECT {job}, 'e', NULL, NULL, NULL, reason, how FROM (
        SELECT {job_that_ended}, o.reason, o.kind::text AS how
          FROM {s}.outcome o WHERE o.id = $1 AND NOT EXISTS (SELECT FROM unended)) o),
named AS (
    SELECT f.*, a.queue, a.entrypoint, a.version, w.host, w.pid
      FROM found f JOIN {s}.lane a ON a.id = f.lane LEFT JOIN {s}.worker w ON w.id = f.worker LIMIT 1)
SELECT {answered_job}, state, queue, entrypoint, version, run_at, since, worker, host, pid,
       coalesce((SELECT waits_for FROM known), 0), coalesce(reason, ''), how FROM named)",
                                false};

}  // namespace pgq::statement
