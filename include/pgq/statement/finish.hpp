#pragma once

#include <pgq/job/exchange.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pgq::statement {

/// Ends whole leases. Ids are never used again, so a place that meanwhile holds another lease matches nothing of ours
/// but what we end anyway. It may hold a later version of the same lease, with flags that its worker has not heard of: of what
/// has not left it those who want to know are told that it is done.
inline constexpr query finish{
    "finish",
    "WITH l AS (DELETE FROM {s}.lease WHERE ctid = ANY ($1) AND id = ANY ($2) AND worker = $3"
    " RETURNING id, flags, CASE WHEN flags IS NOT NULL THEN ids END AS ids,"
    " CASE WHEN flags IS NOT NULL THEN attempts END AS attempts, done),"
    " item AS (SELECT j.id, j.attempts FROM l CROSS JOIN LATERAL unnest(l.ids, l.attempts, l.flags) WITH ORDINALITY"
    " j(id, attempts, flags, o) WHERE l.flags IS NOT NULL AND j.flags & 1 <> 0"
    " AND (l.done IS NULL OR get_bit(l.done, j.o - 1) = 0))"
    " SELECT id, (SELECT {s}.ended(array_agg(i.id), array_agg('d'::\"char\"), array_agg(i.attempts), NULL, NULL)"
    " FROM item i HAVING count(*) > 0) FROM l"};

/// The transaction it is in is on disk when it is committed.
inline constexpr query make_durable{
    "make_durable",
    "SELECT set_config('synchronous_commit', CASE s WHEN 'off' THEN 'on' ELSE s END, true)"
    " FROM current_setting('synchronous_commit') s"};

// Where a lease is that may have moved since the worker heard of it: somebody waits for its jobs, or wants them to stop.
#define PGQ_WHEREVER                                                                                                   \
    " ctid = coalesce((SELECT ctid FROM {s}.lease WHERE ctid = $1 AND id = $2), (SELECT ctid FROM {s}.lease WHERE id " \
    "= $2))"                                                                                                           \
    " AND id = $2 AND worker = $3 "

/// Whether a lease is there; waits for whoever is about to end it.
inline constexpr query still_holds{"still_holds", "SELECT id FROM {s}.lease WHERE" PGQ_WHEREVER "FOR UPDATE"};

/// Fails when there is no such lease (division_by_zero), and so does the transaction it is in; else nobody can end it before that.
inline constexpr query hold_lease{
    "hold_lease", "SELECT 1 / count(*) FROM (SELECT id FROM {s}.lease WHERE" PGQ_WHEREVER "FOR UPDATE) held"};

/// Notes which jobs of a lease have left it; the row moves. What is done to a lease without flags is not done to one that has got
/// some: its worker shall hear of them first.
inline constexpr query mark{"mark",
                            "UPDATE {s}.lease SET done = $4 WHERE ctid = $1 AND id = $2 AND worker = $3"
                            " AND flags IS NULL RETURNING id, ctid"};
inline constexpr query mark_flagged{
    "mark_flagged", "UPDATE {s}.lease SET done = $4 WHERE ctid = $1 AND id = $2 AND worker = $3 RETURNING id, ctid"};

#undef PGQ_WHEREVER

inline void bind_leases(params& p, std::span<const lease_ref> leases) {
    p.clear();
    p.tids(leases.size(), [&](std::size_t i) { return leases[i].place; }).int8s(leases.size(), [&](std::size_t i) {
        return leases[i].id;
    });
}

inline void bind_finish(params& p, worker_id worker, std::span<const lease_ref> leases) {
    bind_leases(p, leases);
    p.number(worker.value);
}

}  // namespace pgq::statement
