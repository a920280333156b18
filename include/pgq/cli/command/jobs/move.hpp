#pragma once

#include <pgq/cli/command/part/bulk_action.hpp>
#include <pgq/cli/command/part/chosen_jobs.hpp>
#include <pgq/cli/command/part/known_names.hpp>
#include <pgq/cli/database/target_lanes.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/statement/query.hpp>

#include <CLI/App.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace pgq::cli::command::jobs {

struct move {
    static constexpr const char* name = "move";
    static constexpr const char* what = "Put ready, deferred and held jobs into another lane, as they are";

    void declare(CLI::App& a) {
        chosen.declare(a, false);
        a.add_option("--to-queue", queue, "The queue of the other lane")->type_name("NAME")->required();
        a.add_option("--to-entrypoint", entrypoint, "Its entrypoint")->type_name("NAME")->required();
        a.add_option("--to-version", version, "Its payload version, if it has several")->type_name("TEXT");
        a.add_flag("--dry-run", dry_run, "Say how many jobs it would take, and change nothing");
    }

    exit_code run(program& p) {
        if (const auto wrong = chosen.check(p); wrong != exit_code::done) return wrong;
        std::vector<target_lane> lanes = read_target_lanes(p, queue, entrypoint);
        const std::string target = names_text(queue, entrypoint);
        if (lanes.empty()) return p.fail(exit_code::not_met, "there is no " + target, known_names(p, true));
        const std::string versions = versions_text(lanes);
        if (version)
            lanes.erase(
                std::remove_if(lanes.begin(), lanes.end(), [&](const target_lane& l) { return l.version != *version; }),
                lanes.end());
        if (lanes.empty())
            return p.fail(exit_code::not_met, target + " has no payload version " + statement::quoted(*version),
                          "it has " + versions);
        // A worker holds a job whose payload it cannot read, so nobody guesses the version.
        if (lanes.size() > 1)
            return p.fail(exit_code::wrong_use, target + " has several payload versions: " + versions,
                          "name one with --to-version");
        return bulk_action{move_words, lanes.front().id}.run(p, chosen, dry_run);
    }

    chosen_jobs chosen{};
    std::string queue{};
    std::string entrypoint{};
    std::optional<std::string> version{};
    bool dry_run = false;
};

}  // namespace pgq::cli::command::jobs
