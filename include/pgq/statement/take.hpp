#pragma once

#include <pgq/job/exchange.hpp>
#include <pgq/job/filter.hpp>
#include <pgq/job/take.hpp>
#include <pgq/statement/claim.hpp>
#include <pgq/statement/filter.hpp>
#include <pgq/statement/pack.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// Taking jobs for good, without a lease, and putting one aside that cannot be read.
///
/// Sessions of clients do not pin their plans, and a plan that was made while a table was empty reads all of it when it is long: what
/// looks for the first rows of an order is planned anew each time. That takes less than a twentieth of a commit.
namespace pgq::statement {

// Who takes a job for good has done it: that is what those hear who wait for it.
#define PGQ_TAKEN                                                                               \
    " RETURNING id, lane, rank, attempts, key, body,"                                           \
    " (SELECT array_agg(ARRAY[e.key, coalesce(e.value, '')]) FROM jsonb_each_text(headers) e)," \
    " CASE WHEN flags & 1 <> 0 THEN {s}.ended(ARRAY[id], ARRAY['d'::\"char\"], ARRAY[attempts], NULL, NULL) END"

/// The best $2 jobs of lane $1, found and locked as by claim_one.
inline constexpr query take_one{"take_one",
                                "DELETE FROM {s}.ready WHERE ctid = ANY (ARRAY("
                                " SELECT ctid FROM {s}.ready WHERE lane = $1"
                                " ORDER BY rank, id LIMIT $2 FOR UPDATE SKIP LOCKED))" PGQ_TAKEN,
                                false};

// The places of the best $2 jobs over the lanes $1, as claim_many finds them.
#define PGQ_BEST_OF_LANES                                                                             \
    "peek AS MATERIALIZED ("                                                                          \
    " SELECT t.lane, count(*) AS n FROM ("                                                            \
    "  SELECT w.lane FROM unnest($1) w(lane) CROSS JOIN LATERAL ("                                    \
    "   SELECT r.rank, r.id FROM {s}.ready r WHERE r.lane = w.lane ORDER BY r.rank, r.id LIMIT $2) c" \
    "  ORDER BY c.rank, c.id LIMIT $2) t GROUP BY t.lane),"                                           \
    " best AS MATERIALIZED ("                                                                         \
    " SELECT c.place FROM peek p CROSS JOIN LATERAL ("                                                \
    "  SELECT r.ctid AS place FROM {s}.ready r WHERE r.lane = p.lane"                                 \
    "   ORDER BY r.rank, r.id LIMIT p.n FOR UPDATE SKIP LOCKED) c),"                                  \
    " more AS MATERIALIZED ("                                                                         \
    " SELECT c.place FROM unnest($1) w(lane) CROSS JOIN LATERAL ("                                    \
    "  SELECT r.ctid AS place FROM {s}.ready r WHERE r.lane = w.lane"                                 \
    "   AND r.ctid <> ALL (ARRAY(SELECT place FROM best))"                                            \
    "   ORDER BY r.rank, r.id LIMIT $2 FOR UPDATE SKIP LOCKED) c"                                     \
    " LIMIT CASE WHEN (SELECT sum(n) FROM peek) >= $2 THEN $2 - (SELECT count(*) FROM best) ELSE 0 END)"
#define PGQ_THOSE \
    "DELETE FROM {s}.ready WHERE ctid = ANY (ARRAY(SELECT place FROM best UNION ALL SELECT place FROM more))"

/// The same over the lanes $1.
inline constexpr query take_many{"take_many", "WITH " PGQ_BEST_OF_LANES " " PGQ_THOSE PGQ_TAKEN, false};
inline constexpr query promote_planned{promote.name, promote.text, false};
inline constexpr query unpack_planned{unpack.name, unpack.text, false};
inline constexpr query look_ahead_planned{look_ahead.name, look_ahead.text, false};

/// A statement whose text depends on a filter: sent each time, prepared never. In one place as long as it is used.
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

/// The best $2 jobs of one lane, or of the lanes $1, that a filter ($3, $4) lets pass: a scan along the lane up to the last that is
/// taken; of several lanes, all of them.
inline constexpr std::string_view take_filtered_tail =
    " ORDER BY r.rank, r.id LIMIT $2 FOR UPDATE SKIP LOCKED))" PGQ_TAKEN;
inline constexpr std::string_view take_filtered_one =
    "DELETE FROM {s}.ready WHERE ctid = ANY (ARRAY(SELECT r.ctid FROM {s}.ready r WHERE r.lane = $1 AND ";
inline constexpr std::string_view take_filtered_many =
    "DELETE FROM {s}.ready WHERE ctid = ANY (ARRAY(SELECT r.ctid FROM {s}.ready r WHERE r.lane = ANY ($1) AND ";

#undef PGQ_TAKEN

// Into a lease of its own each, of worker $3; $4 is max_attempts. Answered as a claim is.
#define PGQ_APART                                                                                             \
    " RETURNING lane, id, rank, attempts, flags, headers, key, body)"                                         \
    " INSERT INTO {s}.lease (worker, lane, max_attempts, ids, ranks, attempts, flags, headers, keys, bodies)" \
    " SELECT $3, lane, $4, ARRAY[id], ARRAY[rank], ARRAY[(least(attempts, 32766) + 1)::int2],"                \
    " CASE WHEN flags IS NOT NULL THEN ARRAY[flags] END,"                                                     \
    " CASE WHEN headers IS NOT NULL THEN ARRAY[headers] END, CASE WHEN key IS NOT NULL THEN ARRAY[key] END,"  \
    " ARRAY[body] FROM got"                                                                                   \
    " RETURNING id, ctid, lane, ids, ranks, attempts, bodies,"                                                \
    " (SELECT array_agg(ARRAY['1', e.key, coalesce(e.value, '')]) FROM jsonb_each_text(headers[1]) e), flags"

/// As take_one, take_many and the filtered ones, but claimed.
inline constexpr query claim_apart_one{"claim_apart_one",
                                       "WITH got AS (DELETE FROM {s}.ready WHERE ctid = ANY (ARRAY("
                                       " SELECT ctid FROM {s}.ready WHERE lane = $1"
                                       " ORDER BY rank, id LIMIT $2 FOR UPDATE SKIP LOCKED))" PGQ_APART};
inline constexpr query claim_apart_many{"claim_apart_many", "WITH " PGQ_BEST_OF_LANES ", got AS (" PGQ_THOSE PGQ_APART};
inline constexpr std::string_view claim_filtered_tail =
    " ORDER BY r.rank, r.id LIMIT $2 FOR UPDATE SKIP LOCKED))" PGQ_APART;
inline constexpr std::string_view claim_filtered_one =
    "WITH got AS (DELETE FROM {s}.ready WHERE ctid = ANY (ARRAY(SELECT r.ctid FROM {s}.ready r WHERE r.lane = $1 AND ";
inline constexpr std::string_view claim_filtered_many =
    "WITH got AS (DELETE FROM {s}.ready WHERE ctid = ANY (ARRAY(SELECT r.ctid FROM {s}.ready r WHERE r.lane = ANY ($1) "
    "AND ";

#undef PGQ_APART
#undef PGQ_THOSE
#undef PGQ_BEST_OF_LANES

/// The statement for one request, with what it has to own.
class take_statement {
public:
    explicit take_statement(const take_request& r) : request_{&r} {
        if (r.where == nullptr || r.where->is_everything()) return;
        filtered_.emplace("take_filtered", *r.where, 3, r.lanes.size() == 1 ? take_filtered_one : take_filtered_many,
                          take_filtered_tail);
    }

