#pragma once

#include <pgq/cli/program.hpp>

#include <pgq/protocol/schedule.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace pgq::cli {

/// The schedules of a queue, with the time of the database when they were read.
struct queue_schedules {
    std::string queue{};
    schedule_list list{};
};

/// Of one queue, or of all.
inline std::vector<queue_schedules> read_schedules(program& p, const std::string& queue) {
    const auto names =
        p.read("SELECT DISTINCT queue FROM {s}.schedule WHERE $1 = '' OR queue = $1 ORDER BY queue", {queue});
    std::vector<queue_schedules> all;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string& name = *names[i][0];
        all.push_back({name, p.session().schedules(name, {}).value()});
    }
    return all;
}

}  // namespace pgq::cli
