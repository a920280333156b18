#pragma once

#include <pgq/statement/joined.hpp>

#include <array>
#include <optional>
#include <string_view>

/// The columns of the tables between which jobs move. A statement writes `{job}` for the list of that name, and
/// `render` fills it in. docs/design/storage.md names the few lists that stand elsewhere.
namespace pgq::statement::columns {

namespace text {

/// A job, as `ready` has it and as it moves from table to table. A statement with `{job}` in both places of an insert
/// moves all of it.
inline constexpr std::string_view job = "id, rank, enqueued_at, lane, attempts, flags, headers, key, body";
/// A job that is enqueued; the other columns have defaults.
inline constexpr std::string_view new_job = "id, rank, lane, headers, key, body";

inline constexpr std::string_view waits = "run_at, kind, reason, ";
inline constexpr std::string_view changed_at = ", changed_at";
/// A row of `pack` as it is enqueued, all of it, and the rest of one of whose jobs a claim takes the first `take`.
inline constexpr std::string_view new_pack = "id, rank, lane, n, ids, bodies";
inline constexpr std::string_view pack = "id, rank, lane, n, ids, bodies, enqueued_at";
inline constexpr std::string_view pack_rest =
    "ids[take + 1], rank, lane, n - take, ids[take + 1:], bodies[take + 1:], enqueued_at";

inline constexpr std::string_view lease_head = "worker, lane, max_attempts, ";
inline constexpr std::string_view lease_arrays = "ids, ranks, attempts, flags, headers, keys, enqueued_at";
inline constexpr std::string_view bodies = ", bodies";
inline constexpr std::string_view lease_state = ", id, claimed_at, done, limited";

/// The arrays of a lease, of rows `g` with the columns of `{job}`. A claim counts the attempt.
inline constexpr std::string_view gathered = R"(array_agg(g.id), array_agg(g.rank),
       array_agg((least(g.attempts, 32766) + 1)::int2),
       CASE WHEN count(g.flags) > 0 THEN array_agg(g.flags) END,
       CASE WHEN count(g.headers) > 0 THEN array_agg(g.headers) END,
       CASE WHEN count(g.key) > 0 THEN array_agg(g.key) END, array_agg(g.enqueued_at), array_agg(g.body))";
/// The same of a single row `g`.
inline constexpr std::string_view alone = R"(ARRAY[g.id], ARRAY[g.rank],
       ARRAY[(least(g.attempts, 32766) + 1)::int2],
       CASE WHEN g.flags IS NOT NULL THEN ARRAY[g.flags] END,
       CASE WHEN g.headers IS NOT NULL THEN ARRAY[g.headers] END,
       CASE WHEN g.key IS NOT NULL THEN ARRAY[g.key] END, ARRAY[g.enqueued_at], ARRAY[g.body])";

/// The same of all rows of `got`, in two passes: nearly always all jobs have one rank and no attempts, flags, headers
/// or keys, so the first pass `a` only finds out whether that is so.
inline constexpr std::string_view gathered_once = R"(array_agg(id) AS ids, min(rank) AS low, max(rank) AS high,
               max(attempts) AS attempts, count(flags) AS flags, count(headers) AS headers, count(key) AS keys,
               array_agg(enqueued_at) AS enqueued_at, array_agg(body) AS bodies)";
inline constexpr std::string_view counted_attempts = "(SELECT array_agg((least(attempts, 32766) + 1)::int2) FROM got)";
inline constexpr std::string_view ids_and_ranks = R"(a.ids,
       CASE WHEN a.low = a.high THEN ARRAY[a.low] ELSE (SELECT array_agg(rank) FROM got) END,
       CASE WHEN a.attempts > 0 THEN )";
inline constexpr std::string_view rest_of_single_jobs = R"( ELSE ARRAY[1::int2] END,
       CASE WHEN a.flags > 0 THEN (SELECT array_agg(flags) FROM got) END,
       CASE WHEN a.headers > 0 THEN (SELECT array_agg(headers) FROM got) END,
       CASE WHEN a.keys > 0 THEN (SELECT array_agg(key) FROM got) END,
       CASE WHEN a.enqueued_at[1] = ALL (a.enqueued_at) THEN a.enqueued_at[1:1] ELSE a.enqueued_at END, a.bodies)";
inline constexpr std::string_view gathered_twice = joined<ids_and_ranks, counted_attempts, rest_of_single_jobs>::text;

