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

// A settlement takes the jobs out of the lease's own arrays: no payload travels back. The lease is changed or ended by the same
// statement, so a lease that is gone settles nothing. What had left the lease before is not settled twice: the answer to the
// first time may have been lost with the connection.
#define PGQ_SETTLE_ITEMS(flags, kind, columns)                                                          \
    "item AS (SELECT l.lane, j.id, j.rank, j.body, h.head, h.key, " flags " AS flags, " kind            \
    " AS kind, k.delay, k.reason" columns                                                               \
    ", (CASE WHEN k.kind = 's' THEN greatest(j.attempts - 1, 0) ELSE j.attempts END)::int2 AS attempts" \
    " FROM l CROSS JOIN LATERAL unnest(l.ids, l.ranks, l.attempts, l.bodies) WITH ORDINALITY"           \
    " j(id, rank, attempts, body, o)"
#define PGQ_SETTLE_JOIN                                                                                            \
    " k.o = j.o AND (l.was IS NULL OR get_bit(l.was, j.o - 1) = 0)"                                                \
    " CROSS JOIN LATERAL (SELECT CASE WHEN l.headers IS NOT NULL THEN l.headers[j.o] END AS head, l.keys[j.o] AS " \
    "key) h),"
#define PGQ_SETTLE_TAIL                                                                                               \
    " back AS (INSERT INTO {s}.ready (id, rank, lane, attempts, flags, headers, key, body)"                           \
    " SELECT id, rank, lane, attempts, flags, head, key, body FROM item WHERE kind IN ('r', 's') AND delay <= 0),"    \
    " later AS (INSERT INTO {s}.deferred (run_at, kind, id, rank, lane, attempts, reason, flags, headers, key, body)" \
    " SELECT CASE WHEN kind = 'h' THEN 'infinity' ELSE statement_timestamp() + delay * interval '1 microsecond' END," \
    " CASE WHEN kind = 's' THEN 'd' ELSE kind END, id, rank, lane, attempts, nullif(reason, ''), flags, head, key,"   \
    " body FROM item WHERE kind = 'h' OR kind IN ('r', 's') AND delay > 0),"                                          \
    " failed AS (INSERT INTO {s}.failure (id, lane, attempt, reason)"                                                 \
    " SELECT id, lane, attempts, reason FROM item WHERE kind IN ('r', 'h') AND reason <> '')"                         \
    " SELECT id, place, CASE WHEN EXISTS (SELECT FROM item WHERE kind IN ('r', 's')) THEN"                            \
    " set_config('pgq.lanes', concat_ws(',', nullif(current_setting('pgq.lanes', true), ''), lane::text), false) END"
#define PGQ_SETTLE_PLAIN                         \
    PGQ_SETTLE_ITEMS("NULL::int2", "k.kind", "") \
    " JOIN unnest($5, $6, $7, $8) k(o, kind, delay, reason) ON" PGQ_SETTLE_JOIN PGQ_SETTLE_TAIL " FROM l"
// What is asked to stop does not go back. What somebody wants to know the end of has consequences.
#define PGQ_SETTLE_FLAGGED                                                                                           \
    PGQ_SETTLE_ITEMS("(l.flags[j.o] & 1)::int2",                                                                     \
                     "CASE WHEN l.flags[j.o] & 2 <> 0 AND k.kind IN ('r', 's') THEN 'c' ELSE k.kind END",            \
                     ", k.result")                                                                                   \
    " JOIN unnest($5, $6, $7, $8, $9) k(o, kind, delay, reason, result) ON" PGQ_SETTLE_JOIN PGQ_SETTLE_TAIL          \
    ", (SELECT {s}.ended(array_agg(id), array_agg(kind), array_agg(attempts), array_agg(reason), array_agg(result))" \
    " FROM item WHERE flags & 1 <> 0 AND kind IN ('d', 'x', 'c', 'h') HAVING count(*) > 0) FROM l"
#define PGQ_SETTLE_MARK(also)                                                                      \
    "WITH l AS (UPDATE {s}.lease e SET done = $4 FROM"                                             \
    " (SELECT ctid AS place, done FROM {s}.lease WHERE ctid = $1 AND id = $2 AND worker = $3" also \
    " FOR UPDATE) o"                                                                               \
    " WHERE e.ctid = o.place RETURNING e.*, e.ctid AS place, o.done AS was), "
#define PGQ_SETTLE_END(also)                                                        \
    "WITH l AS (DELETE FROM {s}.lease WHERE ctid = $1 AND id = $2 AND worker = $3 " \
    "AND $4 IS NOT NULL" also " RETURNING *, ctid AS place, done AS was), "

/// $1, $2, $3 place, id and worker of the lease, $4 the mask, $5 positions from 1, $6 kinds, $7 delays in microseconds, $8 reasons.
/// The lane is noted for `wake_noted`.
inline constexpr query settle{"settle", PGQ_SETTLE_MARK(" AND flags IS NULL") PGQ_SETTLE_PLAIN};

/// The same when nothing is left in the lease afterwards ($4 is not needed, but keeps the parameters alike).
inline constexpr query settle_last{"settle_last", PGQ_SETTLE_END(" AND flags IS NULL") PGQ_SETTLE_PLAIN};

/// For leases of which jobs have flags; $9 results.
inline constexpr query settle_flagged{"settle_flagged", PGQ_SETTLE_MARK("") PGQ_SETTLE_FLAGGED};
inline constexpr query settle_flagged_last{"settle_flagged_last", PGQ_SETTLE_END("") PGQ_SETTLE_FLAGGED};

/// The same for a lease that is held, wherever it is.
inline constexpr query settle_held{"settle_held",
                                   "WITH l AS (DELETE FROM {s}.lease WHERE" PGQ_WHEREVER
                                   "AND $4 IS NOT NULL RETURNING *, ctid AS place, done AS was), " PGQ_SETTLE_FLAGGED};

#undef PGQ_WHEREVER
#undef PGQ_SETTLE_ITEMS
#undef PGQ_SETTLE_JOIN
#undef PGQ_SETTLE_TAIL
#undef PGQ_SETTLE_PLAIN
#undef PGQ_SETTLE_FLAGGED
#undef PGQ_SETTLE_MARK
#undef PGQ_SETTLE_END

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

inline const query& progress_query(const lease_progress& g) noexcept {
    if (g.items.empty()) return g.last ? finish : g.flagged ? mark_flagged : mark;
    if (g.flagged) return g.last ? settle_flagged_last : settle_flagged;
    return g.last ? settle_last : settle;
}

inline void bind_progress(params& p, worker_id worker, const lease_progress& g) {
    if (g.items.empty() && g.last) return bind_finish(p, worker, {&g.ref, 1});
    p.clear();
    p.tid(g.ref.place).number(g.ref.id).number(worker.value).bytes(g.mask);
    if (g.items.empty()) return;
    const std::size_t n = g.items.size();
    const auto micros = [&](std::size_t i) {
        return std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(g.items[i].delay).count()};
    };
    p.int8s(n, [&](std::size_t i) { return std::int64_t{g.items[i].index} + 1; })
        .array(wire::char_array, wire::char_oid, n,
               [&](std::string& out, std::size_t i) { out += static_cast<char>(g.items[i].kind); })
        .int8s(n, micros)
        .texts(n, [&](std::size_t i) { return g.items[i].reason; });
    if (g.flagged) p.byteas_or_null(n, [&](std::size_t i) { return g.items[i].result; });
}

}  // namespace pgq::statement
