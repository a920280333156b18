#pragma once

#include <pgq/cli/database/installation.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/error/errc.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command {

struct upgrade {
    static constexpr const char* name = "upgrade";
    static constexpr const char* what = "Run the migrations that are missing";

    void declare(CLI::App& a) { a.add_flag("--plan", plan, "Show the migrations that would run, and change nothing"); }

    exit_code run(program& p) {
        const auto now = installation::read(p.plain());
        const auto fit = now.check(p.options().schema);
        if (!fit && !(fit.error() == errc::schema_older)) fit.value();
        if (plan) p.show(now.migrations());
        else if (fit) p.say("nothing to do: version " + std::to_string(now.version()) + " is the newest");
        else {
            p.driver().install().value();
            p.say("upgraded from version " + std::to_string(now.version()) + " to " + std::to_string(schema::version));
        }
        return exit_code::done;
    }

    bool plan = false;
};

}  // namespace pgq::cli::command