/// The same for the jobs of packs, which `cut` has: nearly always of one rank, often of one time. They have no other
/// attributes.
inline constexpr std::string_view gathered_packs = R"(array_agg(j.id) AS ids,
               array_agg(c.rank) FILTER (WHERE u.low < u.high) AS ranks, min(u.low) AS low, max(u.high) AS high,
               array_agg(c.enqueued_at) FILTER (WHERE u.first < u.last) AS enqueued_at,
               min(u.first) AS first, max(u.last) AS last,
               array_agg(j.body) AS bodies, count(*)::int4 AS n
          FROM (SELECT min(rank) AS low, max(rank) AS high, min(enqueued_at) AS first, max(enqueued_at) AS last
                  FROM cut) u, cut c,
               unnest(CASE WHEN c.take = c.n THEN c.ids ELSE c.ids[:c.take] END,
                      CASE WHEN c.take = c.n THEN c.bodies ELSE c.bodies[:c.take] END) j(id, body))";
/// The arrays of packs `p` before those of single jobs `a`. An array of no rows is null, and an array joined with null
/// stays as it is.
inline constexpr std::string_view before_attempts = R"(p.ids || a.ids,
       CASE WHEN least(p.low, a.low) = greatest(p.high, a.high) THEN ARRAY[coalesce(p.low, a.low)]
            ELSE CASE WHEN p.low = p.high THEN array_fill(p.low, ARRAY[p.n]) ELSE p.ranks END
                 || (SELECT array_agg(rank) FROM got) END,
       CASE WHEN a.attempts > 0 THEN array_fill(1::int2, ARRAY[p.n]) || )";
inline constexpr std::string_view behind_attempts = R"( ELSE ARRAY[1::int2] END,
       CASE WHEN a.flags > 0 THEN array_fill(NULL::int2, ARRAY[p.n]) || (SELECT array_agg(flags) FROM got) END,
       CASE WHEN a.headers > 0 THEN array_fill(NULL::jsonb, ARRAY[p.n]) || (SELECT array_agg(headers) FROM got) END,
       CASE WHEN a.keys > 0 THEN array_fill(NULL::text, ARRAY[p.n]) || (SELECT array_agg(key) FROM got) END,
       CASE WHEN p.first = p.last AND a.ids IS NULL THEN ARRAY[p.first]
            ELSE CASE WHEN p.first = p.last THEN array_fill(p.first, ARRAY[p.n]) ELSE p.enqueued_at END
                 || a.enqueued_at END,
       p.bodies || a.bodies)";
inline constexpr std::string_view gathered_both = joined<before_attempts, counted_attempts, behind_attempts>::text;

/// A lease as a claim answers it; driver/pq/command/read_lease.hpp reads it. Ranks, attempts and times that are all
/// equal are sent once: each element of an array costs a call at the server and at the client.
inline constexpr std::string_view answered_lease = R"(id, ctid, lane, ids,
       CASE WHEN ranks[1] = ALL (ranks) THEN ranks[1:1] ELSE ranks END,
       CASE WHEN attempts[1] = ALL (attempts) THEN attempts[1:1] ELSE attempts END, bodies,
       CASE WHEN headers IS NOT NULL THEN {s}.header_rows(headers) END, flags,
       CASE WHEN enqueued_at[1] = ALL (enqueued_at) THEN enqueued_at[1:1] ELSE enqueued_at END)";
/// A single job of `ready` or `deferred`; driver/pq/command/rows.hpp reads it.
inline constexpr std::string_view answered_job = R"(id, lane, rank, attempts, key, body,
          (SELECT array_agg(ARRAY[e.key, coalesce(e.value, '')])
             FROM jsonb_each_text(CASE WHEN jsonb_typeof(headers) = 'object' THEN headers END) e),
          enqueued_at)";

/// The jobs of a lease `l` as rows `j` with their position `o`, counted from 1. The only element of `ranks`, `attempts`
/// or `enqueued_at` holds for all jobs ...
inline constexpr std::string_view jobs_of_lease = R"((
           SELECT u.id, coalesce(u.rank, l.ranks[1]) AS rank, coalesce(u.attempts, l.attempts[1]) AS attempts,
                  coalesce(u.enqueued_at, l.enqueued_at[1]) AS enqueued_at, u.body, u.o
             FROM unnest(l.ids, l.ranks, l.attempts, l.enqueued_at, l.bodies)
                      WITH ORDINALITY u(id, rank, attempts, enqueued_at, body, o)) j)";
