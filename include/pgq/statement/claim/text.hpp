#pragma once

#include <pgq/statement/joined.hpp>

#include <string_view>

/// The parts of the claims in statement/claim.hpp and statement/pack.hpp.
namespace pgq::statement {

namespace claim_text {

// No job is claimed from a paused lane. While nothing is paused these two cost nothing, see docs/design/pausing.md.
inline constexpr std::string_view unless_paused = " AND NOT {s}.is_paused($1)";
inline constexpr std::string_view not_paused = "w.lane <> ALL ((SELECT {s}.paused_lanes())::int4[])";

// Only leases with flags can have jobs that expire. Few leases have flags, so the function is rarely called.
inline constexpr std::string_view answer = R"(
RETURNING {answered_lease}, CASE WHEN flags IS NOT NULL THEN {s}.expires_in(ids, attempts) END, claimed_at)";

// Also returns whether there are large payloads, and how many rows the claim found. If it took fewer rows, they had too
// many bytes, and jobs are left.
inline constexpr std::string_view answer_with_found = R"(
RETURNING {answered_lease}, CASE WHEN flags IS NOT NULL THEN {s}.expires_in(ids, attempts) END, claimed_at,
          (SELECT large FROM size), (SELECT cardinality(places) FROM found))";

// `found` are the locked rows; `got` takes as many of them as fit into the bytes. A row whose payload is not in the
// TOAST table is shorter than 2048 bytes. So while the TOAST table is empty, it is enough to count rows. `large` is
// null when the bytes are not limited, or there is one row.
inline constexpr std::string_view size_by = R"(
size AS MATERIALIZED (
    SELECT CASE WHEN cardinality(places) > 1 AND )";
inline constexpr std::string_view size_of_rows = R"( IS NOT NULL THEN pg_relation_size((
               SELECT c.reltoastrelid FROM pg_class c WHERE c.oid = '{q}.ready'::regclass)::regclass) > 0 END AS large
      FROM found),
got AS (
    DELETE FROM {s}.ready WHERE ctid = ANY ((
        SELECT CASE WHEN large IS NULL OR NOT large AND cardinality(places)::int8 * 2048 <= )";
inline constexpr std::string_view or_fitting = " THEN places ELSE {s}.fitting(places, ";
inline constexpr std::string_view fitting_rows = R"() END FROM found, size)::tid[])
    RETURNING {job}))";
inline constexpr std::string_view p7 = "$7", p8 = "$8";
inline constexpr std::string_view fitting_7 = joined<size_by, p7, size_of_rows, p7, or_fitting, p7, fitting_rows>::text;
inline constexpr std::string_view fitting_8 = joined<size_by, p8, size_of_rows, p8, or_fitting, p8, fitting_rows>::text;
inline constexpr std::string_view of_one_from = R"(
WITH found AS MATERIALIZED (
    SELECT ARRAY(
        SELECT ctid FROM {s}.ready WHERE lane = $1 AND (rank, id) > ($2, $3))";
inline constexpr std::string_view first_places = R"(
         ORDER BY rank, id LIMIT $4 FOR UPDATE SKIP LOCKED) AS places),)";
inline constexpr std::string_view of_one = joined<of_one_from, unless_paused, first_places>::text;
inline constexpr std::string_view of_one_in_slot_from = R"(
WITH slot AS MATERIALIZED (
    SELECT number, rank, id FROM {s}.claim_slot WHERE lane = $1
        AND current_setting('pgq.claim_slot')::int2 IN (number, 0)
       AND NOT $7 AND (rank, id) > ($2, $3) ORDER BY rank, id LIMIT 1),
found AS MATERIALIZED (
    SELECT ARRAY(
        SELECT ctid FROM {s}.ready
         WHERE lane = $1
           AND (rank, id) > (coalesce((SELECT rank FROM slot), $2), coalesce((SELECT id FROM slot), $3)))";
inline constexpr std::string_view of_one_in_slot = joined<of_one_in_slot_from, unless_paused, first_places>::text;
inline constexpr std::string_view last = R"(,
last AS (
    UPDATE {s}.claim_slot t SET rank = g.rank, id = g.id
        FROM (SELECT rank, id FROM got ORDER BY rank DESC, id DESC LIMIT 1) g
     WHERE t.lane = $1 AND t.number = current_setting('pgq.claim_slot')::int2))";
