#pragma once

#include <pgq/protocol/sync.hpp>
#include <pgq/statement/joined.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pgq::statement {

/// Ends whole leases. Answers their ids, and how many jobs could start by that. A lease id is never reused, so a
/// location that holds another lease now matches nothing, unless that lease ends here as well. The location may hold a
/// later version of the lease, with flags that its worker has not received: jobs that have become tracked end as done.
inline constexpr query finish = query{"finish", R"(
WITH l AS (
    DELETE FROM {s}.lease WHERE ctid = ANY ($1) AND id = ANY ($2) AND worker = $3
    RETURNING id, CASE WHEN flags IS NOT NULL THEN ROW(ids, attempts, flags, done)::{s}.lease_end END AS flagged)
SELECT array_agg(id), CASE WHEN count(flagged) > 0 THEN {s}.end_leases(array_agg(flagged)) END FROM l)"}
                                    .as_stored();

/// The commit of its transaction waits for the disk.
inline constexpr query make_durable{"make_durable", R"(
SELECT set_config('synchronous_commit', CASE s WHEN 'off' THEN 'on' ELSE s END, true)
  FROM current_setting('synchronous_commit') s)"};

namespace lease_text {

// Locks a lease. Its row may have moved since the worker received the location: another session waits for a job or
// cancels one.
inline constexpr std::string_view lock = R"(SELECT id FROM {s}.lease
 WHERE ctid = coalesce((SELECT ctid FROM {s}.lease WHERE ctid = $1 AND id = $2),
                       (SELECT ctid FROM {s}.lease WHERE id = $2))
   AND id = $2 AND worker = $3 FOR UPDATE)";
inline constexpr std::string_view exists = "SELECT 1 / count(*) FROM (";
inline constexpr std::string_view end = ") held";
inline constexpr std::string_view mark = R"(UPDATE {s}.lease SET done = $4
 WHERE ctid = $1 AND id = $2 AND worker = $3 AND done IS NOT DISTINCT FROM $5)";
inline constexpr std::string_view unless_flagged = " AND flags IS NULL";
inline constexpr std::string_view marked = " RETURNING id, ctid";

}  // namespace lease_text

/// A row when the worker holds the lease. Waits for a transaction that is about to end it.
inline constexpr query owns_lease{"owns_lease", lease_text::lock};

/// Fails (division_by_zero) with its transaction when the worker does not hold the lease. Otherwise it locks the lease
/// until the end of the transaction.
inline constexpr query hold_lease{"hold_lease", joined<lease_text::exists, lease_text::lock, lease_text::end>::text};

/// Marks jobs that have left a lease; the row moves. $4 is the mask, $5 the former one: the statement does nothing when
/// the lease has another. `mark` does nothing when the lease has got flags since: its worker must receive them first.
inline constexpr query mark =
    query{"mark", joined<lease_text::mark, lease_text::unless_flagged, lease_text::marked>::text}.as_stored();
inline constexpr query mark_flagged =
    query{"mark_flagged", joined<lease_text::mark, lease_text::marked>::text}.as_stored();

inline void bind_leases(params& p, std::span<const lease_ref> leases) {
    p.clear();
    p.tids(leases.size(), [&](std::size_t i) { return leases[i].location; }).int8s(leases.size(), [&](std::size_t i) {
        return leases[i].id;
    });
}

inline void bind_finish(params& p, worker_id worker, std::span<const lease_ref> leases) {
    bind_leases(p, leases);
    p.number(worker.value);
}

}  // namespace pgq::statement
