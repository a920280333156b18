#pragma once

#include <pgq/cli/command/part/checks.hpp>
#include <pgq/cli/command/part/chosen_jobs.hpp>
#include <pgq/cli/output/program_name.hpp>
#include <pgq/cli/output/table.hpp>
#include <pgq/cli/output/terminal.hpp>
#include <pgq/cli/program.hpp>

#include <pgq/admin/selection.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/action.hpp>
#include <pgq/protocol/statistics.hpp>

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

namespace pgq::cli::command {

/// What an action is called.
struct action_words {
    job_action what;
    const char* ask;    ///< "Cancel"
    const char* done;   ///< "cancelled"
    const char* skips;  ///< why it skips jobs that are named: "unknown, or not held"
};

inline constexpr action_words cancel_words{job_action::cancel, "Cancel", "cancelled", "unknown"};
inline constexpr action_words requeue_words{job_action::requeue, "Requeue", "requeued", "unknown, or not held"};
inline constexpr action_words run_now_words{job_action::run_now, "Run now", "made ready", "unknown, or not deferred"};
inline constexpr action_words drop_words{job_action::drop, "Delete", "deleted", "unknown, or not held"};
inline constexpr action_words move_words{job_action::move, "Move", "moved", "unknown, or not ready, deferred or held"};

/// Counts first, asks, acts on the chosen jobs and says what was done. Ends with 1 if a job that the line names by its
/// id was skipped.
class bulk_action {
public:
    explicit bulk_action(const action_words& words, lane_id to = {}) : words_{words}, to_{to} {}

    exit_code run(program& p, const chosen_jobs& jobs, bool dry_run) const {
        if (dry_run) return preview(p, jobs);
        if (!p.options().yes) {
            // Without somebody to ask, it refuses, and nobody needs the count.
            capped_count n;
            if (has_somebody_to_ask()) n = jobs.count(p, words_.what);
            if (has_somebody_to_ask() && n.value == 0) return nothing(p, jobs);
            if (!p.is_confirmed(std::string{words_.ask} + ' ' + counted_text(n) + '?')) return exit_code::not_confirmed;
        }
        return report(p, jobs, act(p, jobs));
    }

private:
    static std::string counted_text(const capped_count& n) {
        return n.text() + (n.value == 1 && !n.capped ? " job" : " jobs");
    }
    exit_code preview(program& p, const chosen_jobs& jobs) const {
        p.say(counted_text(jobs.count(p, words_.what)) + " would be " + words_.done);
        return exit_code::done;
    }
    exit_code nothing(program& p, const chosen_jobs& jobs) const {
        bulk_reply none{.complete = true};
        if (jobs.are_named()) none.skipped = static_cast<std::int64_t>(jobs.ids().size());
        return report(p, jobs, none);
    }

    bulk_reply act(program& p, const chosen_jobs& jobs) const {
        if (jobs.are_named()) {
            const auto ids = jobs.ids();
            return perform(p, std::span<const job_id>{ids}).value();
        }
        const bool shows = ::isatty(STDERR_FILENO) == 1;
        bulk_options o;
        if (shows) o.progress = [this](const bulk_reply& r) { return show_progress(r); };
        auto done = perform(p, jobs.selection(p), o);
        if (shows) std::fputs("\r\x1b[K", stderr);
        return std::move(done).value();
    }
    bool show_progress(const bulk_reply& r) const {
        if (r.batches > 1) std::fprintf(stderr, "\r%s %s", capped_count{.value = r.done}.text().c_str(), words_.done);
        return true;
    }
    template <class Which, class... Options>
    result<bulk_reply> perform(program& p, const Which& which, const Options&... o) const {
        switch (words_.what) {
        case job_action::cancel: return p.ops().cancel(which, o...);
        case job_action::requeue: return p.ops().requeue(which, o...);
        case job_action::run_now: return p.ops().run_now(which, o...);
        case job_action::drop: return p.ops().drop(which, o...);
        case job_action::move: break;
        }
        return p.ops().move(which, to_, o...);
    }

    exit_code report(program& p, const chosen_jobs& jobs, const bulk_reply& r) const {
        const std::int64_t chosen = jobs.are_named() ? static_cast<std::int64_t>(jobs.ids().size()) : r.matched;
        if (p.options().format() == format::table) {
            std::string text = counted(chosen, "job") + (jobs.are_named() ? " named: " : " matched: ") +
                               std::to_string(r.done) + ' ' + words_.done + ", " + std::to_string(r.skipped) +
                               " skipped";
            if (r.stopping > 0) text += "; running, and asked to stop: " + std::to_string(r.stopping);
            p.say(text);
        } else {
            table t{{{"matched", kind::number},
                     {"done", kind::number},
                     {"stopping", kind::number},
                     {"skipped", kind::number}}};
            t.add({chosen, r.done, r.stopping, r.skipped});
            p.show(t);
        }
        if (!jobs.are_named() || r.skipped == 0) return exit_code::done;
        return p.fail(exit_code::not_met, counted(r.skipped, "job") + " skipped: " + words_.skips,
                      line_of("jobs show") + " says where a job is");
    }

    action_words words_;
    lane_id to_;
};

}  // namespace pgq::cli::command
