#pragma once

#include <pgq/cli/command/part/watch.hpp>
#include <pgq/cli/database/lanes.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/protocol/statistics.hpp>
#include <pgq/time/clock.hpp>

#include <CLI/App.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace pgq::cli::command {

struct queues {
    static constexpr const char* name = "queues";
    static constexpr const char* what = "Show how many jobs wait and run, and how fast they come and go";

    void declare(CLI::App& a) {
        a.add_option("--queue", queue, "Only this queue")->type_name("NAME");
        add_duration(a, "--last", last, "The time over which in and out are averaged (5min)");
        again.declare(a);
    }

    exit_code run(program& p) {
        return again.show(p, [&] { return listing(p); });
    }

    table listing(program& p) const {
        const auto lanes = read_lanes(p, queue);
        const auto ids = ids_of(lanes);
        auto& s = p.session();
        const auto counts = sums_of<capped_counts>(lanes, s.counts_up_to(ids, bound_of_counts(ids.size())).value());
        const auto rates = sums_of<job_statistics>(lanes, s.statistics({.lanes = ids, .last = last}).value());
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
        for (std::size_t i = 0; i < lanes.size(); ++i)
            t.add({lanes[i].queue, lanes[i].entrypoint, counts[i].ready, counts[i].deferred, counts[i].blocked,
                   counts[i].leased.value, counts[i].held, cell_of(counts[i].oldest_ready),
                   static_cast<double>(rates[i].enqueued) / seconds, rates[i].throughput(last), lanes[i].paused,
                   lanes[i].draining});
        return t;
    }

    std::string queue{};
    duration last = std::chrono::minutes{5};
    watch again{};
};

}  // namespace pgq::cli::command
