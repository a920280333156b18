#pragma once

#include <pgq/job/admin.hpp>
#include <pgq/job/id.hpp>
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

/// One heartbeat, and whether somebody else looks dead.
inline constexpr query beat{"beat", R"(
WITH mine AS (UPDATE {s}.worker SET beat = now() WHERE id = $1 RETURNING 1)
SELECT (SELECT count(*) FROM mine),
       EXISTS (SELECT FROM {s}.worker WHERE id <> $1 AND beat < now() - lease_time)
    OR EXISTS (SELECT FROM {s}.lease l WHERE NOT EXISTS (SELECT FROM {s}.worker w WHERE w.id = l.worker)),
       EXISTS (SELECT FROM {s}.lease l WHERE l.worker = $1 AND l.flags && '{2,3}'))"};

/// Is rid of dead rows that VACUUM has to leave, when there are many; see sql/0004_compact.sql.
inline constexpr query compact{"compact", "SELECT {s}.compact()"};

/// Declares workers dead, under their row lock. Then `rescue_leases`, in the same transaction.
inline constexpr query bury_workers{"bury_workers", R"(
DELETE FROM {s}.worker WHERE id = ANY (ARRAY(
    SELECT id FROM {s}.worker WHERE beat < now() - lease_time ORDER BY id FOR UPDATE SKIP LOCKED)))"};

// Jobs of ended leases go back, but not those that were asked to stop, nor those without attempts left; who waits for these is told.
#define PGQ_RETURN_LEASES(counted, exhausted)                                                                        \
    " item AS (SELECT l.lane, j.id, j.rank, j.body, " counted                                                        \
    " AS attempts, (l.flags[j.o] & 1)::int2 AS flags, l.keys[j.o] AS key,"                                           \
    " CASE WHEN l.headers IS NOT NULL THEN l.headers[j.o] END AS head,"                                              \
    " CASE WHEN l.flags[j.o] & 2 <> 0 THEN 'c' WHEN " exhausted                                                      \
    " THEN 'h' ELSE 'r' END::\"char\" AS kind"                                                                       \
    " FROM l CROSS JOIN LATERAL unnest(l.ids, l.ranks, l.attempts, l.bodies) WITH ORDINALITY"                        \
    " j(id, rank, attempts, body, o)"                                                                                \
    " WHERE l.done IS NULL OR get_bit(l.done, j.o - 1) = 0),"                                                        \
    " back AS (INSERT INTO {s}.ready (id, rank, lane, attempts, flags, headers, key, body)"                          \
    " SELECT id, rank, lane, attempts, flags, head, key, body FROM item WHERE kind = 'r' RETURNING lane),"           \
    " kept AS (INSERT INTO {s}.deferred (run_at, kind, id, rank, lane, attempts, reason, flags, headers, key, body)" \
    " SELECT 'infinity', 'h', id, rank, lane, attempts, 'its worker died', flags, head, key, body"                   \
    " FROM item WHERE kind = 'h' RETURNING id, lane, attempts),"                                                     \
    " failed AS (INSERT INTO {s}.failure (id, lane, attempt, reason)"                                                \
    " SELECT id, lane, attempts, 'its worker died' FROM kept)"                                                       \
    " SELECT (SELECT count(*) FROM back), (SELECT count(*) FROM kept), (SELECT array_agg(DISTINCT lane) FROM item)," \
    " (SELECT {s}.ended(array_agg(id), array_agg(kind), array_agg(attempts),"                                        \
    " array_agg(CASE kind WHEN 'h' THEN 'its worker died' END), NULL)"                                               \
    " FROM item WHERE flags & 1 <> 0 AND kind <> 'r' HAVING count(*) > 0)"

/// Gives back what belongs to no worker: what the buried ones held, and what a zombie claimed after its burial. A lease whose
/// worker registered before is never seen without it, so no living worker's lease is taken.
inline constexpr query rescue_leases{
    "rescue_leases",
    "WITH l AS (DELETE FROM {s}.lease e WHERE NOT EXISTS (SELECT FROM {s}.worker w WHERE w.id = e.worker) RETURNING "
    "*)," PGQ_RETURN_LEASES("j.attempts", "j.attempts >= l.max_attempts")};

/// Everything a worker holds, as if it had never been claimed.
inline constexpr query give_back_all{
    "give_back_all", "WITH l AS (DELETE FROM {s}.lease WHERE worker = $1 RETURNING *)," PGQ_RETURN_LEASES(
                         "greatest(j.attempts - 1, 0)::int2", "false")};
/// The same for some leases, wherever they have moved.
inline constexpr query give_back{"give_back",
                                 "WITH l AS (DELETE FROM {s}.lease WHERE id = ANY ($1) RETURNING *)," PGQ_RETURN_LEASES(
                                     "greatest(j.attempts - 1, 0)::int2", "false")};

#undef PGQ_RETURN_LEASES

inline constexpr query unregister{"unregister", "DELETE FROM {s}.worker WHERE id = $1"};
inline constexpr query leases_of{"leases_of", "SELECT id, ctid, flags FROM {s}.lease WHERE worker = $1"};

inline void bind_register(params& p, const worker_info& w) {
    p.clear();
    p.number(std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(w.lease_time).count()})
        .text(w.host)
        .number(w.pid)
        .text(w.version)
        .int4s(w.lanes.size(), [&](std::size_t i) { return w.lanes[i].value; });
}

}  // namespace pgq::statement