inline constexpr std::string_view one_lease = R"(
INSERT INTO {s}.lease ({lease})
SELECT $5, $1, $6, {gathered_twice} FROM (SELECT {gathered_once} FROM got HAVING count(*) > 0) a)";

// The same in one pass. Each query in a claim costs about 15 us before the first row, and an array more costs each job
// about 0.1 us.
inline constexpr std::string_view places_of_few = R"(
WITH got AS (
    DELETE FROM {s}.ready WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {s}.ready WHERE lane = $1 AND (rank, id) > ($2, $3))";
inline constexpr std::string_view few = R"(
         ORDER BY rank, id LIMIT $4 FOR UPDATE SKIP LOCKED))
    RETURNING {job})
INSERT INTO {s}.lease ({lease})
SELECT $5, $1, $6, {gathered} FROM got g HAVING count(*) > 0)";
inline constexpr std::string_view answer_of_few = ", NULL::bool, cardinality(ids)";

inline constexpr std::string_view want_from =
    "\nWITH want AS MATERIALIZED (SELECT * FROM unnest($1, $2, $3) w(lane, rank, id) WHERE ";
inline constexpr std::string_view want_end = "),";
inline constexpr std::string_view want = joined<want_from, not_paused, want_end>::text;

inline constexpr std::string_view peek = R"(
peek AS MATERIALIZED (
    SELECT t.lane, count(*) AS n FROM (
        SELECT w.lane FROM want w CROSS JOIN LATERAL (
            SELECT r.rank, r.id FROM {s}.ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id))";
// `front` reads a few jobs of each lane. A job behind the $4th of these is not among the best $4, so no lane is read
// further.
inline constexpr std::string_view front = R"(
front AS MATERIALIZED (
    SELECT c.rank, c.id FROM want w CROSS JOIN LATERAL (
        SELECT r.rank, r.id FROM {s}.ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
         ORDER BY r.rank, r.id LIMIT $4 / cardinality($1) + 8) c),
edge AS MATERIALIZED (SELECT rank, id FROM front ORDER BY rank, id OFFSET $4 - 1 LIMIT 1),)";
inline constexpr std::string_view up_to_edge = R"(
               AND (r.rank, r.id) <= (coalesce((SELECT rank FROM edge), 9223372036854775807),
                                      coalesce((SELECT id FROM edge), 9223372036854775807)))";
inline constexpr std::string_view take = R"(
             ORDER BY r.rank, r.id LIMIT $4) c
         ORDER BY c.rank, c.id LIMIT $4) t GROUP BY t.lane),
best AS MATERIALIZED (
    SELECT c.place FROM want w JOIN peek p ON p.lane = w.lane CROSS JOIN LATERAL (
        SELECT r.ctid AS place FROM {s}.ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
         ORDER BY r.rank, r.id LIMIT p.n FOR UPDATE SKIP LOCKED) c),
more AS MATERIALIZED (
    SELECT c.place FROM want w CROSS JOIN LATERAL (
        SELECT r.ctid AS place FROM {s}.ready r WHERE r.lane = w.lane AND (r.rank, r.id) > (w.rank, w.id)
           AND r.ctid <> ALL (ARRAY(SELECT place FROM best))
         ORDER BY r.rank, r.id LIMIT $4 FOR UPDATE SKIP LOCKED) c
     LIMIT CASE WHEN (SELECT sum(n) FROM peek) >= $4 THEN $4 - (SELECT count(*) FROM best) ELSE 0 END),
found AS MATERIALIZED (SELECT ARRAY(SELECT place FROM best UNION ALL SELECT place FROM more) AS places),)";
inline constexpr std::string_view lease_each_lane = R"(
INSERT INTO {s}.lease ({lease})
SELECT $5, g.lane, $6[array_position($1, g.lane)], {gathered}
  FROM got g GROUP BY g.lane)";
inline constexpr std::string_view lease_each_job = ", CASE WHEN $7[array_position($1, g.lane)] <> 0 THEN g.id END";

}  // namespace claim_text

}  // namespace pgq::statement
