#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/lane.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq {

/// The queue names that a worker serves, and the lanes that it claims from in each of them.
struct served_queues {
    std::span<const std::string> names{};  ///< sorted; empty: every name that starts with `prefix`
    std::string_view prefix{};
    std::span<const lane_name> lanes{};
};

/// A search for lanes that have claimable jobs.
struct lane_search {
    const served_queues* served = nullptr;
    lane_id behind{};        ///< only lanes with a larger id
    std::uint32_t most = 1;  ///< reads at most so many lanes, those of other workers included
};

/// A lane with claimable jobs.
struct found_lane {
    lane_id lane{};
    std::string queue{};
    std::size_t name = 0;  ///< position in served_queues::lanes
    bool limited = false;  ///< a limit for all workers holds there
};

/// The answer to a search, in the order of the lanes.
struct found_lanes {
    std::vector<found_lane> lanes{};
    std::optional<lane_id> continues_behind{};  ///< set if the search has read `most` lanes: there may be more
};

}  // namespace pgq