/// ... and the columns of `{job}` but `attempts` and `flags`, which change on the way. Few leases have headers or keys.
/// A payload that is missing is empty: nothing but a foreign hand in the table can remove one.
inline constexpr std::string_view job_of_lease =
    "j.id, j.rank, l.lane, CASE WHEN l.headers IS NOT NULL THEN l.headers[j.o] END AS headers, l.keys[j.o] AS key, "
    "j.enqueued_at, coalesce(j.body, '') AS body";
/// The same for many leases: a subscript of a long array costs more there than one more array to walk along.
inline constexpr std::string_view jobs_of_leases = R"((
           SELECT u.id, coalesce(u.rank, l.ranks[1]) AS rank, coalesce(u.attempts, l.attempts[1]) AS attempts,
                  coalesce(u.enqueued_at, l.enqueued_at[1]) AS enqueued_at, u.flags, u.headers, u.key, u.body, u.o
             FROM unnest(l.ids, l.ranks, l.attempts, l.enqueued_at, l.flags, l.headers, l.keys, l.bodies)
                      WITH ORDINALITY u(id, rank, attempts, enqueued_at, flags, headers, key, body, o)) j)";
inline constexpr std::string_view job_of_leases =
    "j.id, j.rank, l.lane, j.headers, j.key, j.enqueued_at, coalesce(j.body, '') AS body";

/// The jobs of a pack `p` as rows `j`, and the columns of `{job}`.
inline constexpr std::string_view jobs_of_pack = "unnest(p.ids, p.bodies) j(id, body)";
inline constexpr std::string_view job_of_pack =
    "j.id, p.rank, p.lane, 0::int2 AS attempts, NULL::int2 AS flags, NULL::jsonb AS headers, NULL::text AS key, "
    "j.body, p.enqueued_at";
/// What an outcome `o` knows of the columns of `{job}`.
inline constexpr std::string_view job_that_ended =
    "o.id, NULL::int8 AS rank, o.lane, o.attempts, NULL::int2 AS flags, NULL::jsonb AS headers, NULL::text AS key, "
    "NULL::bytea AS body, NULL::timestamptz AS enqueued_at";

inline constexpr std::string_view deferred = joined<waits, job>::text;
inline constexpr std::string_view lease = joined<lease_head, lease_arrays, bodies>::text;
inline constexpr std::string_view all_of_deferred = joined<deferred, changed_at>::text;
inline constexpr std::string_view all_of_lease = joined<lease, lease_state>::text;

}  // namespace text

struct list {
    std::string_view name;
    std::string_view text;
};

/// What a statement may name in braces. A text may have `{s}` itself.
inline constexpr std::array lists{
    list{"job", text::job},
    list{"new_job", text::new_job},
    list{"deferred", text::deferred},
    list{"new_pack", text::new_pack},
    list{"pack", text::pack},
    list{"pack_rest", text::pack_rest},
    list{"lease", text::lease},
    list{"lease_arrays", text::lease_arrays},
    list{"gathered", text::gathered},
    list{"alone", text::alone},
    list{"gathered_once", text::gathered_once},
    list{"gathered_twice", text::gathered_twice},
    list{"gathered_packs", text::gathered_packs},
    list{"gathered_both", text::gathered_both},
    list{"answered_lease", text::answered_lease},
    list{"answered_job", text::answered_job},
    list{"jobs_of_lease", text::jobs_of_lease},
    list{"job_of_lease", text::job_of_lease},
    list{"jobs_of_leases", text::jobs_of_leases},
    list{"job_of_leases", text::job_of_leases},
    list{"jobs_of_pack", text::jobs_of_pack},
    list{"job_of_pack", text::job_of_pack},
    list{"job_that_ended", text::job_that_ended},
};

/// All columns of each of these tables; a test compares them with an installed schema.
inline constexpr std::array tables{
    list{"ready", text::job},
    list{"deferred", text::all_of_deferred},
    list{"pack", text::pack},
    list{"lease", text::all_of_lease},
};

constexpr std::optional<std::string_view> find(std::string_view name) noexcept {
    for (const list& l : lists)
        if (l.name == name) return l.text;
    return std::nullopt;
}

}  // namespace pgq::statement::columns
