#pragma once

#include <pgq/cli/program.hpp>

#include <CLI/App.hpp>

#include <cstddef>
#include <string>

namespace pgq::cli::command {

/// Workers do it by themselves where many rows are dead; see docs/guides/deployment.md.
struct compact {
    static constexpr const char* name = "compact";
    static constexpr const char* what = "Rewrite tables without their dead rows, as workers do where there are many";

    void declare(CLI::App& a) { a.add_flag("--few", few, "Also tables with a few dead rows"); }

    exit_code run(program& p) {
        constexpr std::size_t tables = 6;  // that compact() looks after, one in each call
        std::size_t rewritten = 0;
        while (rewritten < tables && rewrites_one(p)) ++rewritten;
        p.say(rewritten == 0
                  ? "no table has enough dead rows, or those that have are in use"
                  : std::to_string(rewritten) + (rewritten == 1 ? " table was" : " tables were") + " rewritten");
        return exit_code::done;
    }

    bool rewrites_one(program& p) const {
        auto& s = p.session();
        s.begin().value();
        const auto done = s.exec(statement::render(few ? "SELECT {s}.compact(1, 1, 1, 1)" : "SELECT {s}.compact()",
                                                   p.options().schema),
                                 {})
                              .value();
        s.commit().value();
        return done[0][0] == "t";
    }

    bool few = false;
};

}  // namespace pgq::cli::command
