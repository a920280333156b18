#pragma once

#include <pgq/cli/program.hpp>

#include <pgq/job/id.hpp>

#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

namespace pgq::cli {

/// A lane into which jobs may be put.
struct target_lane {
    lane_id id{};
    std::string version{};  ///< of the payload
};

/// The lanes of an entrypoint, the newest first. It reads nothing that a producer may not read.
inline std::vector<target_lane> read_target_lanes(program& p, const std::string& queue, const std::string& entrypoint) {
    const auto rows =
        p.read("SELECT id, version FROM {s}.lane WHERE queue = $1 AND entrypoint = $2 ORDER BY id DESC LIMIT 100",
               {queue, entrypoint});
    std::vector<target_lane> all;
    for (std::size_t i = 0; i < rows.size(); ++i) all.push_back({{std::atoi(rows[i][0]->c_str())}, *rows[i][1]});
    return all;
}

/// For people: `"", "2f1c"`.
inline std::string versions_text(const std::vector<target_lane>& all) {
    std::string text;
    for (const target_lane& l : all) text += (text.empty() ? "\"" : ", \"") + l.version + '"';
    return text;
}

}  // namespace pgq::cli
