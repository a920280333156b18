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
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pgq::cli::command {

/// Ends with 1 if there is no such queue or entrypoint.
struct stats {
    static constexpr const char* name = "stats";
    static constexpr const char* what = "Show what became of the jobs of the last 48 hours at most";

    void declare(CLI::App& a) {
        a.add_option("--queue", queue, "Only this queue")->type_name("NAME");
        a.add_option("--entrypoint", entrypoint, "Only this entrypoint")->type_name("NAME");
        add_duration(a, "--last", window.last, "How far back (1h)");
        add_duration(a, "--step", step, "Rows for each part of this length, in whole minutes");
        again.declare(a);
    }

    exit_code run(program& p) {
        window.check().value();
        if (step % std::chrono::minutes{1} != duration{})
            return p.fail(exit_code::wrong_use, "--step is not a number of whole minutes", "write 5min or 1h");
        if (const auto wrong = check_names(p, queue, entrypoint); wrong != exit_code::done) return wrong;
        return again.show(p, [&] { return listing(p); });
    }

    table listing(program& p) const {
        const auto lanes = read_lanes(p, queue, entrypoint);
        std::map<time_point, std::vector<lane_statistics>> parts;
        for (auto& s : p.session().statistics({.lanes = lanes_of(lanes), .last = window.last, .step = step}).value())
            parts[s.at].push_back(s);
        if (!has_steps()) parts[{}];  // entrypoints without numbers have a row, too

        table t{columns()};
        for (const auto& [at, some] : parts) {
            auto sums = lanes;
            add_parts(sums, some, &entrypoint_overview::last);
            for (const auto& e : sums)
                if (!has_steps() || e.last != job_statistics{}) t.add(row(at, e));
        }
        return t;
    }
    std::vector<column> columns() const {
        std::vector<column> all{{"queue"}, {"entrypoint"}};
        for (const char* of : {"enqueued", "done", "retried", "held", "discarded", "cancelled", "expired", "per_s"})
            all.push_back({of, kind::number});
        for (const char* of : {"wait_p50", "wait_p99", "run_p50", "run_p99"}) all.push_back({of, kind::span});
        if (has_steps()) all.insert(all.begin(), {"at", kind::time});
        return all;
    }
    std::vector<cell> row(time_point at, const entrypoint_overview& of) const {
        const job_statistics& s = of.last;
        std::vector<cell> cells{of.queue,
                                of.entrypoint,
                                s.enqueued,
                                s.done,
                                s.retried,
                                s.held,
                                s.discarded,
                                s.cancelled,
                                s.expired,
                                s.throughput(has_steps() ? step : window.last),
                                cell_of(s.wait.percentile(0.5)),
                                cell_of(s.wait.percentile(0.99)),
                                cell_of(s.run.percentile(0.5)),
                                cell_of(s.run.percentile(0.99))};
        if (has_steps()) cells.insert(cells.begin(), at);
        return cells;
    }
    bool has_steps() const noexcept { return step != duration{}; }

    std::string queue{};
    std::string entrypoint{};
    time_window window{.last = std::chrono::hours{1}};
    duration step{};
    watch again{};
};

}  // namespace pgq::cli::command
