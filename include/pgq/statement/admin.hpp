#pragma once

#include <pgq/statement/query.hpp>

namespace pgq::statement {

/// What a session has to know first: schema version, oid (the lock space), the backend behind the connection.
inline constexpr query hello{"hello", R"(
SELECT coalesce((SELECT max(version) FROM {s}.migration), 0), to_regnamespace($1)::oid::int8, pg_backend_pid(),
       current_setting('server_encoding'))"};

inline constexpr query add_lanes{"add_lanes", R"(
INSERT INTO {s}.lane (queue, entrypoint) SELECT $1, e FROM unnest($2) e
EXCEPT SELECT queue, entrypoint FROM {s}.lane WHERE queue = $1
ON CONFLICT DO NOTHING)"};
inline constexpr query find_lanes{"find_lanes", R"(
SELECT array_agg(l.id ORDER BY e.o) FROM unnest($2) WITH ORDINALITY e(name, o)
  JOIN {s}.lane l ON l.queue = $1 AND l.entrypoint = e.name)"};

/// First among the deferred, then among the ready: a promotion moves a job that way, so none is missed between the two.
inline constexpr query cancel_deferred{"cancel_deferred", "DELETE FROM {s}.deferred WHERE id = ANY ($1)"};
inline constexpr query cancel_ready{"cancel_ready", "DELETE FROM {s}.ready WHERE id = ANY ($1)"};

inline constexpr query requeue{"requeue", R"(
WITH d AS (DELETE FROM {s}.deferred WHERE kind = 'h' AND id = ANY ($1) RETURNING id, rank, lane, headers, body),
back AS (
    INSERT INTO {s}.ready (id, rank, lane, attempts, headers, body)
    SELECT id, rank, lane, 0, headers, body FROM d RETURNING lane)
SELECT (SELECT count(*) FROM back), (SELECT array_agg(DISTINCT lane) FROM back))"};

inline constexpr query held{"held", R"(
SELECT id, attempts, coalesce(reason, ''), body FROM {s}.deferred
 WHERE lane = $1 AND kind = 'h' ORDER BY id LIMIT $2)"};

inline constexpr query counts{"counts", R"(
SELECT (SELECT count(*) FROM {s}.ready WHERE lane = $1),
       (SELECT count(*) FROM {s}.deferred WHERE lane = $1 AND kind <> 'h'),
       (SELECT coalesce(sum(cardinality(ids) - CASE WHEN done IS NULL THEN 0 ELSE bit_count(done) END), 0)::int8
          FROM {s}.lease WHERE lane = $1),
       (SELECT count(*) FROM {s}.deferred WHERE lane = $1 AND kind = 'h'))"};

}  // namespace pgq::statement
