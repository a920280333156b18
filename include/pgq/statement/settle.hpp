#pragma once

#include <pgq/protocol/sync.hpp>
#include <pgq/statement/finish.hpp>
#include <pgq/statement/joined.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/statement/wire.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pgq::statement {

// A settlement takes the jobs from the arrays of the lease, so no payload travels back. The same statement changes or
// ends the lease, so it does nothing when the lease is gone. A job that had left the lease is not settled again: the
// answer to the first time may have been lost with the connection.
namespace settle_text {

inline constexpr std::string_view change = R"(
WITH l AS (
    UPDATE {s}.lease e SET done = $4
      FROM (SELECT ctid AS place, done FROM {s}.lease
             WHERE ctid = $1 AND id = $2 AND worker = $3 AND done IS NOT DISTINCT FROM $5)";
inline constexpr std::string_view unless_flagged = " AND flags IS NULL";
inline constexpr std::string_view changed = R"( FOR UPDATE) o
     WHERE e.ctid = o.place RETURNING e.*, e.ctid AS place, o.done AS was),)";

// Wherever the row is: it may have moved since the worker received its location.
inline constexpr std::string_view end_held = R"(
WITH l AS (
    DELETE FROM {s}.lease
     WHERE ctid = coalesce((SELECT ctid FROM {s}.lease WHERE ctid = $1 AND id = $2),
                           (SELECT ctid FROM {s}.lease WHERE id = $2))
       AND id = $2 AND worker = $3 AND done IS NOT DISTINCT FROM $5 AND $4 IS NOT NULL
    RETURNING *, ctid AS place, done AS was),)";

inline constexpr std::string_view plain_items = R"(
item AS (
    SELECT {job_of_lease}, NULL::int2 AS flags, k.kind, k.delay, k.reason,
           (CASE WHEN k.kind = 's' THEN greatest(j.attempts - 1, 0) ELSE j.attempts END)::int2 AS attempts
      FROM l CROSS JOIN LATERAL {jobs_of_lease}
      JOIN unnest($6, $7, $8, $9) k(o, kind, delay, reason)
        ON k.o = j.o AND (l.was IS NULL OR get_bit(l.was, j.o - 1) = 0)),)";
// A job that is asked to stop does not go back. The end of a tracked job has consequences. A job that has not run keeps
// what is known of its crashes.
inline constexpr std::string_view flagged_items = R"(
item AS (
    SELECT {job_of_lease}, (l.flags[j.o] & CASE WHEN k.kind IN ('s', 'e') THEN 125 ELSE 1 END)::int2 AS flags,
           CASE WHEN l.flags[j.o] & 2 <> 0 AND k.kind IN ('r', 's', 'e') THEN 'c'
                WHEN k.kind = 'e' THEN {s}.end_of_expired(j.id) ELSE k.kind END AS kind,
           k.delay, k.reason, k.result,
           (CASE WHEN k.kind IN ('s', 'e') THEN greatest(j.attempts - 1, 0) ELSE j.attempts END)::int2 AS attempts
      FROM l CROSS JOIN LATERAL {jobs_of_lease}
      JOIN unnest($6, $7, $8, $9, $10) k(o, kind, delay, reason, result)
        ON k.o = j.o AND (l.was IS NULL OR get_bit(l.was, j.o - 1) = 0)),)";

// For many leases an array leads from a job to its item. A join would let the planner choose, and it cannot know how
// many rows there are. Payloads are read only for leases of which jobs go back.
inline constexpr std::string_view ends = R"(
WITH l AS (
    DELETE FROM {s}.lease WHERE ctid = ANY ($1) AND id = ANY ($2) AND worker = $3 AND (flags IS NULL OR id = ANY ($4))
       AND done IS NOT DISTINCT FROM $12[array_position($2, id)]
    RETURNING id, lane, done, {lease_arrays}, $5[array_position($2, id)] AS start,
              CASE WHEN $6[array_position($2, id)] THEN bodies END AS bodies),
