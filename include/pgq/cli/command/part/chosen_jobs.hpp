#pragma once

#include <pgq/cli/command/part/checks.hpp>
#include <pgq/cli/command/part/job_filter.hpp>
#include <pgq/cli/command/part/job_ids.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/admin/selection.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/action.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/statistics.hpp>

#include <CLI/App.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pgq::cli::command {

/// The jobs on which a sub-command acts: ids, those that match a filter, or all. Never all because nothing was said.
class chosen_jobs {
public:
    /// `held_only`: the filter has the options for held jobs.
    void declare(CLI::App& a, bool held_only) {
        ids_.declare(a, "Jobs, by their ids");
        if (held_only) filter_.declare_for_held(a);
        else filter_.declare(a);
        a.add_flag("--all", all_, "All jobs in a state that fits");
    }

    bool are_named() const noexcept { return !ids_.empty(); }
    /// Each once.
    std::vector<job_id> ids() const {
        auto ids = ids_.all();
        std::sort(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        return ids;
    }
    job_selection selection(program& p) const { return filter_.selection(p); }

    /// Says what is wrong with the line.
    exit_code check(program& p) const {
        const int ways = int{are_named()} + int{!filter_.is_empty()} + int{all_};
        if (ways == 0)
            return p.fail(exit_code::wrong_use, "no jobs are chosen", "give ids, a filter such as --queue, or --all");
        if (ways > 1)
            return p.fail(exit_code::wrong_use, "ids, a filter and --all exclude each other", "give one of them");
        return filter_.check(p);
    }

    /// How many jobs the action would take now; of a filter, up to a bound.
    capped_count count(program& p, job_action what) const {
        if (!are_named()) return p.ops().preview(what, selection(p)).value();
        capped_count sum;
        for (const job_id id : ids()) sum += p.ops().preview(what, {.after = {id.value - 1}, .last = id}).value();
        return sum;
    }

private:
    job_ids ids_{};
    job_filter filter_{};
    bool all_ = false;
};

}  // namespace pgq::cli::command
