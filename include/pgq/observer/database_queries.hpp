#pragma once

#include <string_view>

/// What monitoring reads of the database. Texts for statement::render(); none of them writes. Rows come as text, and
/// times in seconds.
namespace pgq::observer::queries {

/// Jobs of each entrypoint of each queue, of at most $2 of them, in the order of their names. No state is counted
/// beyond $1 and one. Columns: queue, entrypoint, ready, deferred, blocked, held, leased, age of the oldest ready job,
/// paused, draining. The oldest one is looked for at the head of the lane and at the head of its lowest priority.
inline constexpr std::string_view lanes = R"(
WITH leased AS MATERIALIZED (
    SELECT e.lane, sum(cardinality(e.ids) - coalesce(bit_count(e.done), 0)) AS n FROM {s}.lease e GROUP BY e.lane)
SELECT a.queue, a.entrypoint, sum(ready.n) + sum(pack.n), sum(later.n), sum(later.blocked), sum(held.n),
       coalesce(sum(leased.n), 0), extract(epoch FROM clock_timestamp() - min(oldest.at)),
       bool_or(rule.paused), bool_or(rule.draining)
  FROM (SELECT DISTINCT queue, entrypoint FROM {s}.lane ORDER BY queue, entrypoint LIMIT $2::int8) a
  JOIN {s}.lane l USING (queue, entrypoint)
  LEFT JOIN leased ON leased.lane = l.id,
       LATERAL (SELECT count(*) AS n FROM (SELECT FROM {s}.ready r WHERE r.lane = l.id ORDER BY r.rank, r.id
                                            LIMIT $1::int8 + 1) x) ready,
       LATERAL (SELECT coalesce(sum(x.n), 0) AS n FROM (SELECT p.n FROM {s}.pack p WHERE p.lane = l.id
                                                         ORDER BY p.rank, p.id LIMIT $1::int8 + 1) x) pack,
       LATERAL (SELECT count(*) FILTER (WHERE x.kind <> 'b') AS n, count(*) FILTER (WHERE x.kind = 'b') AS blocked
                  FROM (SELECT d.kind FROM {s}.deferred d WHERE d.lane = l.id AND d.kind <> 'h'
                         LIMIT $1::int8 + 1) x) later,
       LATERAL (SELECT count(*) AS n FROM (SELECT FROM {s}.deferred d WHERE d.lane = l.id AND d.kind = 'h'
                                            LIMIT $1::int8 + 1) x) held,
       LATERAL (SELECT least(
          (SELECT r.enqueued_at FROM {s}.ready r WHERE r.lane = l.id ORDER BY r.rank, r.id LIMIT 1),
          (SELECT p.enqueued_at FROM {s}.pack p WHERE p.lane = l.id ORDER BY p.rank, p.id LIMIT 1),
          (SELECT r.enqueued_at FROM {s}.ready r WHERE r.lane = l.id AND r.rank =
              (SELECT m.rank FROM {s}.ready m WHERE m.lane = l.id ORDER BY m.rank DESC LIMIT 1) ORDER BY r.id LIMIT 1),
          (SELECT p.enqueued_at FROM {s}.pack p WHERE p.lane = l.id AND p.rank =
              (SELECT m.rank FROM {s}.pack m WHERE m.lane = l.id ORDER BY m.rank DESC LIMIT 1) ORDER BY p.id LIMIT 1)
       ) AS at) oldest,
       LATERAL (SELECT coalesce(bool_or(r.kind = 'paused'), false) AS paused,
                       coalesce(bool_or(r.kind = 'draining'), false) AS draining
                  FROM {s}.paused r
                 WHERE r.queue IN ('', l.queue) AND r.entrypoint IN ('', l.entrypoint)) rule
 GROUP BY a.queue, a.entrypoint ORDER BY a.queue, a.entrypoint)";

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

/// At most $1 schedules: queue, name, by how much its next tick is late, paused.
inline constexpr std::string_view schedules = R"(
SELECT queue, name, greatest(0, extract(epoch FROM now() - next_at)), paused_at IS NOT NULL
  FROM {s}.schedule WHERE next_at < 'infinity' ORDER BY queue, name LIMIT $1::int8)";

}  // namespace pgq::observer::queries
