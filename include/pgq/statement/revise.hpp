#pragma once

#include <pgq/protocol/revision.hpp>
#include <pgq/statement/joined.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

#include <string_view>

namespace pgq::statement {

namespace revise_text {

// The lease $1 of worker $2, while job $3 is in it.
inline constexpr std::string_view in_lease = R"( l.id = $1 AND l.worker = $2 AND $3 = ANY (l.ids)
   AND (l.done IS NULL OR get_bit(l.done, array_position(l.ids, $3) - 1) = 0))";

inline constexpr std::string_view body = "UPDATE {s}.lease l SET bodies[array_position(ids, $3)] = $4 WHERE";
inline constexpr std::string_view returning_id = " RETURNING id";

inline constexpr std::string_view mine = R"(
WITH mine AS MATERIALIZED (
    SELECT l.id, l.lane, coalesce(l.ranks[array_position(l.ids, $3)], l.ranks[1]) AS rank,
           coalesce(l.flags[array_position(l.ids, $3)], 0) & 1 = 1 AS known
      FROM {s}.lease l WHERE)";
inline constexpr std::string_view progress = R"( FOR NO KEY UPDATE),
marked AS (
    UPDATE {s}.lease l SET flags = (
        SELECT array_agg(CASE WHEN j.id = $3 THEN (coalesce(l.flags[j.o], 0) | 1)::int2 ELSE l.flags[j.o] END
            ORDER BY j.o)
          FROM unnest(l.ids) WITH ORDINALITY j(id, o))
      FROM mine WHERE l.id = mine.id AND NOT mine.known)
INSERT INTO {s}.tracked AS t (id, lane, rank, progress) SELECT $3, lane, rank, $4 FROM mine
    ON CONFLICT (id) DO UPDATE SET progress = EXCLUDED.progress RETURNING t.id)";

}  // namespace revise_text

/// A new payload of a job in a lease. No row when the job has ended or another worker has it. The row of the lease
/// moves; its worker looks it up again. The server computes the position in the row that it changes, so two jobs of one
/// lease do not undo each other's changes.
inline constexpr query revise_body{"revise_body",
                                   joined<revise_text::body, revise_text::in_lease, revise_text::returning_id>::text};

/// The progress of a job in a lease. The row of the lease moves once, when the job becomes tracked; later it is only
/// locked. The statement finds it by its id, not by its location, so it sees what another session changed while it
/// waited for the lock.
inline constexpr query revise_progress{"revise_progress",
                                       joined<revise_text::mine, revise_text::in_lease, revise_text::progress>::text};

inline constexpr query progress_of{
    "progress_of", "SELECT progress FROM {s}.tracked WHERE id = $1 AND NOT held AND progress IS NOT NULL"};

inline void bind_revision(params& p, const revision& r) {
    p.clear();
    p.number(r.lease).number(r.worker.value).number(r.job.value);
}

}  // namespace pgq::statement
