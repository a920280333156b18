#pragma once

#include <pgq/cli/command/part/bulk_action.hpp>
#include <pgq/cli/command/part/chosen_jobs.hpp>
#include <pgq/cli/program.hpp>

#include <CLI/App.hpp>

namespace pgq::cli::command {

/// A sub-command that acts on chosen jobs. `Held`: it takes held jobs only, and has their options only.
template <const action_words& Words, bool Held = false>
struct acting {
    void declare(CLI::App& a) {
        chosen.declare(a, Held);
        a.add_flag("--dry-run", dry_run, "Say how many jobs it would take, and change nothing");
    }
    exit_code run(program& p) {
        if (const auto wrong = chosen.check(p); wrong != exit_code::done) return wrong;
        return bulk_action{Words}.run(p, chosen, dry_run);
    }

    chosen_jobs chosen{};
    bool dry_run = false;
};

}  // namespace pgq::cli::command
