#pragma once

#include <pgq/cli/command/part/scope.hpp>
#include <pgq/cli/database/pauses.hpp>
#include <pgq/cli/output/program_name.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/protocol/pause.hpp>

#include <CLI/App.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace pgq::cli::command {

/// Ends with 1 if nothing of exactly this scope was paused or draining.
struct resume {
    static constexpr const char* name = "resume";
    static constexpr const char* what = "End what pause and drain began with the same names";

    void declare(CLI::App& a) { of_.declare(a); }

    exit_code run(program& p) {
        if (const auto named = of_.check(p, true); named != exit_code::done) return named;
        const bool ended = p.session().resume(of_.queue(), of_.entrypoint()).value();
        const auto wider = wider_pause(p);
        if (ended && !wider) p.say(of_.text() + " goes on");
        else if (ended) p.say("this pause of " + of_.text() + " ends; it stays " + part_of(*wider));
        else if (wider) return p.fail(exit_code::not_met, of_.text() + " is " + part_of(*wider), remedy_for(*wider));
        else
            return p.fail(exit_code::not_met, of_.text() + " is neither paused nor draining",
                          line_of("paused") + " shows what is; a pause ends with the names that began it");
        return exit_code::done;
    }

private:
    /// A pause of the queue or of everything, which holds for these names, too.
    std::optional<paused_scope> wider_pause(program& p) const {
        const auto all = read_pauses(p);
        const auto found = std::find_if(all.begin(), all.end(), [&](const paused_scope& s) {
            const bool is_own = s.queue == of_.queue() && s.entrypoint == of_.entrypoint();
            return !is_own && s.covers(of_.queue(), of_.entrypoint());
        });
        return found == all.end() ? std::nullopt : std::optional{*found};
    }
    static std::string part_of(const paused_scope& s) {
        return std::string{name_of(s.kind)} + ", because " + text_of(s) + " is";
    }
    static std::string remedy_for(const paused_scope& s) {
        return line_of(s.queue.empty() ? "resume --all" : "resume " + s.queue) + " ends that";
    }

    scope of_{};
};

}  // namespace pgq::cli::command
