#pragma once

#include <pgq/protocol/deferred_position.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/statement/claim/text.hpp>
#include <pgq/statement/joined.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/statement/wire.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgq::statement {

/// Claims up to $4 jobs of one lane ($1) behind the cursor ($2, $3) into one lease of worker $5; $6 is max_attempts.
/// The last parameter of each claim is the most bytes that the payloads may have together; the first job is claimed
/// anyway.
/// The inner select finds and locks the rows with the index on (lane, rank, id). The delete uses their ctids, so it
/// needs no join and no index on id.
inline constexpr query claim_one =
    query{"claim_one",
          joined<claim_text::of_one, claim_text::fitting_7, claim_text::one_lease, claim_text::answer_with_found>::text}
        .as_stored();

/// The same for up to `few` jobs whose bytes are not counted.
inline constexpr query claim_few =
    query{"claim_few", joined<claim_text::places_of_few, claim_text::unless_paused, claim_text::few, claim_text::answer,
                              claim_text::answer_of_few>::text}
        .as_stored();
inline constexpr std::uint32_t few = 32;

/// claim_one over several lanes, in one order over all of them. `peek` finds, without locks, how many of the best $4
/// jobs each lane has. `best` locks that many of each lane. `more` replaces jobs that other sessions had locked, from
/// any lane. So the claim locks no job that it does not take, and it returns fewer than $4 jobs only when there are no
/// more.
inline constexpr query claim_many =
    query{"claim_many", joined<claim_text::want, claim_text::peek, claim_text::take, claim_text::fitting_7,
                               claim_text::lease_each_lane, claim_text::answer_with_found>::text}
        .as_stored();

/// The same, for five lanes or more. To read $4 jobs of each of so many lanes would be most of the work, so `front` and
/// `edge` find first how far to read.
inline constexpr query claim_wide =
    query{"claim_wide",
          joined<claim_text::want, claim_text::front, claim_text::peek, claim_text::up_to_edge, claim_text::take,
                 claim_text::fitting_7, claim_text::lease_each_lane, claim_text::answer_with_found>::text}
        .as_stored();

/// claim_many and claim_wide, with a lease for each job of the lanes marked in $7.
inline constexpr query claim_each =
    query{"claim_each",
          joined<claim_text::want, claim_text::peek, claim_text::take, claim_text::fitting_8,
                 claim_text::lease_each_lane, claim_text::lease_each_job, claim_text::answer_with_found>::text}
        .as_stored();
inline constexpr query claim_wide_each =
    query{"claim_wide_each", joined<claim_text::want, claim_text::front, claim_text::peek, claim_text::up_to_edge,
                                    claim_text::take, claim_text::fitting_8, claim_text::lease_each_lane,
                                    claim_text::lease_each_job, claim_text::answer_with_found>::text}
        .as_stored();

/// Claims from lanes with limits, see sql/0002_limits.sql. $2: whether to wait for the locks of lanes from which other
/// workers claim at the moment; otherwise these lanes are skipped.
inline constexpr query claim_limited{"claim_limited", "SELECT * FROM {s}.claim_limited($1, $2, $3, $4, $5, $6, $7)"};

namespace deferred_text {

// $1 and $2 are the cursors in `deferred` and in the expiries of `tracked`, $3 and $4 the time from when and until when
// they hold, in microseconds. Entries before a cursor are not read: while somebody holds an old snapshot, there may be
// very many of jobs that have gone.
inline constexpr std::string_view behind = R"((
    statement_timestamp() >= 'epoch'::timestamptz + $3 * interval '1 microsecond'
    AND statement_timestamp() < 'epoch'::timestamptz + $4 * interval '1 microsecond'))";
inline constexpr std::string_view case_when = "CASE WHEN ", run_at = "run_at >= ", expires_at = "expires_at >= ";
inline constexpr std::string_view then_1 =
    " THEN 'epoch'::timestamptz + $1 * interval '1 microsecond' ELSE '-infinity' END";
inline constexpr std::string_view then_2 =
    " THEN 'epoch'::timestamptz + $2 * interval '1 microsecond' ELSE '-infinity' END";
inline constexpr std::string_view jobs = joined<run_at, case_when, behind, then_1>::text;
inline constexpr std::string_view expiry_cursor = joined<case_when, behind, then_2>::text;
inline constexpr std::string_view expiries = joined<expires_at, expiry_cursor>::text;

inline constexpr std::string_view due = R"(
WITH due AS (
    DELETE FROM {s}.deferred WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {s}.deferred WHERE )";
