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
    OR EXISTS (SELECT FROM {s}.lease l WHERE NOT EXISTS (SELECT FROM {s}.worker w WHERE w.id = l.worker)))"};

/// Declares workers dead, under their row lock. Then `rescue_leases`, in the same transaction.
inline constexpr query bury_workers{"bury_workers", R"(
DELETE FROM {s}.worker WHERE id = ANY (ARRAY(
    SELECT id FROM {s}.worker WHERE beat < now() - lease_time ORDER BY id FOR UPDATE SKIP LOCKED)))"};

/// Gives back what belongs to no worker: what the buried ones held, and what a zombie claimed after its burial. A lease whose
/// worker registered before is never seen without it, so no living worker's lease is taken.
inline constexpr query rescue_leases{"rescue_leases", R"(
WITH l AS (
    DELETE FROM {s}.lease e WHERE NOT EXISTS (SELECT FROM {s}.worker w WHERE w.id = e.worker) RETURNING *),
item AS (
    SELECT l.lane, l.max_attempts, j.id, j.rank, j.attempts, j.body,
           CASE WHEN l.headers IS NOT NULL THEN l.headers[j.o] END AS head, l.keys[j.o] AS key
      FROM l CROSS JOIN LATERAL unnest(l.ids, l.ranks, l.attempts, l.bodies) WITH ORDINALITY
           j(id, rank, attempts, body, o)
     WHERE l.done IS NULL OR get_bit(l.done, j.o - 1) = 0),
back AS (
    INSERT INTO {s}.ready (id, rank, lane, attempts, headers, key, body)
    SELECT id, rank, lane, attempts, head, key, body FROM item WHERE attempts < max_attempts RETURNING lane),
kept AS (
    INSERT INTO {s}.deferred (run_at, kind, id, rank, lane, attempts, reason, headers, key, body)
    SELECT 'infinity', 'h', id, rank, lane, attempts, 'its worker died', head, key, body
      FROM item WHERE attempts >= max_attempts RETURNING 1)
SELECT (SELECT count(*) FROM back), (SELECT count(*) FROM kept),
       (SELECT array_agg(DISTINCT lane) FROM item))"};

#define PGQ_GIVE_BACK_TAIL                                                                         \
    " RETURNING *), back AS (INSERT INTO {s}.ready (id, rank, lane, attempts, headers, key, body)" \
    " SELECT j.id, j.rank, l.lane, greatest(j.attempts - 1, 0)::int2,"                             \
    " CASE WHEN l.headers IS NOT NULL THEN l.headers[j.o] END, l.keys[j.o], j.body"                \
    " FROM l CROSS JOIN LATERAL unnest(l.ids, l.ranks, l.attempts, l.bodies) WITH ORDINALITY"      \
    " j(id, rank, attempts, body, o)"                                                              \
    " WHERE l.done IS NULL OR get_bit(l.done, j.o - 1) = 0 RETURNING lane)"                        \
    " SELECT array_agg(DISTINCT lane) FROM back"

/// Everything a worker holds, as if it had never been claimed.
inline constexpr query give_back_all{"give_back_all",
                                     "WITH l AS (DELETE FROM {s}.lease WHERE worker = $1" PGQ_GIVE_BACK_TAIL};
/// The same for some leases.
inline constexpr query give_back{
    "give_back", "WITH l AS (DELETE FROM {s}.lease WHERE ctid = ANY ($1) AND id = ANY ($2)" PGQ_GIVE_BACK_TAIL};

#undef PGQ_GIVE_BACK_TAIL

inline constexpr query unregister{"unregister", "DELETE FROM {s}.worker WHERE id = $1"};
inline constexpr query leases_of{"leases_of", "SELECT id, ctid FROM {s}.lease WHERE worker = $1"};

inline void bind_register(params& p, const worker_info& w) {
    p.clear();
    p.number(std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(w.lease_time).count()})
        .text(w.host)
        .number(w.pid)
        .text(w.version)
        .int4s(w.lanes.size(), [&](std::size_t i) { return w.lanes[i].value; });
}

}  // namespace pgq::statement