item AS (
    SELECT {job_of_leases}, (j.flags & CASE WHEN $8[n.n] IN ('s', 'e') THEN 125 ELSE 1 END)::int2 AS flags,
           CASE WHEN n.n = 0 THEN 'd' WHEN j.flags & 2 <> 0 AND $8[n.n] IN ('r', 's', 'e') THEN 'c'
                WHEN $8[n.n] = 'e' THEN {s}.end_of_expired(j.id) ELSE $8[n.n] END AS kind,
           $9[n.n] AS delay, $10[n.n] AS reason, $11[n.n] AS result,
           (CASE WHEN $8[n.n] IN ('s', 'e') THEN greatest(j.attempts - 1, 0) ELSE j.attempts END)::int2 AS attempts
      FROM l CROSS JOIN LATERAL {jobs_of_leases}
     CROSS JOIN LATERAL (SELECT CASE WHEN l.start < 0 THEN 0 ELSE $7[(l.start + j.o)::int4] END AS n) n
     WHERE (l.done IS NULL OR get_bit(l.done, j.o - 1) = 0) AND (n.n > 0 OR j.flags & 1 <> 0)),)";

inline constexpr std::string_view moves = R"(
back AS (INSERT INTO {s}.ready ({job}) SELECT {job} FROM item WHERE kind IN ('r', 's') AND delay <= 0),
later AS (
    INSERT INTO {s}.deferred ({deferred})
    SELECT CASE WHEN kind = 'h' THEN 'infinity' ELSE statement_timestamp() + delay * interval '1 microsecond' END,
           CASE WHEN kind = 's' THEN 'd' ELSE kind END, nullif(reason, ''), {job}
      FROM item WHERE kind = 'h' OR kind IN ('r', 's') AND delay > 0),
failed AS (
    INSERT INTO {s}.failure (id, lane, attempt, reason)
    SELECT id, lane, attempts, reason FROM item i WHERE kind IN ('r', 'h') AND reason <> '' AND attempts > 0
       AND (SELECT a.keep_failures > '0' FROM {s}.lane a WHERE a.id = i.lane) IS NOT FALSE))";

inline constexpr std::string_view answer = R"(
SELECT id, place, CASE WHEN EXISTS (SELECT FROM item WHERE kind IN ('r', 's')) THEN
       set_config('pgq.wake_lanes', concat_ws(',', nullif(current_setting('pgq.wake_lanes', true), ''), lane::text),
                  current_setting('pgq.stateless', true) = 'on') END)";
inline constexpr std::string_view answer_of_many = R"(
SELECT (SELECT array_agg(id) FROM l),
       (SELECT set_config('pgq.wake_lanes', concat_ws(',', nullif(current_setting('pgq.wake_lanes', true), ''),
                                                 string_agg(DISTINCT lane::text, ',')),
                          current_setting('pgq.stateless', true) = 'on')
          FROM item WHERE kind IN ('r', 's') HAVING count(*) > 0))";
inline constexpr std::string_view consequences = R"(,
       (SELECT {s}.end_tracked(array_agg(id), array_agg(kind), array_agg(attempts), array_agg(reason),
                                array_agg(result))
          FROM item WHERE flags & 1 <> 0 AND kind IN ('d', 'x', 'c', 'h', 'e') HAVING count(*) > 0))";
inline constexpr std::string_view from_lease = " FROM l";

}  // namespace settle_text

/// Settles jobs of a lease that stays. $1, $2, $3 are its location, id and worker, $4 the mask, $5 the former mask, $6
/// positions from 1, $7 kinds, $8 delays in microseconds, $9 reasons. Adds the lane for `wake_collected`.
inline constexpr query settle =
    query{"settle",
          joined<settle_text::change, settle_text::unless_flagged, settle_text::changed, settle_text::plain_items,
                 settle_text::moves, settle_text::answer, settle_text::from_lease>::text}
        .as_stored();

/// The same for a lease whose jobs have flags; $10 are results.
inline constexpr query settle_flagged =
    query{"settle_flagged",
          joined<settle_text::change, settle_text::changed, settle_text::flagged_items, settle_text::moves,
                 settle_text::answer, settle_text::consequences, settle_text::from_lease>::text}
        .as_stored();

/// Ends a lease, wherever its row is. The parameters are the same; $4 is not used.
inline constexpr query settle_held{
    "settle_held", joined<settle_text::end_held, settle_text::flagged_items, settle_text::moves, settle_text::answer,
                          settle_text::consequences, settle_text::from_lease>::text};

