#pragma once

#include <pgq/job/filter.hpp>
#include <pgq/statement/claim.hpp>
#include <pgq/statement/joined.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/statement/wire.hpp>

#include <cstdint>
#include <string_view>

/// Claims from lanes with packs. See docs/design/packs.md; statement/enqueue.hpp makes packs.
namespace pgq::statement {

namespace claim_text {

// Single jobs and packs in one order. `share` counts the single jobs among the best $4, and `best` locks them. Packs
// fill the room that is left. `back` puts jobs back for which there is no room. `more` replaces jobs that other
// sessions had locked, as in claim_many. Of a paused lane `one` and `many` are empty, and so is the rest.
inline constexpr std::string_view singles = R"(
WITH one AS MATERIALIZED (
    SELECT rank, id FROM {s}.ready WHERE lane = $1 AND (rank, id) > ($2, $3))";
inline constexpr std::string_view and_packs = R"( ORDER BY rank, id LIMIT $4),
many AS MATERIALIZED (
    SELECT rank, id, n, sum(n) OVER (ORDER BY rank, id) - n AS before
      FROM (SELECT rank, id, n FROM {s}.pack WHERE lane = $1)";
inline constexpr std::string_view both_in_order = R"( ORDER BY rank, id LIMIT $4 / 10 + 8) p),
share AS MATERIALIZED (
    SELECT count(*) AS n FROM (
        SELECT single, sum(n) OVER (ORDER BY rank, id) - n AS before
          FROM (SELECT rank, id, 1 AS n, true AS single FROM one UNION ALL SELECT rank, id, n, false FROM many) e) e
     WHERE single AND before < $4),
best AS MATERIALIZED (
    SELECT ctid AS place FROM {s}.ready WHERE lane = $1 AND (rank, id) > ($2, $3)
     ORDER BY rank, id LIMIT (SELECT n FROM share) FOR UPDATE SKIP LOCKED),
room AS MATERIALIZED (SELECT $4 - count(*) AS n FROM best),
whole AS (
    DELETE FROM {s}.pack WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {s}.pack WHERE lane = $1 ORDER BY rank, id
         LIMIT (SELECT count(*) FROM many WHERE before < (SELECT n FROM room)) FOR UPDATE SKIP LOCKED))
    RETURNING {pack}),
cut AS MATERIALIZED (
    SELECT {pack}, greatest(0, least(n, (SELECT n FROM room) - before))::int4 AS take
      FROM (SELECT {pack}, sum(n) OVER (ORDER BY rank, id) - n AS before FROM whole) p),
back AS (
    INSERT INTO {s}.pack ({pack})
    SELECT {pack_rest} FROM cut WHERE take < n),
more AS MATERIALIZED (
    SELECT ctid AS place FROM {s}.ready
     WHERE lane = $1 AND (rank, id) > ($2, $3) AND ctid <> ALL (ARRAY(SELECT place FROM best))
     ORDER BY rank, id
     LIMIT CASE WHEN (SELECT count(*) FROM one) + (SELECT coalesce(sum(n), 0) FROM many) >= $4
                THEN (SELECT n FROM room) - (SELECT coalesce(sum(take), 0) FROM cut) ELSE 0 END FOR UPDATE SKIP LOCKED),
found AS MATERIALIZED (SELECT ARRAY(SELECT place FROM best UNION ALL SELECT place FROM more) AS places),)";
inline constexpr std::string_view singles_and_packs =
    joined<singles, unless_paused, and_packs, unless_paused, both_in_order>::text;
inline constexpr std::string_view one_lease_of_both = R"(
INSERT INTO {s}.lease ({lease})
SELECT $5, $1, $6, {gathered_both}
  FROM (SELECT {gathered_packs}) p, (SELECT {gathered_once} FROM got) a
 WHERE p.n > 0 OR a.ids IS NOT NULL)";
// Jobs of packs are small, so only single jobs count for the bytes.
inline constexpr std::string_view found_with_packs = " + (SELECT coalesce(sum(take), 0)::int4 FROM cut)";
inline constexpr std::string_view had_packs = ", EXISTS (SELECT FROM {s}.pack WHERE lane = $1)";

}  // namespace claim_text

/// claim_one for lanes with packs, with the same parameters. The last column says whether there were packs.
inline constexpr query claim_packed =
    query{"claim_packed",
          joined<claim_text::singles_and_packs, claim_text::fitting_7, claim_text::one_lease_of_both,
                 claim_text::answer_with_found, claim_text::found_with_packs, claim_text::had_packs>::text}
        .as_stored();

/// Unpacks packs of the lanes $1, for claims that read `ready` only: at least $2 jobs, all packs when that is null; $3:
/// so many of each lane. Answers how many jobs. It calls the function only when there are packs.
inline constexpr query unpack = query{"unpack", R"(
SELECT CASE WHEN EXISTS (SELECT FROM {s}.pack WHERE lane = ANY ($1)) THEN {s}.unpack($1, $2, $3) ELSE 0 END)"}
                                    .as_stored();

inline void bind_claim_packed(params& p, const sync_request& r) {
    bind_claim_of_one(p, r);
    bind_bytes(p, r);
}

/// The parameters after the lanes. A filter may accept jobs of any pack, so all are unpacked then.
inline void bind_unpack(params& p, std::uint32_t jobs, const filter* which, bool of_each = false) {
    if (which == nullptr || which->is_everything()) p.number(std::int64_t{jobs});
    else p.null(wire::int8_oid);
    p.boolean(of_each);
}

}  // namespace pgq::statement