    const query& get() const noexcept {
        if (filtered_) return filtered_->get();
        return request_->lanes.size() == 1 ? take_one : take_many;
    }
    /// For `unpack`, before it.
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

/// The jobs of the lanes $1 in the places $2 (w waiting, d deferred, b blocked, l leased, h held) that a filter ($4, $5) lets pass.
inline constexpr std::string_view find_before =
    "SELECT r.id FROM (SELECT id, headers, 'w' AS place FROM {s}.ready WHERE lane = ANY ($1)"
    " UNION ALL SELECT unnest(ids), NULL, 'w' FROM {s}.pack WHERE lane = ANY ($1)"
    " UNION ALL SELECT id, headers, CASE WHEN kind IN ('h', 'b') THEN kind::text ELSE 'd' END FROM {s}.deferred WHERE "
    "lane = ANY ($1)"
    " UNION ALL SELECT j.id, l.headers[j.o], 'l' FROM {s}.lease l, unnest(l.ids) WITH ORDINALITY j(id, o)"
    " WHERE l.lane = ANY ($1) AND (l.done IS NULL OR get_bit(l.done, j.o::int - 1) = 0)) r"
    " WHERE strpos($2, r.place) > 0 AND ";
inline constexpr std::string_view find_behind = " ORDER BY r.id LIMIT $3";

/// The statement for an exchange that claims jobs apart, with what it has to own.
class apart_statement {
public:
    explicit apart_statement(const exchange_request& r) : request_{&r} {
        if (r.apart->is_everything()) return;
        filtered_.emplace("claim_filtered", *r.apart, 5, r.lanes.size() == 1 ? claim_filtered_one : claim_filtered_many,
                          claim_filtered_tail);
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
    const exchange_request* request_;
    std::optional<filtered_query> filtered_{};
};

/// Ends a lease of one job inside of somebody's own transaction, wherever it has moved. When the lease is gone that transaction must not be committed by mistake:
/// the statement fails then, by a text that is no number.
inline constexpr query finish_inside{"finish_inside", R"(
WITH l AS (DELETE FROM {s}.lease WHERE id = $1 AND worker = $2 RETURNING id, ids, attempts, flags)
SELECT CASE WHEN c.n = 1 THEN 1 ELSE ('the lease was lost: ' || c.n || ' rows')::int4 END,
       (SELECT {s}.ended(l.ids, ARRAY['d'::"char"], l.attempts, NULL, NULL) FROM l WHERE l.flags[1] & 1 <> 0)
  FROM (SELECT count(*) AS n FROM l) c)"};

/// A job that was taken becomes a held one. Said twice it is there once: the answer to the first time may have been lost.
inline constexpr query keep{"keep", R"(
WITH told AS (UPDATE {s}.outcome SET kind = 'h', reason = $5, keep_until = 'infinity' WHERE id = $1)
INSERT INTO {s}.deferred (run_at, kind, id, rank, lane, attempts, reason, key, headers, body)
SELECT 'infinity', 'h', $1, $2, $3, $4, $5, ($6)[1], CASE WHEN cardinality($7) > 0 THEN jsonb_object($7, $8) END, $9
 WHERE NOT EXISTS (SELECT FROM {s}.deferred WHERE kind = 'h' AND lane = $3 AND id = $1))"};

inline void bind_keep(params& p, const taken_record& job, std::string_view reason) {
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
        .bytes(job.body);
}

inline constexpr query begin{"begin", "BEGIN ISOLATION LEVEL READ COMMITTED", false};
inline constexpr query commit{"commit", "COMMIT", false};
inline constexpr query rollback{"rollback", "ROLLBACK", false};
/// Of one name all of them: the innermost is the one that is meant.
inline constexpr query savepoint{"savepoint", "SAVEPOINT pgq_point", false};
inline constexpr query rollback_to_savepoint{"rollback_to_savepoint", "ROLLBACK TO SAVEPOINT pgq_point", false};
inline constexpr query release_savepoint{"release_savepoint", "RELEASE SAVEPOINT pgq_point", false};

}  // namespace pgq::statement
