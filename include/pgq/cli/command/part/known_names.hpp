#pragma once

#include <pgq/cli/database/lanes.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/statement/query.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace pgq::cli::command {

/// For people: `queue "mail"`, `entrypoint "send" of queue "mail"`. An empty name: any.
inline std::string names_text(const std::string& queue, const std::string& entrypoint) {
    const std::string of_queue = queue.empty() ? std::string{"any queue"} : "queue " + statement::quoted(queue);
    return entrypoint.empty() ? of_queue : "entrypoint " + statement::quoted(entrypoint) + " of " + of_queue;
}

/// "there are "mail", "orders"": the names that the line may have meant. `with_entrypoints`: "mail send".
inline std::string known_names(program& p, bool with_entrypoints) {
    constexpr std::size_t most = 20;
    std::vector<std::string> names;
    for (const auto& lane : read_lanes(p)) {
        const std::string name = '"' + lane.queue + (with_entrypoints ? ' ' + lane.entrypoint : "") + '"';
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    if (names.empty()) return "there are none yet";
    std::string text = "there are ";
    for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? "" : ", ") + names[i];
    return names.size() <= most ? text : text + " and " + std::to_string(names.size() - most) + " more";
}

/// A wrong name must not look like a queue without jobs.
inline exit_code check_names(program& p, const std::string& queue, const std::string& entrypoint) {
    if ((queue.empty() && entrypoint.empty()) || !read_lanes(p, queue, entrypoint).empty()) return exit_code::done;
    return p.fail(exit_code::not_met, "there is no " + names_text(queue, entrypoint),
                  known_names(p, !entrypoint.empty()));
}

}  // namespace pgq::cli::command