/// Ends leases of which not all jobs are simply done. $1, $2, $3 are locations, ids and the worker, $4 the ids of
/// leases whose jobs have flags. The jobs of lease number k have the items $7[$5[k] + 1] and so on, none when $5[k] is
/// negative, and need their payloads when $6[k]. Item n has the kind $8[n], the delay $9[n], the reason $10[n] and the
/// result $11[n]; item 0 is a job that is done. All other jobs in a lease are done, too. $12 are the former masks.
/// Answers with the ids of the leases that have ended.
inline constexpr query settle_ends =
    query{"settle_ends",
          joined<settle_text::ends, settle_text::moves, settle_text::answer_of_many, settle_text::consequences>::text}
        .as_stored();

/// Marks the job at position $3, counted from 1, of the lease $1 of worker $2: it begins, and nothing else of that
/// worker.
inline constexpr query begin_alone{"begin_alone", R"(
UPDATE {s}.lease SET flags[$3] = coalesce(flags[$3], 0) | 128
 WHERE ctid = (SELECT ctid FROM {s}.lease WHERE id = $1) AND id = $1 AND worker = $2 RETURNING id, ctid)"};

namespace detail {

inline std::int64_t micros_until(const settlement& s) noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(s.delay).count();
}

/// As a lease row has it: null while all its jobs are there.
inline std::optional<std::string_view> former_mask(const lease_progress& g) noexcept {
    return g.left.empty() ? std::nullopt : std::optional{g.left};
}

}  // namespace detail

/// The statement for a lease that stays.
inline const query& progress_query(const lease_progress& g) noexcept {
    if (g.items.empty()) return g.flagged ? mark_flagged : mark;
    return g.flagged ? settle_flagged : settle;
}

/// For `progress_query` and `settle_held`.
inline void bind_progress(params& p, worker_id worker, const lease_progress& g) {
    p.clear();
    p.tid(g.ref.location).number(g.ref.id).number(worker.value).bytes(g.mask);
    if (const auto former = detail::former_mask(g)) p.bytes(*former);
    else p.null(wire::bytea_oid);
    if (g.items.empty()) return;
    const std::size_t n = g.items.size();
    p.int8s(n, [&](std::size_t i) { return std::int64_t{g.items[i].index} + 1; })
        .letters(n, [&](std::size_t i) { return g.items[i].kind; })
        .int8s(n, [&](std::size_t i) { return detail::micros_until(g.items[i]); })
        .texts(n, [&](std::size_t i) { return g.items[i].reason; });
    if (g.flagged) p.byteas_or_null(n, [&](std::size_t i) { return g.items[i].result; });
}

/// For `settle_ends`; all of them end.
inline void bind_ends(params& p, worker_id worker, std::span<const lease_progress* const> leases) {
    std::vector<const settlement*> items;
    std::vector<std::int32_t> starts, numbers;
    std::vector<std::int64_t> flagged;
    std::vector<bool> moves;
    for (const lease_progress* g : leases) {
        const auto start = numbers.size();
        starts.push_back(g->items.empty() ? -1 : static_cast<std::int32_t>(start));
        moves.push_back(false);
        if (g->flagged) flagged.push_back(g->ref.id);
        if (!g->items.empty()) numbers.resize(start + 8 * g->mask.size());
        for (const settlement& s : g->items) {
            items.push_back(&s);
            numbers[start + s.index] = static_cast<std::int32_t>(items.size());
            moves.back() = moves.back() || keeps_job(s.kind);
        }
    }
    const std::size_t n = leases.size();
    p.clear();
    p.tids(n, [&](std::size_t i) { return leases[i]->ref.location; })
        .int8s(n, [&](std::size_t i) { return leases[i]->ref.id; })
        .number(worker.value)
        .int8s(flagged.size(), [&](std::size_t i) { return flagged[i]; })
        .int4s(n, [&](std::size_t i) { return starts[i]; })
        .bools(n, [&](std::size_t i) { return moves[i]; })
        .int4s(numbers.size(), [&](std::size_t i) { return numbers[i]; })
        .letters(items.size(), [&](std::size_t i) { return items[i]->kind; })
        .int8s(items.size(), [&](std::size_t i) { return detail::micros_until(*items[i]); })
        .texts(items.size(), [&](std::size_t i) { return items[i]->reason; })
        .byteas_or_null(items.size(), [&](std::size_t i) { return items[i]->result; })
        .byteas_or_null(n, [&](std::size_t i) { return detail::former_mask(*leases[i]); });
}

}  // namespace pgq::statement
