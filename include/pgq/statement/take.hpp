#pragma once

#include <pgq/job/filter.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/statement/claim.hpp>
#include <pgq/statement/filter.hpp>
#include <pgq/statement/joined.hpp>
#include <pgq/statement/pack.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// Takes jobs for good, without a lease, and holds a taken job that cannot be read.
///
/// Client sessions do not pin their plans. A plan made while a table was empty reads all of a long one. So statements
/// that look for the first rows of an order are planned anew each time, which takes less than a twentieth of a commit.
namespace pgq::statement {

namespace take_text {

// A job that has expired is not taken. Few jobs have flags, so few are looked up.
inline constexpr std::string_view unless_expired = " AND (r.flags IS NULL OR r.attempts > 0 OR {s}.may_start(r.id))";

// Deletes the best $2 jobs of the lane $1, found and locked as by claim_one ...
inline constexpr std::string_view delete_chosen = "DELETE FROM {s}.ready WHERE ctid = ANY (ARRAY(";
inline constexpr std::string_view of_lane = "SELECT r.ctid FROM {s}.ready r WHERE r.lane = $1";
inline constexpr std::string_view of_lanes =
    "SELECT r.ctid FROM {s}.ready r WHERE r.lane = ANY (ARRAY(SELECT w.lane FROM unnest($1) w(lane) WHERE ";
inline constexpr std::string_view of_lanes_end = "))";
inline constexpr std::string_view best_first = " ORDER BY r.rank, r.id LIMIT $2 FOR UPDATE SKIP LOCKED))";
inline constexpr std::string_view of_one =
    joined<delete_chosen, of_lane, claim_text::unless_paused, unless_expired, best_first>::text;
// ... or over the lanes $1, as by claim_many ...
inline constexpr std::string_view peek = R"(
peek AS MATERIALIZED (
    SELECT t.lane, count(*) AS n FROM (
        SELECT w.lane FROM (SELECT w.lane FROM unnest($1) w(lane) WHERE )";
inline constexpr std::string_view each_lane = R"() w CROSS JOIN LATERAL (
            SELECT r.rank, r.id FROM {s}.ready r WHERE r.lane = w.lane)";
inline constexpr std::string_view best = R"( ORDER BY r.rank, r.id LIMIT $2) c
         ORDER BY c.rank, c.id LIMIT $2) t GROUP BY t.lane),
best AS MATERIALIZED (
    SELECT c.place FROM peek p CROSS JOIN LATERAL (
        SELECT r.ctid AS place FROM {s}.ready r WHERE r.lane = p.lane)";
inline constexpr std::string_view more = R"(
         ORDER BY r.rank, r.id LIMIT p.n FOR UPDATE SKIP LOCKED) c),
more AS MATERIALIZED (
    SELECT c.place FROM (SELECT w.lane FROM unnest($1) w(lane) WHERE )";
inline constexpr std::string_view from_any = R"() w CROSS JOIN LATERAL (
        SELECT r.ctid AS place FROM {s}.ready r
         WHERE r.lane = w.lane AND r.ctid <> ALL (ARRAY(SELECT place FROM best)))";
inline constexpr std::string_view most = R"(
         ORDER BY r.rank, r.id LIMIT $2 FOR UPDATE SKIP LOCKED) c
     LIMIT CASE WHEN (SELECT sum(n) FROM peek) >= $2 THEN $2 - (SELECT count(*) FROM best) ELSE 0 END))";
inline constexpr std::string_view best_of_many =
    joined<peek, claim_text::not_paused, each_lane, unless_expired, best, unless_expired, more, claim_text::not_paused,
           from_any, unless_expired, most>::text;
inline constexpr std::string_view those_of_many =
    "DELETE FROM {s}.ready WHERE ctid = ANY (ARRAY(SELECT place FROM best UNION ALL SELECT place FROM more))";
// ... or those that a filter lets pass: it reads the lane up to the last job that it takes, and several lanes whole.
inline constexpr std::string_view also = " AND ";
inline constexpr std::string_view of_one_filtered =
    joined<delete_chosen, of_lane, claim_text::unless_paused, unless_expired, also>::text;
inline constexpr std::string_view of_many_filtered =
    joined<delete_chosen, of_lanes, claim_text::not_paused, of_lanes_end, unless_expired, also>::text;

// A job that is taken for good is done: its waiting callers are notified.
inline constexpr std::string_view taken = R"(
RETURNING {answered_job},
          CASE WHEN flags & 1 <> 0
               THEN {s}.end_tracked(ARRAY[id], ARRAY['d'::"char"], ARRAY[attempts], NULL, NULL) END)";

