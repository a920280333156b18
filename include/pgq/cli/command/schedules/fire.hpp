#pragma once

#include <pgq/cli/command/schedules/one_schedule.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/protocol/schedule.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command::schedules {

struct fire {
    static constexpr const char* name = "fire";
    static constexpr const char* what = "Enqueue the job of a schedule once, now, beside its times";

    void declare(CLI::App& a) { of.declare(a); }
    exit_code run(program& p) {
        const auto reply = of.change(p, schedule_change::fire_now);
        if (!reply.changed) return of.refuse(p, " did not fire");
        if (!reply.fired.job)
            return p.fail(exit_code::not_met, of.text() + " enqueued nothing",
                          reply.fired.reason.empty() ? "a job with its unique key is there" : reply.fired.reason);
        p.say(of.text() + " has enqueued job " + std::to_string(reply.fired.job->value));
        return exit_code::done;
    }

    one_schedule of{};
};

}  // namespace pgq::cli::command::schedules
