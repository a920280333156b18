#pragma once

#include <pgq/cli/command/part/job_filter.hpp>
#include <pgq/cli/command/part/job_ids.hpp>
#include <pgq/cli/command/part/page.hpp>
#include <pgq/cli/database/lane_names.hpp>
#include <pgq/cli/output/header_text.hpp>
#include <pgq/cli/output/program_name.hpp>
#include <pgq/cli/output/table.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/admin/selection.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/tracked.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace pgq::cli::command::failed {

/// Ends with 1 if there is no such queue or entrypoint, or if one of the jobs is not held.
struct show {
    static constexpr const char* name = "show";
    static constexpr const char* what = "Show held jobs with each of their failed attempts";

    void declare(CLI::App& a) {
        ids.declare(a, "Jobs, by their ids; without them those that match");
        filter.declare_for_held(a);
        a.add_option("--after", after, "Only jobs with a higher id: the next page")
            ->check(CLI::Range(std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()))
            ->transform(decimal())
            ->type_name("ID");
        a.add_option("--limit", most, "At most so many jobs (20)")
            ->check(CLI::Range(1, 200))
            ->transform(decimal())
            ->type_name("N");
    }

    exit_code run(program& p) {
        if (!ids.empty() && !filter.is_empty())
            return p.fail(exit_code::wrong_use, "ids and a filter exclude each other", "give one of them");
        if (const auto wrong = filter.check(p); wrong != exit_code::done) return wrong;
        std::string missing;
        const job_page page = ids.empty() ? matching(p) : named(p, missing);
        if (ids.empty() || !page.jobs.empty()) p.show(listing(p, page.jobs));
        if (page.next) say_next_page(page.next->value, page.jobs.empty());
        if (missing.empty()) return exit_code::done;
        return p.fail(exit_code::not_met, missing + " not held", line_of("jobs show") + " says where a job is");
    }

private:
    job_page matching(program& p) const {
        job_selection which = filter.selection(p);
        which.states = job_state::held;
        return p.ops().jobs(which, {.after = {after}, .most = most}).value();
    }
    job_page named(program& p, std::string& missing) const {
        job_page all;
        for (const job_id id : ids.all()) {
            auto one = p.ops().jobs({.states = job_state::held, .after = {id.value - 1}, .last = id}, {.most = 1});
            auto page = std::move(one).value();
            std::move(page.jobs.begin(), page.jobs.end(), std::back_inserter(all.jobs));
            if (page.jobs.empty()) missing += (missing.empty() ? "job " : ", ") + std::to_string(id.value);
        }
        if (!missing.empty()) missing += missing.find(',') == std::string::npos ? " is" : " are";
        return all;
    }

    static table listing(program& p, const std::vector<listed_job>& jobs) {
        table t{{{"id", kind::number},
                 {"queue"},
                 {"entrypoint"},
                 {"attempt", kind::number},
                 {"at", kind::time},
                 {"reason"}}};
        lane_names lanes{p};
        for (const listed_job& j : jobs) {
            const listed_lane& lane = lanes.of(j.lane);
            const auto add = [&](std::int16_t attempt, const cell& at, const std::string& reason) {
                t.add({j.id.value, lane.queue, lane.entrypoint, std::int64_t{attempt}, at,
                       p.writes_for_people() ? short_reason(reason) : reason});
            };
            const auto attempts = p.ops().failures(j.id).value();
            for (const failed_attempt& a : attempts) add(a.attempt, a.at, a.reason);
            // The records of attempts are kept for 14 days, unless the lane says otherwise.
            if (attempts.empty()) add(j.attempts, cell_of(j.since), j.reason);
        }
        return t;
    }

public:
    job_ids ids{};
    job_filter filter{};
    std::int64_t after = before_all_jobs.value;
    std::int64_t most = 20;
};

}  // namespace pgq::cli::command::failed
