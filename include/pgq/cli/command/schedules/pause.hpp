#pragma once

#include <pgq/cli/command/schedules/one_schedule.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/protocol/schedule.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command::schedules {

struct pause {
    static constexpr const char* name = "pause";
    static constexpr const char* what = "Fire a schedule no more until resume";

    void declare(CLI::App& a) {
        of.declare(a);
        a.add_option("--reason", reason, "Why")->type_name("TEXT")->required();
    }
    exit_code run(program& p) {
        if (!of.change(p, schedule_change::pause, reason).changed) return of.refuse(p, " is paused already");
        p.say(of.text() + " is paused");
        return exit_code::done;
    }

    one_schedule of{};
    std::string reason{};
};

}  // namespace pgq::cli::command::schedules
