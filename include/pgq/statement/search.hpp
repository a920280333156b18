#pragma once

#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/lane_search.hpp>
#include <pgq/statement/liveness.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/statement/wire.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

/// What a worker of many queue names asks beside its claims.
namespace pgq::statement {

/// Lanes behind $1 with claimable jobs, of at most $2 that have any: how many it has read, and the last of these. Of
/// those that the worker serves and that are not paused: the lanes, their queues, their numbers in $5 and $6, and
/// whether a limit holds there.
/// Each step of `found` reads one entry of the index, so the number of jobs, of lanes without jobs, and of names does
/// not matter.
inline constexpr query search_lanes{"search_lanes", R"(
WITH RECURSIVE found(lane) AS (
    SELECT least((SELECT r.lane FROM {s}.ready r WHERE r.lane > $1 ORDER BY r.lane, r.rank, r.id LIMIT 1),
                 (SELECT p.lane FROM {s}.pack p WHERE p.lane > $1 ORDER BY p.lane, p.rank, p.id LIMIT 1))
    UNION ALL
    SELECT least((SELECT r.lane FROM {s}.ready r WHERE r.lane > f.lane ORDER BY r.lane, r.rank, r.id LIMIT 1),
                 (SELECT p.lane FROM {s}.pack p WHERE p.lane > f.lane ORDER BY p.lane, p.rank, p.id LIMIT 1))
      FROM found f WHERE f.lane IS NOT NULL),
page AS MATERIALIZED (SELECT lane FROM found WHERE lane IS NOT NULL LIMIT $2),
mine AS MATERIALIZED (
    SELECT l.id, l.queue, u.o::int4 AS name,
           EXISTS (SELECT FROM {s}.lane_limit) AND EXISTS (SELECT FROM {s}.lane_limit m
                    WHERE m.queue = l.queue AND m.entrypoint IN ('', l.entrypoint)) AS limited
      FROM page p JOIN {s}.lane l ON l.id = p.lane
      JOIN unnest($5, $6) WITH ORDINALITY u(entrypoint, version, o)
           ON u.entrypoint = l.entrypoint AND u.version = l.version
     WHERE starts_with(l.queue, $3) AND ($4 IS NULL OR l.queue = ANY ($4)) AND NOT {s}.is_paused(l.id))
SELECT (SELECT count(*) FROM page), (SELECT max(lane) FROM page),
       array_agg(id ORDER BY id), array_agg(queue ORDER BY id), array_agg(name ORDER BY id),
       array_agg(limited ORDER BY id)
  FROM mine)"};

/// $1 to $5 are those of register_worker.
inline constexpr query register_worker_of_queues{"register_worker_of_queues", R"(
INSERT INTO {s}.worker (lease_time, host, pid, version, lanes, queue_prefix, queues, entrypoints, versions)
VALUES ($1 * interval '1 microsecond', $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id)"};

/// The prefix, the names (null: all with the prefix), and the entrypoints and versions of the lanes.
inline void bind_queues(params& p, const served_queues& q) {
    p.text(q.prefix);
    if (q.names.empty()) p.null(wire::text_array);
    else p.texts(q.names.size(), [&](std::size_t i) -> std::string_view { return q.names[i]; });
    p.texts(q.lanes.size(), [&](std::size_t i) { return q.lanes[i].entrypoint; });
    p.texts(q.lanes.size(), [&](std::size_t i) { return q.lanes[i].version; });
}
inline void bind_search(params& p, const lane_search& s) {
    p.clear();
    p.number(s.behind.value).number(std::int64_t{s.most});
    bind_queues(p, *s.served);
}
inline void bind_register_of_queues(params& p, const worker_info& w) {
    bind_register(p, w);
    bind_queues(p, *w.queues);
}

}  // namespace pgq::statement
