#pragma once

#include <pgq/cli/command/part/known_names.hpp>
#include <pgq/cli/command/part/watch.hpp>
#include <pgq/cli/database/lanes.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/admin/overview.hpp>
#include <pgq/client/queue_statistics.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/time/clock.hpp>

#include <CLI/App.hpp>

#include <chrono>
#include <string>

namespace pgq::cli::command {

/// Ends with 1 if there is no such queue.
struct queues {
    static constexpr const char* name = "queues";
    static constexpr const char* what = "Show how many jobs wait and run, and how fast they come and go";

    void declare(CLI::App& a) {
        a.add_option("--queue", queue, "Only this queue")->type_name("NAME");
        add_duration(a, "--last", last, "The time over which in and out are averaged (5min)");
        again.declare(a);
    }

    exit_code run(program& p) {
        time_window{.last = last}.check().value();
        if (const auto wrong = check_names(p, queue, {}); wrong != exit_code::done) return wrong;
        return again.show(p, [&] { return listing(p); });
    }

    table listing(program& p) const {
        auto all = read_lanes(p, queue);
        const auto ids = lanes_of(all);
        auto& s = p.session();
        add_parts(all, s.counts_up_to(ids, bound_of_counts(ids.size())).value(), &entrypoint_overview::counts);
        add_parts(all, s.statistics({.lanes = ids, .last = last}).value(), &entrypoint_overview::last);
        const double seconds = std::chrono::duration<double>(last).count();

        table t{{{"queue"},
                 {"entrypoint"},
                 {"ready", kind::count},
                 {"deferred", kind::count},
                 {"blocked", kind::count},
                 {"leased", kind::number},
                 {"held", kind::count},
                 {"oldest", kind::span},
                 {"in_per_s", kind::number},
                 {"out_per_s", kind::number},
                 {"paused", kind::truth},
                 {"draining", kind::truth}}};
        for (const auto& e : all)
            t.add({e.queue, e.entrypoint, e.counts.ready, e.counts.deferred, e.counts.blocked, e.counts.leased.value,
                   e.counts.held, cell_of(e.counts.oldest_ready), static_cast<double>(e.last.enqueued) / seconds,
                   e.last.throughput(last), e.paused, e.draining});
        return t;
    }

    std::string queue{};
    duration last = std::chrono::minutes{5};
    watch again{};
};

}  // namespace pgq::cli::command
