#pragma once

#include <pgq/job/revision.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

namespace pgq::statement {

// What a worker holds of a job: no row when another has it, or it has ended. $1 lease, $2 worker, $3 job.
#define PGQ_IN_HAND(l)                                                                            \
    l "id = $1 AND " l "worker = $2 AND $3 = ANY (" l "ids) AND (" l "done IS NULL OR get_bit(" l \
      "done, array_position(" l "ids, $3) - 1) = 0)"

/// A new payload; the row moves, and its worker finds it again. The place in the array is looked up in the row as it is when
/// it is changed, so two jobs of one lease do not undo each other's.
inline constexpr query revise_body{
    "revise_body", "UPDATE {s}.lease SET bodies[array_position(ids, $3)] = $4 WHERE " PGQ_IN_HAND("") " RETURNING id"};

/// How far a job is. The lease's row is only locked, and moves no more than once: when the job was not tracked before. It is found by
/// its id then and not by its place, so that what was changed while we waited for the lock is seen.
inline constexpr query revise_progress{
    "revise_progress",
    "WITH mine AS MATERIALIZED (SELECT l.id, l.lane, l.ranks[array_position(l.ids, $3)] AS rank,"
    " coalesce(l.flags[array_position(l.ids, $3)], 0) & 1 = 1 AS known FROM {s}.lease l WHERE " PGQ_IN_HAND("l.")
    " FOR NO KEY UPDATE),"
    " marked AS (UPDATE {s}.lease l SET flags = (SELECT array_agg(CASE WHEN j.id = $3 THEN"
    " (coalesce(l.flags[j.o], 0) | 1)::int2 ELSE l.flags[j.o] END ORDER BY j.o)"
    " FROM unnest(l.ids) WITH ORDINALITY j(id, o)) FROM mine WHERE l.id = mine.id AND NOT mine.known)"
    " INSERT INTO {s}.tracked AS t (id, lane, rank, progress) SELECT $3, lane, rank, $4 FROM mine"
    " ON CONFLICT (id) DO UPDATE SET progress = EXCLUDED.progress RETURNING t.id"};

#undef PGQ_IN_HAND

inline constexpr query progress_of{
    "progress_of", "SELECT progress FROM {s}.tracked WHERE id = $1 AND NOT held AND progress IS NOT NULL"};

inline void bind_revision(params& p, const revision& r) {
    p.clear();
    p.number(r.lease).number(r.worker.value).number(r.job.value);
}

}  // namespace pgq::statement
