#pragma once

#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/statement/joined.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/statement/track.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::statement {

namespace enqueue_text {

// The lane $1, unless it is draining: then the statement fails. While nothing drains this costs nothing, see
// docs/design/pausing.md.
inline constexpr std::string_view open_lane = "{s}.open_lane($1)";

inline constexpr std::string_view one = "INSERT INTO {s}.ready (lane, rank, body) VALUES (";
inline constexpr std::string_view one_rest = ", $2, $3) RETURNING id";
inline constexpr std::string_view many = "WITH put AS (INSERT INTO {s}.ready (lane, rank, body) SELECT ";
inline constexpr std::string_view many_rest = R"(, $2, b FROM unnest($3) b RETURNING id)
SELECT array_agg(id) FROM put)";
inline constexpr std::string_view pack = "INSERT INTO {s}.pack ({new_pack}) SELECT d.ids[1], $2, ";
inline constexpr std::string_view pack_rest = R"(, cardinality(d.ids), d.ids, $3
  FROM (SELECT ARRAY(SELECT nextval('{q}.job_id') FROM generate_series(1, cardinality($3))) AS ids) d RETURNING ids)";

inline constexpr std::string_view any = R"(
WITH head AS (
    SELECT h.o, jsonb_object_agg(h.name, h.value) AS headers
      FROM unnest($8, $9, $10) h(o, name, value) GROUP BY h.o),
item AS MATERIALIZED (
    SELECT nextval('{q}.job_id') AS id, )";
inline constexpr std::string_view any_rest = R"( AS lane, i.o, i.key, i.body,
           CASE i.run_kind WHEN 1 THEN statement_timestamp() + i.run_us * interval '1 microsecond'
                           WHEN 2 THEN 'epoch'::timestamptz + i.run_us * interval '1 microsecond' END AS run_at,
           ((~ i.priority::int4)::int8 << 48) | CASE i.exp_kind
               WHEN 1 THEN greatest(0, least(281474976710654,
                               (extract(epoch FROM statement_timestamp()) * 1000)::int8 + i.exp_us / 1000))
               WHEN 2 THEN greatest(0, least(281474976710654, i.exp_us / 1000))
               ELSE 281474976710655 END AS rank
      FROM unnest($2, $3, $4, $5, $6, $7, $11) WITH ORDINALITY
           i(priority, run_kind, run_us, exp_kind, exp_us, body, key, o)),
now AS (
    INSERT INTO {s}.ready ({new_job}) SELECT {new_job} FROM item LEFT JOIN head USING (o)
     WHERE run_at IS NULL OR run_at <= statement_timestamp() ORDER BY o),
later AS (
    INSERT INTO {s}.deferred (run_at, kind, {new_job}) SELECT run_at, 'd', {new_job} FROM item LEFT JOIN head USING (o)
     WHERE run_at > statement_timestamp())
SELECT array_agg(id ORDER BY o) FROM item)";

}  // namespace enqueue_text

/// One job with nothing but a priority.
inline constexpr query enqueue_one{"enqueue_one",
                                   joined<enqueue_text::one, enqueue_text::open_lane, enqueue_text::one_rest>::text};

/// Many jobs of one rank. unnest yields them in input order, so their ids ascend in that order.
inline constexpr query enqueue_many{"enqueue_many",
                                    joined<enqueue_text::many, enqueue_text::open_lane, enqueue_text::many_rest>::text};

/// Jobs of one rank in one row.
inline constexpr query enqueue_pack{"enqueue_pack",
                                    joined<enqueue_text::pack, enqueue_text::open_lane, enqueue_text::pack_rest>::text};

/// Many jobs, each with a priority, times and headers. Relative times count from the server's clock.
/// $2 priorities; $3, $4 run_at and $5, $6 expected_at as kind (0 unset, 1 relative, 2 absolute) and microseconds;
/// $8, $9, $10 headers as (number of the job, name, value); $11 keys, none or one for each job.
inline constexpr query enqueue_any{"enqueue_any",
                                   joined<enqueue_text::any, enqueue_text::open_lane, enqueue_text::any_rest>::text};

