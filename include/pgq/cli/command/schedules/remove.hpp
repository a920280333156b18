#pragma once

#include <pgq/cli/command/schedules/one_schedule.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/protocol/schedule.hpp>

#include <CLI/App.hpp>

namespace pgq::cli::command::schedules {

struct remove {
    static constexpr const char* name = "remove";
    static constexpr const char* what = "Delete a schedule; a program that declares it stores it again";

    void declare(CLI::App& a) {
        of.declare(a);
        a.add_flag("--dry-run", dry_run, "Say whether there is such a schedule, and change nothing");
    }
    exit_code run(program& p) {
        if (!of.exists(p)) return of.refuse(p, "");
        if (dry_run) {
            p.say("1 schedule would be deleted: " + of.text());
            return exit_code::done;
        }
        if (!p.is_confirmed("Delete " + of.text() + "?")) return exit_code::not_confirmed;
        if (!of.change(p, schedule_change::remove).changed) return of.refuse(p, "");
        p.say(of.text() + " is deleted");
        return exit_code::done;
    }

    one_schedule of{};
    bool dry_run = false;
};

}  // namespace pgq::cli::command::schedules
