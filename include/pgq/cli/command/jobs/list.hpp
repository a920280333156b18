#pragma once

#include <pgq/cli/command/part/job_filter.hpp>
#include <pgq/cli/command/part/page.hpp>
#include <pgq/cli/command/part/watch.hpp>
#include <pgq/cli/database/lane_names.hpp>
#include <pgq/cli/output/header_text.hpp>
#include <pgq/cli/output/state_name.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/admin/selection.hpp>
#include <pgq/protocol/listing.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace pgq::cli::command::jobs {

/// Ends with 1 if there is no such queue or entrypoint.
struct list {
    static constexpr const char* name = "list";
    static constexpr const char* what = "Show jobs in the order of their ids, without payloads";

    void declare(CLI::App& a) {
        filter.declare(a);
        a.add_option("--after", after, "Only jobs with a higher id: the next page")
            ->check(CLI::Range(std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()))
            ->transform(decimal())
            ->type_name("ID");
        a.add_option("--limit", most, "At most so many (50)")
            ->check(CLI::Range(1, 1000))
            ->transform(decimal())
            ->type_name("N");
        again.declare(a);
    }

    exit_code run(program& p) {
        if (const auto wrong = filter.check(p); wrong != exit_code::done) return wrong;
        job_page page;
        const auto done = again.show(p, [&] {
            page = p.ops().jobs(filter.selection(p), {.after = {after}, .most = most}).value();
            return listing(p, page);
        });
        if (page.next) say_next_page(page.next->value, page.jobs.empty());
        return done;
    }

    static table listing(program& p, const job_page& page) {
        table t{{{"id", kind::number},
                 {"queue"},
                 {"entrypoint"},
                 {"state"},
                 {"priority", kind::number},
                 {"attempts", kind::number},
                 {"enqueued_at", kind::time},
                 {"run_at", kind::time},
                 {"worker", kind::number},
                 {"reason"}}};
        lane_names lanes{p};
        for (const listed_job& j : page.jobs) {
            const listed_lane& lane = lanes.of(j.lane);
            t.add({j.id.value, lane.queue, lane.entrypoint, std::string{state_name(j.state)},
                   std::int64_t{j.priority()}, std::int64_t{j.attempts}, j.enqueued_at, cell_of(j.run_at),
                   j.worker ? cell{std::int64_t{j.worker->value}} : cell{},
                   p.writes_for_people() ? short_reason(j.reason) : j.reason});
        }
        return t;
    }

    job_filter filter{};
    std::int64_t after = before_all_jobs.value;
    std::int64_t most = 50;
    watch again{};
};

}  // namespace pgq::cli::command::jobs
