#pragma once

#include <pgq/cli/command/schedules/one_schedule.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/protocol/schedule.hpp>

#include <CLI/App.hpp>

namespace pgq::cli::command::schedules {

struct resume {
    static constexpr const char* name = "resume";
    static constexpr const char* what = "Fire a paused schedule again; no time of the pause is made up for";

    void declare(CLI::App& a) { of.declare(a); }
    exit_code run(program& p) {
        if (!of.change(p, schedule_change::resume).changed) return of.refuse(p, " is not paused");
        p.say(of.text() + " goes on");
        return exit_code::done;
    }

    one_schedule of{};
};

}  // namespace pgq::cli::command::schedules