inline constexpr std::string_view back = R"(
           AND run_at <= statement_timestamp() AND run_at < 'infinity'
         ORDER BY run_at LIMIT 1000 FOR UPDATE SKIP LOCKED))
    RETURNING {job}),
back AS (
    INSERT INTO {s}.ready ({job}) SELECT {job} FROM due ORDER BY lane, rank, id RETURNING lane, rank, id),
first AS (SELECT DISTINCT ON (lane) lane, rank, id FROM back ORDER BY lane, rank, id)
SELECT (SELECT count(*) FROM back),
       set_config('pgq.wake_lanes', concat_ws(',', nullif(current_setting('pgq.wake_lanes', true), ''),
                                              string_agg(lane::text, ',')),
                  current_setting('pgq.stateless', true) = 'on'),
       CASE WHEN (SELECT expires_at FROM {s}.tracked WHERE )";
inline constexpr std::string_view expire = R"(
                         AND expires_at IS NOT NULL AND NOT held AND NOT overdue
                   ORDER BY expires_at LIMIT 1) <= clock_timestamp()
            THEN {s}.expire()";
inline constexpr std::string_view first_of_lanes = R"() END,
       array_agg(lane), array_agg(rank), array_agg(id)
  FROM first)";

inline constexpr std::string_view look = R"(
WITH look AS MATERIALIZED (
    SELECT (SELECT greatest(run_at, 'epoch') FROM {s}.deferred WHERE )";
inline constexpr std::string_view first_job = R"( AND run_at < 'infinity' ORDER BY run_at LIMIT 1) AS run_at,
           (SELECT greatest(expires_at, 'epoch') FROM {s}.tracked WHERE )";
inline constexpr std::string_view first_expiry = R"(
               AND expires_at IS NOT NULL AND NOT held AND NOT overdue ORDER BY expires_at LIMIT 1) AS expires_at,)";
inline constexpr std::string_view next_due = R"( AS behind)
SELECT (extract(epoch FROM least(run_at, expires_at) - clock_timestamp()) * 1000000)::int8,
       (SELECT count(*) FROM {s}.worker), statement_timestamp(), least(run_at, statement_timestamp()),
       least(expires_at, statement_timestamp()),
       (extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000000)::int8, NOT behind
  FROM look)";

}  // namespace deferred_text

/// Moves deferred jobs that are due to `ready`, at most 1000; they keep their ids. It writes them in the order in which
/// they are claimed, so that neighbours in the index are neighbours in the table. Adds their lanes for
/// `wake_collected`, and expires tracked jobs. Answers with the first job of each lane, too. Its parameters are those
/// of `bind_position`. clock_timestamp() is volatile, so an index finds no rows by it. The statement compares the first
/// entry of the index.
inline constexpr query promote =
    query{"promote", joined<deferred_text::due, deferred_text::jobs, deferred_text::back, deferred_text::expiries,
                            deferred_text::expire, deferred_text::expiry_cursor, deferred_text::first_of_lanes>::text}
        .as_stored();

/// Microseconds until the next deferred job is due or the next tracked job expires, null when there is none; the number
/// of workers; and what `deferred_peek` says.
inline constexpr query peek_next_due =
    query{"peek_next_due",
          joined<deferred_text::look, deferred_text::jobs, deferred_text::first_job, deferred_text::expiries,
                 deferred_text::first_expiry, deferred_text::behind, deferred_text::next_due>::text}
        .as_stored();

/// For `promote` and `peek_next_due`.
inline void bind_position(params& p, const deferred_position& from) {
    p.clear();
    for (const time_point t : {from.run_at, from.expires_at, from.valid_from, from.scan_at})
        p.number(std::int64_t{t.time_since_epoch().count()});
}

/// Takes one of four claim slots of the schema, which is the lock space $1, and stores its number in 'pgq.claim_slot'.
/// Each worker that claims reads past all rows that other workers have locked, so with many workers only four claim at
/// a time. A worker that gets no claim slot retries after 1, 2, 4 ... 256 ms, so that busy workers with warm caches
/// come first. After 2.3 s it claims without one (slot 0): a worker that was stopped while it held a slot does not
/// block the others.
inline constexpr query take_claim_slot = query{"take_claim_slot", R"(
WITH RECURSIVE t(n, got) AS (
    SELECT 0, CASE WHEN pg_try_advisory_xact_lock($1, -1) THEN 1 WHEN pg_try_advisory_xact_lock($1, -2) THEN 2
                   WHEN pg_try_advisory_xact_lock($1, -3) THEN 3 WHEN pg_try_advisory_xact_lock($1, -4) THEN 4
                        ELSE 0 END
    UNION ALL
    SELECT n + 1, CASE WHEN pg_sleep(0.001 * 2 ^ least(n, 8)) IS NULL THEN 0
                       WHEN pg_try_advisory_xact_lock($1, -1) THEN 1 WHEN pg_try_advisory_xact_lock($1, -2) THEN 2
                       WHEN pg_try_advisory_xact_lock($1, -3) THEN 3 WHEN pg_try_advisory_xact_lock($1, -4) THEN 4
                           ELSE 0 END
      FROM t WHERE got = 0 AND n < 16)
SELECT set_config('pgq.claim_slot', max(got)::text, true) FROM t)"}
                                             .as_stored();

