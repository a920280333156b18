#pragma once

#include <pgq/cli/command/part/scope.hpp>
#include <pgq/cli/program.hpp>

#include <CLI/App.hpp>

namespace pgq::cli::command {

/// Ends with 1 if nothing of exactly this scope was paused or draining.
struct resume {
    static constexpr const char* name = "resume";
    static constexpr const char* what = "End what pause and drain began with the same names";

    void declare(CLI::App& a) { of.declare(a); }

    exit_code run(program& p) {
        if (const auto named = of.check(p, true); named != exit_code::done) return named;
        if (p.session().resume(of.queue(), of.entrypoint()).value()) {
            p.say(of.text() + " goes on");
            return exit_code::done;
        }
        return p.fail(exit_code::not_met, of.text() + " is neither paused nor draining",
                      '"' + program_name() + " queues\" shows what is; a pause ends with the names that began it");
    }

    scope of{};
};

}  // namespace pgq::cli::command
