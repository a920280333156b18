#pragma once

#include <pgq/protocol/tracked.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::statement {

/// sql/0003_tracked.sql says what these do.
inline constexpr query enqueue_tracked{
    "enqueue_tracked",
    "SELECT array_agg(job), array_agg(fresh) FROM {s}.enqueue_tracked($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
    "$12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)"};

/// $2 is the number of the waiter's channel, null for a session that cannot be notified; $3 are microseconds.
inline constexpr query watch{"watch",
                             "SELECT id, kind, attempts, coalesce(reason, ''), result"
                             " FROM {s}.watch($1, $2, $3 * interval '1 microsecond')"};

inline constexpr query failures{"failures", R"(
SELECT attempt, (extract(epoch FROM failed_at) * 1000000)::int8, reason FROM {s}.failure WHERE id = $1
    ORDER BY failed_at, attempt)"};
inline constexpr query open_jobs{"open_jobs", "SELECT {s}.count_open_jobs($1, $2)"};
/// Failed jobs of the lanes $1 go to the lanes $2 from now on, or are held where $2 is null.
inline constexpr query set_dead_letter_routes{"set_dead_letter_routes", R"(
UPDATE {s}.lane l SET dead_letters = n.target FROM unnest($1, $2) n(id, target) WHERE l.id = n.id)"};

namespace detail {

inline std::int64_t micros_of(duration d) noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}
inline std::int16_t kind_of(const when& w) noexcept { return static_cast<std::int16_t>(w.how()); }

}  // namespace detail

inline void bind_enqueue_tracked(params& p, const tracked_request& r) {
    const std::size_t n = r.bodies->size();
    const auto of = [&r](auto get) { return [&r, get](std::size_t i) { return get(r.option(i)); }; };
    using options = enqueue_options;
    std::vector<std::pair<std::int32_t, header>> heads;
    std::vector<std::pair<std::int32_t, std::int64_t>> waits;
    for (std::size_t i = 0; i < n; ++i) {
        const auto number = static_cast<std::int32_t>(i + 1);
        for (const auto& h : r.option(i).headers) heads.emplace_back(number, h);
        for (const auto parent : r.option(i).after) waits.emplace_back(number, parent.value);
    }
    p.clear();
    p.int4s(n, [&](std::size_t i) { return r.lane(i).value; })
        .int2s(n, of([](const options& o) { return o.priority; }))
        .int2s(n, of([](const options& o) { return detail::kind_of(o.run_at); }))
        .int8s(n, of([](const options& o) { return o.run_at.micros(); }))
        .int2s(n, of([](const options& o) { return detail::kind_of(o.expected_at); }))
        .int8s(n, of([](const options& o) { return o.expected_at.micros(); }))
        .byteas(n, [&](std::size_t i) { return (*r.bodies)[i]; })
        .int4s(heads.size(), [&](std::size_t i) { return heads[i].first; })
        .texts(heads.size(), [&](std::size_t i) { return heads[i].second.name; })
        .texts(heads.size(), [&](std::size_t i) { return heads[i].second.value; })
        .texts_or_null(r.has_keys() ? n : 0, [&](std::size_t i) { return r.key(i); })
        .texts(n, of([](const options& o) { return o.unique_key.key(); }))
        .letters(n, of([](const options& o) { return o.unique_key.scope(); }))
        .int8s(n, of([](const options& o) { return detail::micros_of(o.unique_key.period()); }))
        .letters(n, of([](const options& o) { return o.unique_key.then(); }))
        .int2s(n, of([](const options& o) { return detail::kind_of(o.expires_at); }))
        .int8s(n, of([](const options& o) { return o.expires_at.micros(); }))
        .bools(n, of([](const options& o) { return o.if_expired == on_expiry::hold; }))
        .int8s(n, of([](const options& o) { return detail::micros_of(o.keep_outcome); }))
        .letters(n, of([](const options& o) { return o.if_parent_fails; }))
        .int4s(waits.size(), [&](std::size_t i) { return waits[i].first; })
        .int8s(waits.size(), [&](std::size_t i) { return waits[i].second; })
        .int4s(2 * r.edges.size(),
               [&](std::size_t i) {
                   const edge& e = r.edges[i / 2];
                   return static_cast<std::int32_t>(i % 2 == 0 ? e.child : e.parent) + 1;
               })
        .int8s(n, of([](const options& o) { return o.at_most; }));
    const auto named = std::ranges::find_if(r.options, [](const options& o) { return o.request_id.is_set(); });
    if (named != r.options.end()) p.text(named->request_id.text());
    else p.null(wire::text_oid);
}

inline void bind_watch(params& p, std::span<const job_id> ids, std::int32_t waiter, duration keep_for) {
    p.clear();
    p.int8s(ids.size(), [&](std::size_t i) { return ids[i].value; });
    if (waiter == 0) p.null(wire::int4_oid);
    else p.number(waiter);
    p.number(detail::micros_of(keep_for));
}

}  // namespace pgq::statement