// Claims instead, with a lease for each job. $3 is the worker, $4 max_attempts.
inline constexpr std::string_view got = "WITH got AS (";
inline constexpr std::string_view and_got = ", got AS (";
inline constexpr std::string_view leased = R"( RETURNING {job})
INSERT INTO {s}.lease ({lease}) SELECT $3, g.lane, $4, {alone} FROM got g)";
inline constexpr std::string_view with = "WITH ";

}  // namespace take_text

/// Takes the best $2 jobs of lane $1.
inline constexpr query take_one{"take_one", joined<take_text::of_one, take_text::taken>::text, false};
/// The same over the lanes $1.
inline constexpr query take_many{
    "take_many", joined<take_text::with, take_text::best_of_many, take_text::those_of_many, take_text::taken>::text,
    false};

/// take_one, take_many, and the same with a filter ($5, $6), with a lease for each job. Answers like claim_one.
inline constexpr query claim_apart_one{
    "claim_apart_one", joined<take_text::got, take_text::of_one, take_text::leased, claim_text::answer>::text};
inline constexpr query claim_apart_many{
    "claim_apart_many", joined<take_text::with, take_text::best_of_many, take_text::and_got, take_text::those_of_many,
                               take_text::leased, claim_text::answer>::text};

inline constexpr query promote_planned{promote.name, promote.text, false};
inline constexpr query unpack_planned{unpack.name, unpack.text, false};
inline constexpr query look_ahead_planned{peek_next_due.name, peek_next_due.text, false};

/// A statement whose text depends on a filter; it is never prepared. `get()` refers to this, so it must not move.
class filtered_query {
public:
    filtered_query(const char* name, const filter& f, int first, std::string_view before, std::string_view behind)
        : condition_{f, first} {
        text_ += before;
        text_ += condition_.text();
        text_ += behind;
        query_ = {name, text_, false};
    }
    filtered_query(const filtered_query&) = delete;
    filtered_query& operator=(const filtered_query&) = delete;

    const query& get() const noexcept { return query_; }
    void bind_filter(params& p) const { condition_.bind(p); }

private:
    filter_condition condition_;
    std::string text_{};
    query query_{};
};

/// The statement that takes jobs for one request, and the text it may need.
class take_statement {
public:
    explicit take_statement(const take_request& r) : request_{&r} {
        if (r.where == nullptr || r.where->is_everything()) return;
        filtered_.emplace("take_filtered", *r.where, 3,
                          r.lanes.size() == 1 ? take_text::of_one_filtered : take_text::of_many_filtered,
                          joined<take_text::best_first, take_text::taken>::text);
    }

    const query& get() const noexcept {
        if (filtered_) return filtered_->get();
        return request_->lanes.size() == 1 ? take_one : take_many;
    }
    /// The parameters of `unpack`, which runs before it.
    void bind_unpack(params& p) const {
        p.int4s(request_->lanes.size(), [&](std::size_t i) { return request_->lanes[i].value; });
        statement::bind_unpack(p, request_->limit, request_->where);
    }
    void bind(params& p) const {
        const auto& lanes = request_->lanes;
        if (lanes.size() == 1) p.number(lanes[0].value);
        else p.int4s(lanes.size(), [&](std::size_t i) { return lanes[i].value; });
        p.number(static_cast<std::int64_t>(request_->limit));
        if (filtered_) filtered_->bind_filter(p);
    }

private:
    const take_request* request_;
    std::optional<filtered_query> filtered_{};
};

/// The jobs of the lanes $1 in the states $2 (w ready, d deferred, b blocked, l leased, h held) that a filter ($4, $5)
/// lets pass.
inline constexpr std::string_view find_before = R"(
SELECT r.id FROM (
    SELECT id, headers, 'w' AS state FROM {s}.ready WHERE lane = ANY ($1)
    UNION ALL SELECT unnest(ids), NULL, 'w' FROM {s}.pack WHERE lane = ANY ($1)
    UNION ALL SELECT id, headers, CASE WHEN kind IN ('h', 'b') THEN kind::text ELSE 'd' END FROM {s}.deferred
               WHERE lane = ANY ($1)
    UNION ALL SELECT j.id, l.headers[j.o], 'l' FROM {s}.lease l, unnest(l.ids) WITH ORDINALITY j(id, o)
               WHERE l.lane = ANY ($1) AND (l.done IS NULL OR get_bit(l.done, j.o::int - 1) = 0)) r
 WHERE strpos($2, r.state) > 0 AND )";