/// Claims from one lane after `take_claim_slot`. It continues behind the last claim that was made with this claim slot,
/// by whichever worker, and not behind the worker's own cursor: other workers have taken the jobs in between. If $7
/// (exact) is true it uses the worker's cursor. A worker without a slot continues behind the slot whose last claim is
/// the first in the lane's order.
inline constexpr query claim_in_slot =
    query{"claim_in_slot", joined<claim_text::of_one_in_slot, claim_text::fitting_8, claim_text::last,
                                  claim_text::one_lease, claim_text::answer_with_found>::text}
        .as_stored();

inline std::int64_t bytes_of(const sync_request& r) noexcept {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(r.max_bytes, INT64_MAX));
}
/// Null, if the claim does not count bytes.
inline void bind_bytes(params& p, const sync_request& r) {
    if (r.counts_bytes) p.number(bytes_of(r));
    else p.null(wire::int8_oid);
}

inline bool wants_lease_per_job(const sync_request& r) noexcept {
    return std::any_of(r.lanes.begin(), r.lanes.end(), [](const claim_lane& l) { return l.lease_per_job; });
}

inline const query& claim_query(const sync_request& r) noexcept {
    constexpr std::size_t wide = 5;
    if (wants_lease_per_job(r)) return r.lanes.size() < wide ? claim_each : claim_wide_each;
    if (r.lanes.size() == 1) {
        if (r.contended) return claim_in_slot;
        return r.limit <= few && !r.counts_bytes ? claim_few : claim_one;
    }
    return r.lanes.size() < wide ? claim_many : claim_wide;
}

/// The parameters of a claim from one lane, without the bytes.
inline void bind_claim_of_one(params& p, const sync_request& r) {
    const claim_lane& l = r.lanes[0];
    p.clear();
    p.number(l.lane.value).number(l.cursor.rank.value).number(l.cursor.id.value);
    p.number(static_cast<std::int64_t>(r.limit)).number(r.worker.value).number(l.max_attempts);
}

inline void bind_claim(params& p, const sync_request& r) {
    const query& q = claim_query(r);
    if (r.lanes.size() == 1 && !r.lanes[0].lease_per_job) {
        const claim_lane& l = r.lanes[0];
        bind_claim_of_one(p, r);
        if (&q == &claim_few) return;
        if (&q == &claim_in_slot) p.boolean(l.exact);
        return bind_bytes(p, r);
    }
    const std::size_t n = r.lanes.size();
    p.clear();
    p.int4s(n, [&](std::size_t i) { return r.lanes[i].lane.value; })
        .int8s(n, [&](std::size_t i) { return r.lanes[i].cursor.rank.value; })
        .int8s(n, [&](std::size_t i) { return r.lanes[i].cursor.id.value; })
        .number(static_cast<std::int64_t>(r.limit))
        .number(r.worker.value)
        .int2s(n, [&](std::size_t i) { return r.lanes[i].max_attempts; });
    if (wants_lease_per_job(r))
        p.int2s(n, [&](std::size_t i) { return static_cast<std::int16_t>(r.lanes[i].lease_per_job); });
    bind_bytes(p, r);
}

/// Only a worker that is about to sleep waits for the locks of the lanes; other claims skip locked lanes.
inline void bind_claim_limited(params& p, const sync_request& r) {
    const std::size_t n = r.limited.size();
    p.clear();
    p.number(r.worker.value)
        .boolean(r.subscribe_wakes)
        .number(static_cast<std::int32_t>(r.limited_capacity))
        .int4s(n, [&](std::size_t i) { return r.limited[i].lane.value; })
        .int4s(n, [&](std::size_t i) { return static_cast<std::int32_t>(r.limited[i].most); })
        .int2s(n, [&](std::size_t i) { return r.limited[i].max_attempts; })
        .number(bytes_of(r));
}

}  // namespace pgq::statement