/// A stream of jobs that draws ids as it goes.
inline constexpr query enqueue_copy{"enqueue_copy",
                                    "COPY {s}.ready (lane, rank, key, body) FROM STDIN (FORMAT binary)"};

/// The same with given ids, which `draw_ids` draws. A job costs less than by `enqueue_many`, and a batch three round
/// trips more.
inline constexpr query enqueue_copy_as{"enqueue_copy_as",
                                       "COPY {s}.ready (id, lane, rank, key, body) FROM STDIN (FORMAT binary)"};
inline constexpr query draw_ids{"draw_ids",
                                "SELECT array_agg(nextval('{q}.job_id')), set_config('synchronous_commit', 'off', true)"
                                " FROM generate_series(1, $1::int4)"};

/// An enqueue of so many jobs or more uses COPY; see docs/design/speed.md.
inline constexpr std::size_t worth_copying = 5000;

/// The most jobs in a pack.
inline constexpr std::size_t jobs_in_pack = 100;

/// The statement for this request, unless it packs its jobs.
inline const query& enqueue_query(const enqueue_request& r) noexcept {
    switch (r.form()) {
    case insert_form::tracked: return enqueue_tracked;
    case insert_form::any: return enqueue_any;
    case insert_form::one: return enqueue_one;
    case insert_form::many:
    case insert_form::packed: break;
    }
    return enqueue_many;
}

namespace detail {

inline void put_headers(params& p, const enqueue_request& r) {
    std::vector<std::pair<std::int32_t, header>> flat;
    for (std::size_t i = 0; i < r.bodies->size(); ++i)
        for (const auto& h : r.option(i).headers) flat.emplace_back(static_cast<std::int32_t>(i + 1), h);
    p.int4s(flat.size(), [&](std::size_t i) { return flat[i].first; })
        .texts(flat.size(), [&](std::size_t i) { return flat[i].second.name; })
        .texts(flat.size(), [&](std::size_t i) { return flat[i].second.value; });
}

}  // namespace detail

/// Binds the parameters of `enqueue_query(r)`.
inline void bind_enqueue(params& p, const enqueue_request& r) {
    if (r.form() == insert_form::tracked)
        return bind_enqueue_tracked(p,
                                    {.lanes = {&r.lane, 1}, .bodies = r.bodies, .options = r.options, .keys = r.keys});
    const std::size_t n = r.bodies->size();
    const auto body = [&](std::size_t i) { return (*r.bodies)[i]; };
    p.clear();
    p.number(r.lane.value);
    if (r.is_plain()) {
        p.number(rank::of(r.options[0].priority).value);
        if (n == 1) p.bytes(body(0));
        else p.byteas(n, body);
        return;
    }
    p.int2s(n, [&](std::size_t i) { return r.option(i).priority; })
        .int2s(n, [&](std::size_t i) { return static_cast<std::int16_t>(r.option(i).run_at.how()); })
        .int8s(n, [&](std::size_t i) { return r.option(i).run_at.micros(); })
        .int2s(n, [&](std::size_t i) { return static_cast<std::int16_t>(r.option(i).expected_at.how()); })
        .int8s(n, [&](std::size_t i) { return r.option(i).expected_at.micros(); })
        .byteas(n, body);
    detail::put_headers(p, r);
    p.texts(r.has_keys() ? n : 0, [&](std::size_t i) { return (*r.keys)[i]; });
}

/// Binds the parameters of `enqueue_pack` for `n` jobs of the request, from number `first` on.
inline void bind_pack(params& p, const enqueue_request& r, std::size_t first, std::size_t n) {
    p.clear();
    p.number(r.lane.value).number(rank::of(r.options[0].priority).value).byteas(n, [&](std::size_t i) {
        return (*r.bodies)[first + i];
    });
}

}  // namespace pgq::statement
