#pragma once

#include <pgq/cli/command/part/known_names.hpp>
#include <pgq/cli/command/part/watch.hpp>
#include <pgq/cli/database/stored_schedules.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/protocol/schedule.hpp>

#include <CLI/App.hpp>

#include <cstdint>
#include <string>

namespace pgq::cli::command::schedules {

struct list {
    static constexpr const char* name = "list";
    static constexpr const char* what = "Show the schedules: when they fire, and when they last did";

    void declare(CLI::App& a) {
        a.add_option("--queue", queue, "Only of this queue")->type_name("NAME");
        again.declare(a);
    }

    exit_code run(program& p) {
        if (const auto wrong = check_names(p, queue, {}); wrong != exit_code::done) return wrong;
        return again.show(p, [&] { return listing(p); });
    }

    table listing(program& p) const {
        table t{{{"queue"},
                 {"name"},
                 {"entrypoint"},
                 {"expression"},
                 {"zone"},
                 {"next", kind::time},
                 {"last", kind::time},
                 {"last_job", kind::number},
                 {"paused_since", kind::time},
                 {"pause_reason"}}};
        for (const auto& of : read_schedules(p, queue))
            for (const stored_schedule& s : of.list.all)
                t.add({of.queue, s.name, s.entrypoint, s.expression, s.zone, cell_of(s.next_at), cell_of(s.fired_at),
                       s.fired_job ? cell{s.fired_job->value} : cell{}, cell_of(s.paused_at), s.pause_reason});
        return t;
    }

    std::string queue{};
    watch again{};
};

}  // namespace pgq::cli::command::schedules
