#pragma once

#include <pgq/driver/memory/table/job.hpp>
#include <pgq/driver/memory/table/lane_table.hpp>
#include <pgq/driver/memory/table/lease_table.hpp>
#include <pgq/driver/memory/table/match.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What an operator lists; see concept/admin.hpp.
namespace pgq::driver::in_memory {

inline std::vector<listed_lane> list_lanes(tables& db, const lane_query& q) {
    std::vector<listed_lane> out;
    for (const lane_id lane : db.lanes.find(q.queue, q.entrypoint)) {
        if (lane <= q.after) continue;
        if (static_cast<std::int64_t>(out.size()) >= q.most) break;
        const lane_key& key = db.lanes.key(lane);
        out.push_back({.id = lane,
                       .queue = key.queue,
                       .entrypoint = key.entrypoint,
                       .version = key.version,
                       .dead_letters = db.jobs.dead_letters_of(lane),
                       .keep_failures = db.jobs.all_failures().kept_of(lane),
                       .paused = db.pauses.find(pause_kind::paused, key) != nullptr,
                       .draining = db.pauses.find(pause_kind::draining, key) != nullptr});
    }
    return out;
}

namespace detail {

inline listed_job listed_of(const job& j, job_state state) {
    stored_job s = stored_of(j);
    return {.id = j.id,
            .lane = j.lane,
            .rank = j.rank,
            .state = state,
            .attempts = j.attempts,
            .enqueued_at = j.enqueued_at,
            .headers = std::move(s.headers),
            .key = std::move(s.key)};
}
/// A job that no worker has.
inline listed_job listed_waiting(tables& db, const job& j, job_state state, std::optional<time_point> due = {}) {
    listed_job l = listed_of(j, state);
    if (state != job_state::ready) l.since = j.since;
    l.run_at = due;
    if (const auto held = db.jobs.held_reason(j.id)) l.reason = held->second;
    else if (const auto failed = db.jobs.failures(j.id); state == job_state::deferred && !failed.empty())
        l.reason = failed.back().reason;
    return l;
}
inline bool has_headers(const listed_job& j, std::span<const header> wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const header& w) {
        return std::any_of(j.headers.begin(), j.headers.end(),
                           [&](const owned_header& h) { return h.name == w.name && h.value == w.value; });
    });
}
inline bool is_searched(const job_search& r, const job& j, job_state state) {
    return j.id > r.after && j.id <= r.last && includes(r.states, state) &&
           (!r.lanes || std::find(r.lanes->begin(), r.lanes->end(), j.lane) != r.lanes->end()) &&
           (!r.enqueued_since || j.enqueued_at >= *r.enqueued_since) &&
           (!r.enqueued_before || j.enqueued_at < *r.enqueued_before);
}

}  // namespace detail

inline job_page list_jobs(tables& db, const job_search& r) {
    job_page page;
    const auto add = [&](listed_job j) {
        if (detail::has_headers(j, r.headers) && j.reason.find(r.reason) != std::string::npos)
            page.jobs.push_back(std::move(j));
    };
    db.jobs.for_each([&](const job& j, job_state state) {
        if (state != job_state::deferred && detail::is_searched(r, j, state)) add(detail::listed_waiting(db, j, state));
    });
    db.jobs.for_each_deferred([&](time_point due, const job& j) {
        if (detail::is_searched(r, j, job_state::deferred))
            add(detail::listed_waiting(db, j, job_state::deferred, due));
    });
    db.leases.for_each_running([&](const lease& l, std::size_t i) {
        const job j = l.current(i);
        if (!detail::is_searched(r, j, job_state::leased)) return;
        listed_job one = detail::listed_of(j, job_state::leased);
        one.since = l.claimed_at;
        one.worker = l.worker;
        add(std::move(one));
    });
    std::sort(page.jobs.begin(), page.jobs.end(), [](const listed_job& a, const listed_job& b) { return a.id < b.id; });
    const auto most = static_cast<std::size_t>(std::max<std::int64_t>(r.most, 0));
    if (page.jobs.size() < most) return page;
    page.jobs.resize(most);
    if (!page.jobs.empty()) page.next = page.jobs.back().id;
    return page;
}

inline std::vector<listed_worker> list_workers(tables& db, worker_id after, std::int64_t most) {
    auto all = db.workers.list(after, most, db.clock.steady_now(), db.clock.now());
    for (listed_worker& w : all)
        db.leases.for_each_running([&](const lease& l, std::size_t) { w.running += l.worker == w.id ? 1 : 0; });
    return all;
}

inline std::vector<failed_group> failed_groups(tables& db, std::optional<std::span<const lane_id>> lanes,
                                               std::int64_t most) {
    constexpr std::size_t most_groups = 1000;
    const auto all = list_jobs(db, {.lanes = lanes, .states = job_state::held, .most = INT64_MAX});
    std::map<std::pair<lane_id, std::string>, failed_group> groups;
    std::map<lane_id, std::int64_t> found;
    for (const listed_job& j : all.jobs) ++found[j.lane];
    std::map<lane_id, std::int64_t> left = found;
    for (const listed_job& j : all.jobs) {
        if (left[j.lane]-- > most) continue;
        const std::string line = group_of_reason(j.reason);
        failed_group& g = groups[{j.lane, line}];
        g.lane = j.lane;
        g.reason = line;
        ++g.count.value;
        g.count.capped = found[j.lane] > most;
        g.latest = std::max(g.latest, j.since.value_or(j.enqueued_at));
        g.example = j.id;
    }
    std::vector<failed_group> out;
    out.reserve(groups.size());
    for (auto& [key, g] : groups) out.push_back(std::move(g));
    std::stable_sort(out.begin(), out.end(),
                     [](const failed_group& a, const failed_group& b) { return a.count.value > b.count.value; });
    if (out.size() > most_groups) out.resize(most_groups);
    return out;
}

}  // namespace pgq::driver::in_memory
