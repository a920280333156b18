#pragma once

#include <pgq/cli/command/part/checks.hpp>
#include <pgq/cli/output/program_name.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/job/id.hpp>
#include <pgq/protocol/action.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace pgq::cli::command::workers {

/// Ends with 1 if there is no such worker, or if it is alive and the line has no --force.
struct forget {
    static constexpr const char* name = "forget";
    static constexpr const char* what = "Remove a worker that is gone: its jobs run again at once";

    void declare(CLI::App& a) {
        a.add_option("ID", id, "The worker, as " + line_of("workers") + " shows it")
            ->required()
            ->check(CLI::Range(1, std::numeric_limits<std::int32_t>::max()))
            ->transform(decimal())
            ->type_name("ID");
        a.add_flag("--force", forced, "Also if it is alive; it may run its jobs while others run them again");
    }

    exit_code run(program& p) {
        const std::string worker = "worker " + std::to_string(id);
        if (forced && !p.is_confirmed("Forget " + worker + ", although it may be alive? Its jobs may then run twice."))
            return exit_code::not_confirmed;
        const forget_reply reply = p.ops().forget_worker({id}, forced).value();
        if (!reply.known)
            return p.fail(exit_code::not_met, "there is no " + worker, line_of("workers") + " lists them");
        if (!reply.forgotten)
            return p.fail(exit_code::not_met, worker + " is alive",
                          "stop its process; --force removes it all the same, and its jobs may then run twice");
        p.say(worker + " is forgotten: " + become(reply));
        return exit_code::done;
    }

private:
    static std::string become(const forget_reply& r) {
        if (!r.returned) return "the next heartbeat of another worker makes its jobs ready";
        return counted(*r.returned, "job") + " ready again, " + std::to_string(r.held.value_or(0)) + " held";
    }

public:
    std::int32_t id = 0;
    bool forced = false;
};

}  // namespace pgq::cli::command::workers
