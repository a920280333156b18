#pragma once

#include <pgq/cli/program.hpp>

#include <pgq/admin/listing.hpp>
#include <pgq/admin/overview.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/listing.hpp>

#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace pgq::cli {

/// The entrypoints of all queues, or those with these names; in the order of the names, without numbers.
inline std::vector<entrypoint_overview> read_lanes(program& p, const std::string& queue = {},
                                                   const std::string& entrypoint = {}) {
    constexpr std::size_t page = 1000;
    pgq::detail::check_names({.queue = queue, .entrypoint = entrypoint}).value();
    std::vector<listed_lane> all;
    for (std::size_t found = page; found == page;) {
        const lane_id after = all.empty() ? lane_id{} : all.back().id;
        auto more =
            p.session().list_lanes({.queue = queue, .entrypoint = entrypoint, .after = after, .most = page}).value();
        found = more.size();
        std::move(more.begin(), more.end(), std::back_inserter(all));
    }
    return by_entrypoint(std::move(all));
}

}  // namespace pgq::cli
