#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/sync.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pgq::detail {

/// A lane that a worker claims from.
struct served_lane {
    lane_id lane{};
    std::string_view entrypoint{};
    std::size_t job = 0;       ///< position of its job type in the composition
    std::size_t version = 0;   ///< which of the versions of that type
    std::string_view queue{};  ///< the name of its queue

    /// From its start.
    claim_lane claim(std::int16_t max_attempts, bool lease_per_job) const noexcept {
        return {.lane = lane, .max_attempts = max_attempts, .lease_per_job = lease_per_job};
    }
};

/// Lanes of a composition (lane_entry), in one queue. `ids`: theirs, or nothing as long as they are not known.
template <class Entries>
std::vector<served_lane> lanes_from(const Entries& entries, std::span<const lane_id> ids, std::string_view queue) {
    std::vector<served_lane> lanes;
    lanes.reserve(entries.size());
    for (const auto& e : entries)
        lanes.push_back({.entrypoint = e.name.entrypoint, .job = e.job, .version = e.version, .queue = queue});
    for (std::size_t i = 0; i < ids.size(); ++i) lanes[i].lane = ids[i];
    return lanes;
}

/// The lanes that a worker knows. A worker of one queue has few, and adds none; one of many queue names may have
/// thousands.
class served_lanes {
public:
    void assign(std::span<const served_lane> lanes) {
        lanes_.assign(lanes.begin(), lanes.end());
        positions_.clear();
    }
    /// Returns its position. From then on each lane must come from here.
    std::size_t add(const served_lane& lane) {
        lanes_.push_back(lane);
        positions_.emplace(lane.lane.value, lanes_.size() - 1);
        return lanes_.size() - 1;
    }
    std::size_t size() const noexcept { return lanes_.size(); }
    const served_lane& operator[](std::size_t i) const noexcept { return lanes_[i]; }
    /// size() if the lane is not known.
    std::size_t index_of(lane_id lane) const noexcept {
        if (!positions_.empty()) {
            const auto found = positions_.find(lane.value);
            return found == positions_.end() ? lanes_.size() : found->second;
        }
        const auto is_same = [&](const served_lane& s) { return s.lane == lane; };
        return static_cast<std::size_t>(std::find_if(lanes_.begin(), lanes_.end(), is_same) - lanes_.begin());
    }

private:
    std::vector<served_lane> lanes_{};
    std::unordered_map<std::int32_t, std::size_t> positions_{};
};

}  // namespace pgq::detail
