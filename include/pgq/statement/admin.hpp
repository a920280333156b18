#pragma once

#include <pgq/protocol/limit.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pgq::statement {

/// The first statement of a session: schema version, oid of the schema (the lock space), process id of the server,
/// encoding, whether a statement outside of a transaction runs at READ COMMITTED.
inline constexpr query handshake{"handshake", R"(
SELECT coalesce((SELECT pg_catalog.max(version) FROM {s}.migration), 0), pg_catalog.to_regnamespace($1)::oid::int8,
       pg_catalog.pg_backend_pid(), pg_catalog.current_setting('server_encoding'),
       pg_catalog.current_setting('default_transaction_isolation') = 'read committed')"};

/// The server process of the session, and the time of this statement, as pg_stat_activity has it.
inline constexpr query which_session{"which_session",
                                     "SELECT pg_catalog.pg_backend_pid(), pg_catalog.statement_timestamp()", false};

/// The server process of this session, and when session $1 was used last; null where that cannot be seen.
inline constexpr query last_use_of_session{
    "last_use_of_session",
    "SELECT pg_catalog.pg_backend_pid(),"
    " (SELECT query_start FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND state = 'idle')",
    false};

/// A lane has four claim slots, see statement/claim.hpp.
inline constexpr query add_lanes{"add_lanes", R"(
WITH added AS (
    INSERT INTO {s}.lane (queue, entrypoint, version) SELECT $1, e, v FROM unnest($2, $3) n(e, v)
    EXCEPT SELECT queue, entrypoint, version FROM {s}.lane WHERE queue = $1
    ON CONFLICT DO NOTHING RETURNING id)
INSERT INTO {s}.claim_slot (lane, number) SELECT a.id, n FROM added a, generate_series(1, 4) n
ON CONFLICT DO NOTHING)"};
inline constexpr query find_lanes{"find_lanes", R"(
SELECT array_agg(l.id ORDER BY e.o) FROM unnest($2, $3) WITH ORDINALITY e(name, version, o)
  JOIN {s}.lane l ON l.queue = $1 AND l.entrypoint = e.name AND l.version = e.version)"};

/// Adds missing limits; existing ones stay as they are, and use up no number. $3 kinds, $4 numbers, $5 amounts, $6
/// microseconds, $7 bursts.
inline constexpr query add_limits{"add_limits", R"(
INSERT INTO {s}.lane_limit (queue, entrypoint, kind, number, amount, per, burst)
SELECT $1, n.e, n.k, n.number, n.amount, n.per * interval '1 microsecond', n.burst
  FROM unnest($2, $3, $4, $5, $6, $7) n(e, k, number, amount, per, burst)
 WHERE NOT EXISTS (SELECT FROM {s}.lane_limit l
                    WHERE l.queue = $1 AND l.entrypoint = n.e AND l.kind = n.k AND l.number = n.number)
    ON CONFLICT DO NOTHING)"};
inline constexpr query find_limits{"find_limits", R"(
SELECT entrypoint, kind, number, amount, (extract(epoch FROM per) * 1000000)::int8, burst
  FROM {s}.lane_limit WHERE queue = $1 ORDER BY entrypoint, kind, number)"};
/// Tokens saved under the former rate are capped by the new burst. Answers with the lanes of the limit.
inline constexpr query change_limit{"change_limit", R"(
WITH c AS (UPDATE {s}.lane_limit SET amount = $5, per = $6 * interval '1 microsecond', burst = $7,
    tokens = least(tokens, $7)
            WHERE queue = $1 AND entrypoint = $2 AND kind = $3 AND number = $4 RETURNING queue, entrypoint)
SELECT array_agg(a.id) FROM c JOIN {s}.lane a ON a.queue = c.queue AND c.entrypoint IN ('', a.entrypoint))"};

/// See sql/0007_pause.sql and docs/design/pausing.md.
inline constexpr query pause{"pause", "SELECT {s}.pause($1, $2, $3, $4)"};
inline constexpr query resume{"resume", "SELECT {s}.resume($1, $2)"};
inline constexpr query find_paused{"find_paused", R"(
SELECT queue, entrypoint, kind, (extract(epoch FROM since) * 1000000)::int8, reason FROM {s}.paused
 WHERE queue IN ('', $1) ORDER BY queue, entrypoint, kind)"};

inline constexpr query cancel{"cancel", "SELECT waiting, running FROM {s}.cancel($1)"};
inline constexpr query requeue{"requeue", "SELECT n, lanes FROM {s}.requeue($1)"};

/// Expires jobs and deletes what is kept no longer; $1 is for how many days failures are kept. It also adds up
/// statistics, and deletes those older than $2 hours.
inline constexpr query expire_and_purge{
    "expire_and_purge",
    "SELECT {s}.expire(), {s}.purge($1 * interval '1 day'), {s}.fold_minutes($2 * interval '1 hour')"};

inline constexpr query held{"held", R"(
SELECT {answered_job}, coalesce(reason, '') FROM {s}.deferred
 WHERE lane = $1 AND kind = 'h' ORDER BY id LIMIT $2)"};

inline constexpr query counts{"counts", R"(
SELECT (SELECT count(*) FROM {s}.ready WHERE lane = $1)
       + (SELECT coalesce(sum(n), 0)::int8 FROM {s}.pack WHERE lane = $1),
       (SELECT count(*) FROM {s}.deferred WHERE lane = $1 AND kind NOT IN ('h', 'b')),
       (SELECT coalesce(sum(cardinality(ids) - CASE WHEN done IS NULL THEN 0 ELSE bit_count(done) END), 0)::int8
          FROM {s}.lease WHERE lane = $1),
       (SELECT count(*) FROM {s}.deferred WHERE lane = $1 AND kind = 'h'),
       EXISTS (SELECT FROM {s}.paused_lane WHERE lane = $1),
       EXISTS (SELECT FROM {s}.paused r
                 JOIN {s}.lane a ON r.queue IN ('', a.queue) AND r.entrypoint IN ('', a.entrypoint)
                WHERE a.id = $1 AND r.kind = 'draining'),
       (SELECT count(*) FROM {s}.deferred WHERE lane = $1 AND kind = 'b'))"};

namespace detail {

inline std::int64_t period_of(const limit_spec& l) {
    return std::chrono::duration_cast<std::chrono::microseconds>(l.per).count();
}

}  // namespace detail

/// The parameters after the queue's name.
inline void bind_limits(params& p, std::span<const lane_limit> all) {
    const std::size_t n = all.size();
    p.texts(n, [&](std::size_t i) { return std::string_view{all[i].entrypoint}; })
        .array(wire::char_array, wire::char_oid, n,
               [&](std::string& out, std::size_t i) { out += static_cast<char>(all[i].limit.kind); })
        .int2s(n, [&](std::size_t i) { return all[i].limit.number; })
        .int4s(n, [&](std::size_t i) { return all[i].limit.amount; })
        .int8s(n, [&](std::size_t i) { return detail::period_of(all[i].limit); })
        .int4s(n, [&](std::size_t i) { return all[i].limit.burst; });
}
inline void bind_limit(params& p, const lane_limit& l) {
    p.text(l.entrypoint)
        .letter(static_cast<char>(l.limit.kind))
        .number(l.limit.number)
        .number(l.limit.amount)
        .number(detail::period_of(l.limit))
        .number(l.limit.burst);
}

}  // namespace pgq::statement
