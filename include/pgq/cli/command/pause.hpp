#pragma once

#include <pgq/cli/command/part/scope.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/protocol/pause.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command {

/// Ends with 1 if there is no such queue or entrypoint.
template <pause_kind Kind>
struct pausing {
    void declare(CLI::App& a) {
        of.declare(a);
        a.add_option("--reason", reason, "Why: programs and people see it")->type_name("TEXT")->required();
        a.add_flag("--new", is_new, "Also if there is no such queue or entrypoint yet");
    }

    exit_code run(program& p) {
        if (const auto found = of.check(p, is_new); found != exit_code::done) return found;
        const bool begun = p.session().pause({of.queue(), of.entrypoint(), Kind, reason}).value();
        const std::string is = Kind == pause_kind::paused ? "paused" : "draining";
        p.say(of.text() + (begun ? " is " + is : " was " + is + " before; the reason is new"));
        return exit_code::done;
    }

    scope of{};
    std::string reason{};
    bool is_new = false;
};

struct pause : pausing<pause_kind::paused> {
    static constexpr const char* name = "pause";
    static constexpr const char* what = "Start no job of an entrypoint, a queue or everything until resume";
};

}  // namespace pgq::cli::command
