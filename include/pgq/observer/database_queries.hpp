#pragma once

#include <string_view>

/// What monitoring reads of the database. Texts for statement::render(); none of them writes. Rows come as text, and
/// times in seconds. Numbers are no floats: a setting says how many digits of these the server writes.
namespace pgq::observer::queries {

/// Jobs of each entrypoint of each queue, of at most $2 of them, in the order of their names. No state is counted
/// beyond $1 and one. Columns: queue, entrypoint, ready, deferred, blocked, held, leased, age of the oldest ready job,
/// paused, draining. count_capped() says of which jobs the oldest one is.
inline constexpr std::string_view lanes = R"(
SELECT l.queue, l.entrypoint, sum(c.ready), sum(c.waiting - c.blocked), sum(c.blocked), sum(c.held), sum(c.leased),
       extract(epoch FROM clock_timestamp() - min(c.oldest)), bool_or(rule.paused), bool_or(rule.draining)
  FROM (SELECT array_agg(l.id) AS ids
          FROM (SELECT DISTINCT queue, entrypoint FROM {s}.lane ORDER BY queue, entrypoint LIMIT $2::int8) a
          JOIN {s}.lane l USING (queue, entrypoint)) w
 CROSS JOIN LATERAL ROWS FROM (unnest(w.ids), {s}.count_capped(w.ids, $1::int8))
       AS c(lane, ready, waiting, blocked, held, leased, oldest, looked)
  JOIN {s}.lane l ON l.id = c.lane
 CROSS JOIN LATERAL (SELECT coalesce(bool_or(r.kind = 'paused'), false) AS paused,
                            coalesce(bool_or(r.kind = 'draining'), false) AS draining
                       FROM {s}.paused r
                      WHERE r.queue IN ('', l.queue) AND r.entrypoint IN ('', l.entrypoint)) rule
 GROUP BY l.queue, l.entrypoint ORDER BY l.queue, l.entrypoint)";

/// One row: entrypoints of queues, workers that live and that are dead, how late the first due job is, the age of the
/// oldest snapshot in this database, the migration.
inline constexpr std::string_view totals = R"(
SELECT (SELECT count(*) FROM (SELECT DISTINCT queue, entrypoint FROM {s}.lane) x),
       (SELECT count(*) FROM {s}.worker WHERE heartbeat_at > now() - lease_time),
       (SELECT count(*) FROM {s}.worker WHERE heartbeat_at <= now() - lease_time),
       (SELECT greatest(0, extract(epoch FROM now() - min(run_at))) FROM {s}.deferred WHERE run_at < 'infinity'),
       (SELECT extract(epoch FROM clock_timestamp() - min(a.xact_start)) FROM pg_catalog.pg_stat_activity a
         WHERE a.datname = current_database() AND a.backend_xmin IS NOT NULL AND a.pid <> pg_backend_pid()),
       (SELECT max(version) FROM {s}.migration))";

/// The tables of the schema: name, bytes with indexes and TOAST, dead rows.
inline constexpr std::string_view tables = R"(
SELECT t.relname, pg_catalog.pg_total_relation_size(t.relid), t.n_dead_tup
  FROM pg_catalog.pg_stat_user_tables t
 WHERE t.relid IN (SELECT oid FROM pg_catalog.pg_class
                    WHERE relkind = 'r' AND relnamespace = pg_catalog.to_regnamespace('{q}'))
 ORDER BY t.relname LIMIT 100)";

/// At most $1 limits of all workers: queue, entrypoint ('' for the whole queue), kind, number, how much is allowed, how
/// much of it is used, and how many jobs may start in a second (null unless the limit is a rate).
///
/// kind c: jobs that run. k: the same, of the key with the most. r: starts at once, used up by those of late.
inline constexpr std::string_view limits = R"(
WITH running AS MATERIALIZED (
    SELECT a.queue, coalesce(a.entrypoint, '') AS entrypoint,
           sum(cardinality(e.ids) - coalesce(bit_count(e.done), 0)) AS n
      FROM {s}.lease e JOIN {s}.lane a ON a.id = e.lane WHERE e.limited
     GROUP BY GROUPING SETS ((a.queue, a.entrypoint), (a.queue))),
by_key AS MATERIALIZED (
    SELECT k.queue, k.entrypoint, max(k.n) AS n
      FROM (SELECT a.queue, coalesce(a.entrypoint, '') AS entrypoint, count(*) AS n
              FROM {s}.lease e JOIN {s}.lane a ON a.id = e.lane
             CROSS JOIN LATERAL unnest(e.keys) WITH ORDINALITY j(key, o)
             WHERE e.limited AND j.key IS NOT NULL AND (e.done IS NULL OR get_bit(e.done, o::int4 - 1) = 0)
             GROUP BY GROUPING SETS ((a.queue, a.entrypoint, j.key), (a.queue, j.key))) k
     GROUP BY k.queue, k.entrypoint)
SELECT l.queue, l.entrypoint, l.kind, l.number, CASE l.kind WHEN 'r' THEN l.burst ELSE l.amount END,
       CASE l.kind WHEN 'c' THEN coalesce(r.n, 0)
                   WHEN 'k' THEN coalesce(k.n, 0)
                   ELSE l.burst - CASE WHEN l.amount = 0 THEN 0 ELSE least(l.burst, l.tokens::numeric
                        + greatest(extract(epoch FROM clock_timestamp() - l.tokens_at), 0)
                          * l.amount / extract(epoch FROM l.per)) END END,
       CASE l.kind WHEN 'r' THEN l.amount / extract(epoch FROM l.per) END
  FROM {s}.lane_limit l
  LEFT JOIN running r ON r.queue = l.queue AND r.entrypoint = l.entrypoint
  LEFT JOIN by_key k ON k.queue = l.queue AND k.entrypoint = l.entrypoint
 ORDER BY l.queue, l.entrypoint, l.kind, l.number LIMIT $1::int8)";

/// At most $1 schedules: queue, name, by how much its next tick is late, paused.
inline constexpr std::string_view schedules = R"(
SELECT queue, name, greatest(0, extract(epoch FROM now() - next_at)), paused_at IS NOT NULL
  FROM {s}.schedule WHERE next_at < 'infinity' ORDER BY queue, name LIMIT $1::int8)";

}  // namespace pgq::observer::queries
