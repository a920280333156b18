#pragma once

#include <pgq/cli/top/canvas.hpp>

#include <pgq/admin/overview.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/listing.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

/// What an operator should know of each entrypoint.
namespace pgq::cli::top {

/// Worst last.
enum class condition_of_lane : std::uint8_t { fine, draining, paused, failing, unserved };

inline std::string_view name_of(condition_of_lane c) noexcept {
    switch (c) {
    case condition_of_lane::fine: return "";
    case condition_of_lane::draining: return "draining";
    case condition_of_lane::paused: return "paused";
    case condition_of_lane::failing: return "!failing";
    case condition_of_lane::unserved: return "!!no worker";
    }
    return "";
}
inline look look_of(condition_of_lane c) noexcept {
    switch (c) {
    case condition_of_lane::fine: return look::plain;
    case condition_of_lane::draining:
    case condition_of_lane::paused: return look::notice;
    case condition_of_lane::failing: return look::warning;
    case condition_of_lane::unserved: return look::alarm;
    }
    return look::plain;
}

/// What is worked out once for each sample: a thousand workers may serve a thousand lanes each.
struct findings {
    std::vector<condition_of_lane> conditions{};             ///< in the order of overview::entrypoints
    std::unordered_map<std::int32_t, std::size_t> places{};  ///< of each lane in overview::entrypoints
};

namespace detail {

/// Which lanes the living workers serve.
class served_lanes {
public:
    explicit served_lanes(const std::vector<listed_worker>& all) {
        for (const listed_worker& w : all) {
            if (!w.alive) continue;
            if (w.prefix) by_name_.push_back(&w);
            else
                for (const lane_id l : w.lanes) ids_.insert(l.value);
        }
    }
    bool has(const entrypoint_overview& e) const {
        const auto by_id = [&](lane_id l) { return ids_.contains(l.value); };
        const auto by_name = [&](const listed_worker* w) { return serves(*w, e); };
        return std::any_of(e.lanes.begin(), e.lanes.end(), by_id) ||
               std::any_of(by_name_.begin(), by_name_.end(), by_name);
    }

private:
    static bool serves(const listed_worker& w, const entrypoint_overview& e) {
        const auto has = [](const auto& all, const auto& one) {
            return all.empty() || std::find(all.begin(), all.end(), one) != all.end();
        };
        return e.queue.starts_with(*w.prefix) && has(w.queues, e.queue) && has(w.entrypoints, e.entrypoint);
    }

    std::unordered_set<std::int32_t> ids_{};
    std::vector<const listed_worker*> by_name_{};
};

inline condition_of_lane judge(const entrypoint_overview& e, const served_lanes& served) {
    if (e.counts.ready.value > 0 && !e.paused && !served.has(e)) return condition_of_lane::unserved;
    if (e.last.held > 0) return condition_of_lane::failing;
    if (e.paused) return condition_of_lane::paused;
    return e.draining ? condition_of_lane::draining : condition_of_lane::fine;
}

}  // namespace detail

inline findings examine(const overview& o) {
    findings f;
    const detail::served_lanes served{o.workers};
    for (std::size_t i = 0; i < o.entrypoints.size(); ++i) {
        f.conditions.push_back(detail::judge(o.entrypoints[i], served));
        for (const lane_id l : o.entrypoints[i].lanes) f.places[l.value] = i;
    }
    return f;
}

}  // namespace pgq::cli::top
