#pragma once

#include <pgq/cli/command/part/known_names.hpp>
#include <pgq/cli/command/part/watch.hpp>
#include <pgq/cli/database/lane_names.hpp>
#include <pgq/cli/output/header_text.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/protocol/listing.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command::failed {

/// Ends with 1 if there is no such queue or entrypoint.
struct list {
    static constexpr const char* name = "list";
    static constexpr const char* what = "Show held jobs, grouped by entrypoint and first line of the reason";

    void declare(CLI::App& a) {
        a.add_option("--queue", queue, "Only of this queue")->type_name("NAME");
        a.add_option("--entrypoint", entrypoint, "Only of this entrypoint")->type_name("NAME");
        again.declare(a);
    }

    exit_code run(program& p) {
        if (const auto wrong = check_names(p, queue, entrypoint); wrong != exit_code::done) return wrong;
        return again.show(p, [&] { return listing(p); });
    }

    table listing(program& p) const {
        table t{{{"queue"},
                 {"entrypoint"},
                 {"version"},
                 {"jobs", kind::count},
                 {"latest", kind::time},
                 {"example", kind::number},
                 {"reason"}}};
        lane_names lanes{p};
        for (const failed_group& g : p.ops().failed_groups(queue, entrypoint).value()) {
            const listed_lane& lane = lanes.of(g.lane);
            t.add({lane.queue, lane.entrypoint, lane.version, g.count, g.latest, g.example.value,
                   p.writes_for_people() ? short_reason(g.reason) : g.reason});
        }
        return t;
    }

    std::string queue{};
    std::string entrypoint{};
    watch again{};
};

}  // namespace pgq::cli::command::failed
