#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// The failed attempts, in the order in which they failed, and for how long those of each lane are kept.
class failure_table {
public:
    void add(job_failure f) {
        if (kept(f.lane) > duration{}) all_.push_back(std::move(f));
    }
    void keep(std::span<const lane_id> lanes, duration time) {
        for (const lane_id lane : lanes) kept_[lane] = time;
    }
    /// For how long those of a lane are kept; nothing if nobody has said that.
    std::optional<duration> kept_of(lane_id lane) const {
        const auto found = kept_.find(lane);
        return found == kept_.end() ? std::nullopt : std::optional{found->second};
    }
    std::vector<failed_attempt> of(job_id id) const {
        std::vector<failed_attempt> out;
        for (const job_failure& f : all_)
            if (f.id == id) out.push_back({.attempt = f.attempt, .at = f.at, .reason = f.reason});
        return out;
    }
    std::vector<job_failure> latest(std::span<const lane_id> lanes, std::size_t limit) const {
        std::vector<job_failure> out;
        for (auto f = all_.rbegin(); f != all_.rend() && out.size() < limit; ++f)
            if (std::find(lanes.begin(), lanes.end(), f->lane) != lanes.end()) out.push_back(*f);
        return out;
    }
    /// Deletes those whose time is over. Returns how many.
    std::int64_t purge(time_point now) {
        return static_cast<std::int64_t>(
            std::erase_if(all_, [&](const job_failure& f) { return now - f.at >= kept(f.lane); }));
    }

private:
    duration kept(lane_id lane) const {
        const auto found = kept_.find(lane);
        return found == kept_.end() ? duration{std::chrono::hours{24 * 14}} : found->second;
    }

    std::vector<job_failure> all_{};
    std::map<lane_id, duration> kept_{};
};

}  // namespace pgq::driver::in_memory
