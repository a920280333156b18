#pragma once

#include <pgq/cli/program.hpp>

#include <pgq/job/id.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

namespace pgq::cli {

/// The lanes of one entrypoint of one queue.
struct entrypoint_lanes {
    std::string queue{};
    std::string entrypoint{};
    bool paused = false;
    bool draining = false;
    std::vector<lane_id> ids{};  ///< one for each version of the payload
};

/// Of all queues and entrypoints, or of those with these names; in the order of the names.
inline std::vector<entrypoint_lanes> read_lanes(program& p, const std::string& queue = {},
                                                const std::string& entrypoint = {}) {
    const auto rows = p.read(
        R"(SELECT l.queue, l.entrypoint, l.id,
                  EXISTS (SELECT FROM {s}.paused r WHERE r.kind = 'paused' AND r.queue IN ('', l.queue)
                                                     AND r.entrypoint IN ('', l.entrypoint)),
                  EXISTS (SELECT FROM {s}.paused r WHERE r.kind = 'draining' AND r.queue IN ('', l.queue)
                                                     AND r.entrypoint IN ('', l.entrypoint))
             FROM {s}.lane l
            WHERE ($1 = '' OR l.queue = $1) AND ($2 = '' OR l.entrypoint = $2)
            ORDER BY l.queue, l.entrypoint, l.id)",
        {queue, entrypoint});
    std::vector<entrypoint_lanes> all;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto r = rows[i];
        if (all.empty() || all.back().queue != r[0] || all.back().entrypoint != r[1])
            all.push_back({.queue = *r[0], .entrypoint = *r[1], .paused = r[3] == "t", .draining = r[4] == "t"});
        all.back().ids.push_back({std::atoi(r[2]->c_str())});
    }
    return all;
}

/// All their ids together.
inline std::vector<lane_id> ids_of(const std::vector<entrypoint_lanes>& all) {
    std::vector<lane_id> ids;
    for (const auto& e : all) ids.insert(ids.end(), e.ids.begin(), e.ids.end());
    return ids;
}

/// Adds up what the database answers for each lane: the sums are in the order of `all`.
template <class Sum, class Parts>
std::vector<Sum> sums_of(const std::vector<entrypoint_lanes>& all, const Parts& parts) {
    std::unordered_map<std::int32_t, std::size_t> place;
    for (std::size_t i = 0; i < all.size(); ++i)
        for (const lane_id id : all[i].ids) place[id.value] = i;
    std::vector<Sum> sums(all.size());
    for (const auto& part : parts) sums[place.at(part.lane.value)] += part;
    return sums;
}

}  // namespace pgq::cli
