#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace pgq {

struct overview_request {
    std::string_view queue{};                 ///< empty: all
    duration last = std::chrono::minutes{5};  ///< the window of the statistics, up to now
    std::size_t failures = 20;                ///< so many failed attempts, the latest
    std::size_t most_lanes = 1000;            ///< at least 1
};

/// All lanes of one entrypoint of one queue together.
struct entrypoint_overview {
    std::string queue{};
    std::string entrypoint{};
    std::vector<lane_id> lanes{};  ///< one for each version of the payload
    bool paused = false;           ///< no job starts
    bool draining = false;         ///< no job is enqueued
    capped_counts counts{};
    job_statistics last{};  ///< over overview_request::last
};

/// What a dashboard shows first.
struct overview {
    time_point at{};                                 ///< by the database's clock
    std::vector<entrypoint_overview> entrypoints{};  ///< in the order of their names
    std::vector<listed_worker> workers{};            ///< at most 1000
    std::vector<stored_schedule> schedules{};        ///< in the order of the names of their queues, then of their own
    std::vector<job_failure> failures{};             ///< latest first
    bool more_lanes = false;                         ///< there are more than overview_request::most_lanes

    /// The entrypoint that has this lane. Null, if none of these has it.
    const entrypoint_overview* find(lane_id lane) const noexcept {
        for (const auto& e : entrypoints)
            if (std::find(e.lanes.begin(), e.lanes.end(), lane) != e.lanes.end()) return &e;
        return nullptr;
    }
};

/// Lanes by their queues and entrypoints, in the order of these names. Counts and statistics are unset.
inline std::vector<entrypoint_overview> by_entrypoint(std::vector<listed_lane> lanes) {
    std::sort(lanes.begin(), lanes.end(), [](const listed_lane& a, const listed_lane& b) {
        return std::tie(a.queue, a.entrypoint, a.id) < std::tie(b.queue, b.entrypoint, b.id);
    });
    std::vector<entrypoint_overview> all;
    for (listed_lane& l : lanes) {
        if (all.empty() || all.back().queue != l.queue || all.back().entrypoint != l.entrypoint)
            all.push_back({.queue = std::move(l.queue),
                           .entrypoint = std::move(l.entrypoint),
                           .paused = l.paused,
                           .draining = l.draining});
        all.back().lanes.push_back(l.id);
    }
    return all;
}

/// The lanes of all of them.
inline std::vector<lane_id> lanes_of(const std::vector<entrypoint_overview>& all) {
    std::vector<lane_id> ids;
    for (const auto& e : all) ids.insert(ids.end(), e.lanes.begin(), e.lanes.end());
    return ids;
}

/// Adds each part to the sum of the entrypoint that has its lane. Parts of other lanes are left out.
template <class Part, class Sum>
void add_parts(std::vector<entrypoint_overview>& all, const std::vector<Part>& parts, Sum entrypoint_overview::*sum) {
    std::map<lane_id, Sum*> sums;
    for (auto& e : all)
        for (const lane_id id : e.lanes) sums[id] = &(e.*sum);
    for (const Part& part : parts)
        if (const auto at = sums.find(part.lane); at != sums.end()) *at->second += part;
}

namespace detail {

/// Whether the worker claims from a lane of this queue. `lanes` are those of the queue, sorted.
inline bool serves(const listed_worker& w, std::string_view queue, const std::vector<lane_id>& lanes) {
    if (w.prefix) {
        const bool is_named = w.queues.empty() || std::find(w.queues.begin(), w.queues.end(), queue) != w.queues.end();
        return is_named && queue.starts_with(*w.prefix);
    }
    return std::any_of(w.lanes.begin(), w.lanes.end(),
                       [&](lane_id id) { return std::binary_search(lanes.begin(), lanes.end(), id); });
}

/// The member of pgq::admin for dashboards.
template <class Admin>
class admin_overview {
public:
    /// Lanes, numbers, workers, schedules and the latest failures. It is six statements that each take a fraction of a
    /// second, whatever waits, so a dashboard may call it every few seconds. admin_options::time_limit is the limit of
    /// all six. A reader may call it.
    result<pgq::overview> overview(const overview_request& r = {}) {
        constexpr std::size_t highest = std::numeric_limits<std::int32_t>::max();  // ids of lanes are not above it
        if (r.most_lanes < 1 || r.most_lanes > highest)
            return error_info{errc::invalid_option, "overview_request::most_lanes is not from 1 to 2 147 483 647"};
        if (r.last <= duration{}) return error_info{errc::invalid_option, "overview_request::last is not above zero"};
        if (!is_storable_text(r.queue))
            return error_info{errc::invalid_text, "overview_request::queue has a zero byte or invalid UTF-8"};
        return static_cast<Admin&>(*this).connection().with([&](auto& s) { return read(s, r); });
    }

protected:
    admin_overview() = default;

private:
    template <class Session>
    static result<pgq::overview> read(Session& s, const overview_request& r) {
        pgq::overview o;
        if (auto done = read_entrypoints(s, r, o); !done) return std::move(done.error());
        auto lanes = lanes_of(o.entrypoints);
        std::sort(lanes.begin(), lanes.end());
        auto workers = s.list_workers({}, 1000);
        if (!workers) return std::move(workers.error());
        o.workers = std::move(*workers);
        if (!r.queue.empty()) std::erase_if(o.workers, [&](const auto& w) { return !serves(w, r.queue, lanes); });
        auto schedules = s.schedules(r.queue, {});
        if (!schedules) return std::move(schedules.error());
        o.at = schedules->now;
        o.schedules = std::move(schedules->all);
        if (lanes.empty() || r.failures == 0) return o;
        auto failures = s.latest_failures(lanes, r.failures);
        if (!failures) return std::move(failures.error());
        o.failures = std::move(*failures);
        for (job_failure& f : o.failures)
            if (const auto* e = o.find(f.lane)) f.entrypoint = e->entrypoint;
        return o;
    }
    template <class Session>
    static result<void> read_entrypoints(Session& s, const overview_request& r, pgq::overview& o) {
        auto lanes = s.list_lanes({.queue = r.queue, .most = static_cast<std::int64_t>(r.most_lanes) + 1});
        if (!lanes) return std::move(lanes.error());
        o.more_lanes = lanes->size() > r.most_lanes;
        if (o.more_lanes) lanes->resize(r.most_lanes);
        if (lanes->empty()) return {};
        o.entrypoints = by_entrypoint(std::move(*lanes));
        const auto ids = lanes_of(o.entrypoints);
        auto counts = s.counts_up_to(ids, bound_of_counts(ids.size()));
        if (!counts) return std::move(counts.error());
        add_parts(o.entrypoints, *counts, &entrypoint_overview::counts);
        auto statistics = s.statistics({.lanes = ids, .last = r.last});
        if (!statistics) return std::move(statistics.error());
        add_parts(o.entrypoints, *statistics, &entrypoint_overview::last);
        return {};
    }
};

}  // namespace detail
}  // namespace pgq