inline constexpr std::string_view find_behind = " ORDER BY r.id LIMIT $3";

/// The statement for a claim with a lease for each job, and the text it may need.
class filtered_claim {
public:
    explicit filtered_claim(const sync_request& r) : request_{&r} {
        if (r.claim_filter->is_everything()) return;
        filtered_.emplace("claim_filtered", *r.claim_filter, 5,
                          r.lanes.size() == 1 ? claim_filtered_one : claim_filtered_many,
                          joined<take_text::best_first, take_text::leased, claim_text::answer>::text);
    }

    const query& get() const noexcept {
        if (filtered_) return filtered_->get();
        return request_->lanes.size() == 1 ? claim_apart_one : claim_apart_many;
    }
    void bind(params& p) const {
        const auto& lanes = request_->lanes;
        if (lanes.size() == 1) p.number(lanes[0].lane.value);
        else p.int4s(lanes.size(), [&](std::size_t i) { return lanes[i].lane.value; });
        p.number(static_cast<std::int64_t>(request_->limit));
        p.number(request_->worker.value).number(lanes[0].max_attempts);
        if (filtered_) filtered_->bind_filter(p);
    }

private:
    static constexpr std::string_view claim_filtered_one = joined<take_text::got, take_text::of_one_filtered>::text;
    static constexpr std::string_view claim_filtered_many = joined<take_text::got, take_text::of_many_filtered>::text;

    const sync_request* request_;
    std::optional<filtered_query> filtered_{};
};

/// Ends a lease of one job inside the caller's transaction, wherever its row is. When the lease is gone the statement
/// fails, by a cast of a text that is no number, so that the transaction cannot commit by mistake.
inline constexpr query finish_inside{"finish_inside", R"(
WITH l AS (DELETE FROM {s}.lease WHERE id = $1 AND worker = $2 RETURNING id, ids, attempts, flags)
SELECT CASE WHEN c.n = 1 THEN 1 ELSE ('the lease was lost: ' || c.n || ' rows')::int4 END,
       (SELECT {s}.end_tracked(l.ids, ARRAY['d'::"char"], l.attempts, NULL, NULL) FROM l WHERE l.flags[1] & 1 <> 0)
  FROM (SELECT count(*) AS n FROM l) c)"};

/// Holds a job that was taken. Idempotent: the answer to the first time may have been lost.
inline constexpr query hold_taken{"hold_taken", R"(
WITH changed AS (UPDATE {s}.outcome SET kind = 'h', reason = $5, keep_until = 'infinity' WHERE id = $1)
INSERT INTO {s}.deferred ({deferred})
SELECT 'infinity', 'h', $5, {job} FROM (
    SELECT $1 AS id, $2 AS rank, $3 AS lane, $4 AS attempts, NULL::int2 AS flags,
           CASE WHEN cardinality($7) > 0 THEN jsonb_object($7, $8) END AS headers, ($6)[1] AS key, $9 AS body,
           'epoch'::timestamptz + $10 * interval '1 microsecond' AS enqueued_at) j
 WHERE NOT EXISTS (SELECT FROM {s}.deferred WHERE kind = 'h' AND lane = $3 AND id = $1))"};

inline void bind_hold_taken(params& p, const taken_record& job, std::string_view reason) {
    p.clear();
    const std::size_t n = job.headers.size();
    p.number(job.id.value)
        .number(job.rank.value)
        .number(job.lane.value)
        .number(job.attempts)
        .text(reason)
        .texts(job.key ? 1 : 0, [&](std::size_t) -> std::string_view { return *job.key; })
        .texts(n, [&](std::size_t i) -> std::string_view { return job.headers[i].name; })
        .texts(n, [&](std::size_t i) -> std::string_view { return job.headers[i].value; })
        .bytes(job.body)
        .number(std::int64_t{job.enqueued_at.time_since_epoch().count()});
}

inline constexpr query begin{"begin", "BEGIN ISOLATION LEVEL READ COMMITTED", false};
inline constexpr query commit{"commit", "COMMIT", false};
inline constexpr query rollback{"rollback", "ROLLBACK", false};
/// All savepoints have one name: PostgreSQL takes the innermost.
inline constexpr query savepoint{"savepoint", "SAVEPOINT pgq_point", false};
inline constexpr query rollback_to_savepoint{"rollback_to_savepoint", "ROLLBACK TO SAVEPOINT pgq_point", false};
inline constexpr query release_savepoint{"release_savepoint", "RELEASE SAVEPOINT pgq_point", false};

}  // namespace pgq::statement
