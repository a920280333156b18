#pragma once

#include <pgq/cli/command/part/checks.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/observer/database_numbers.hpp>
#include <pgq/protocol/admin.hpp>

#include <CLI/App.hpp>

#include <algorithm>
#include <chrono>
#include <string>

namespace pgq::cli::command {

/// Ends with 1 if a check failed; a warning is none.
struct health {
    static constexpr const char* name = "health";
    static constexpr const char* what = "Check that jobs can run: workers, late jobs and schedules, the database";

    void declare(CLI::App& a) {
        a.add_flag("--json", json, "The same as --format json");
        add_duration(a, "--late", late, "How late due jobs and schedules may be (1min)");
    }

    exit_code run(program& p) {
        const auto limit = std::chrono::ceil<std::chrono::milliseconds>(p.options().statement_timeout);
        const auto n = observer::database_reader<driver::libpq>{p.driver(), {.statement_timeout = limit}}().value();
        checks c;
        check_workers(c, n);
        check_times(c, n);
        for (const database_problem& x : p.session().problems().value())
            c.add(x.name, x.prevents_work ? state::failed : state::warning, x.message + "; " + x.remedy);
        json ? write_out(as_json(c.all())) : p.show(c.all());
        return c.has_failed() ? exit_code::not_met : exit_code::done;
    }

    static void check_workers(checks& c, const observer::database_numbers& n) {
        const auto ready =
            std::count_if(n.lanes.begin(), n.lanes.end(), [](const auto& l) { return l.ready.value > 0 && !l.paused; });
        const auto paused =
            std::count_if(n.lanes.begin(), n.lanes.end(), [](const auto& l) { return l.paused || l.draining; });
        const std::string alive = counted(n.workers_alive, "worker") + " alive";
        if (ready == 0) c.add("workers", state::ok, alive);
        else
            c.add("workers", n.workers_alive == 0 ? state::failed : state::ok,
                  alive + ", jobs of " + counted(ready, "entrypoint") + " ready");
        c.add("dead workers", n.workers_dead == 0 ? state::ok : state::warning,
              counted(n.workers_dead, "worker") + " dead and not rescued");
        c.add("pauses", paused == 0 ? state::ok : state::warning,
              counted(paused, "entrypoint") + " paused or draining" +
                  (paused == 0 ? "" : "; " + line_of("paused") + " says why"));
    }
    void check_times(checks& c, const observer::database_numbers& n) const {
        constexpr std::chrono::minutes old_snapshot{10};
        double overdue = 0;
        for (const auto& s : n.schedules)
            if (!s.paused) overdue = std::max(overdue, s.overdue);
        c.add_age("due jobs", n.deferred_overdue, late, state::failed, "late");
        c.add_age("schedules", overdue, late, state::failed, "late");
        c.add_age("oldest snapshot", n.oldest_snapshot.value_or(0), old_snapshot, state::warning,
                  "old: no dead row since then can be removed");
    }

    bool json = false;
    duration late = std::chrono::minutes{1};
};

}  // namespace pgq::cli::command
