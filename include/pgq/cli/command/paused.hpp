#pragma once

#include <pgq/cli/command/part/watch.hpp>
#include <pgq/cli/database/pauses.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/protocol/pause.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command {

/// An empty cell: all of them.
struct paused {
    static constexpr const char* name = "paused";
    static constexpr const char* what = "Show what is paused or draining, since when and why";

    void declare(CLI::App& a) { again.declare(a); }

    exit_code run(program& p) {
        return again.show(p, [&] { return listing(p); });
    }

    static table listing(program& p) {
        table t{{{"queue"}, {"entrypoint"}, {"kind"}, {"since", kind::time}, {"reason"}}};
        for (const paused_scope& s : read_pauses(p))
            t.add({s.queue, s.entrypoint, std::string{name_of(s.kind)}, s.since, s.reason});
        return t;
    }

    watch again{};
};

}  // namespace pgq::cli::command
