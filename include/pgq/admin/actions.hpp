#pragma once

#include <pgq/admin/selection.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/action.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/tracked.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The members of pgq::admin that change jobs. Only operators and the owner may call them.
///
/// An action on all that match takes batches, each in a transaction of its own, and answers what it has done. Jobs that
/// begin to match while it works may be left out. If it fails, the batches before stay done; the detail of the error
/// says how many jobs these had. It may be called again.
template <class Admin>
class admin_actions {
public:
    result<bulk_reply> cancel(const job_selection& which, const bulk_options& o = {}) {
        return act(job_action::cancel, which, o);
    }
    result<bulk_reply> cancel(std::span<const job_id> ids) { return act(job_action::cancel, ids); }

    /// Held jobs become ready, with no attempts counted.
    result<bulk_reply> requeue(const job_selection& which, const bulk_options& o = {}) {
        return act(job_action::requeue, which, o);
    }
    result<bulk_reply> requeue(std::span<const job_id> ids) { return act(job_action::requeue, ids); }

    /// Deferred jobs become ready. They keep their order.
    result<bulk_reply> run_now(const job_selection& which, const bulk_options& o = {}) {
        return act(job_action::run_now, which, o);
    }
    result<bulk_reply> run_now(std::span<const job_id> ids) { return act(job_action::run_now, ids); }

    /// Held jobs are deleted.
    result<bulk_reply> drop(const job_selection& which, const bulk_options& o = {}) {
        return act(job_action::drop, which, o);
    }
    result<bulk_reply> drop(std::span<const job_id> ids) { return act(job_action::drop, ids); }

    /// Ready, deferred and held jobs go to another lane, where they keep state, rank and id. Nobody checks that workers
    /// of that lane can read their payloads: a worker holds a job that it cannot read.
    ///
    /// Errors: errc::draining; errc::invalid_option if there is no such lane.
    result<bulk_reply> move(const job_selection& which, lane_id to, const bulk_options& o = {}) {
        if (auto there = check_lane(to); !there) return std::move(there.error());
        return act(job_action::move, which, o, to);
    }
    result<bulk_reply> move(std::span<const job_id> ids, lane_id to) {
        if (auto there = check_lane(to); !there) return std::move(there.error());
        return act(job_action::move, ids, to);
    }

    /// How many jobs an action on these would take now, counted no further than `most`. It changes nothing.
    result<capped_count> preview(job_action what, const job_selection& which, std::int64_t most = 10'000) {
        std::int64_t n = 0;
        auto ended = each_page(what, which, most_jobs_of_a_call, [&](std::span<const job_place> jobs) -> result<bool> {
            n += static_cast<std::int64_t>(jobs.size());
            return n <= most;
        });
        if (!ended) return std::move(ended.error());
        return capped_count::of(n, most);
    }

    /// Removes a worker that is gone, or with `forced` one that lives. Its jobs run again, as after a crash; see
    /// forget_reply.
    result<forget_reply> forget_worker(worker_id id, bool forced = false) {
        return with([&](auto& s) { return s.forget_worker(id, forced); });
    }

protected:
    admin_actions() = default;

private:
    result<bulk_reply> act(job_action what, const job_selection& which, const bulk_options& o, lane_id to = {}) {
        if (auto fine = check_count(o.batch, "the size of a batch"); !fine) return std::move(fine.error());
        bulk_reply sum;
        bool stopped = false;
        auto ended = each_page(what, which, o.batch, [&](std::span<const job_place> jobs) -> result<bool> {
            jobs = jobs.first(std::min(jobs.size(), static_cast<std::size_t>(o.at_most - sum.matched)));
            if (auto done = act_on(sum, {.what = what, .jobs = jobs, .to = to}); !done) return std::move(done.error());
            if (o.progress && !o.progress(sum)) stopped = true;
            if (sum.matched >= o.at_most) stopped = true;
            return !stopped;
        });
        if (!ended) return with_count(std::move(ended.error()), sum);
        sum.complete = !stopped;
        return sum;
    }
    result<bulk_reply> act(job_action what, std::span<const job_id> ids, lane_id to = {}) {
        std::vector<job_id> sorted{ids.begin(), ids.end()};
        std::sort(sorted.begin(), sorted.end());
        sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
        bulk_reply sum{.complete = true};
        for (std::size_t at = 0; at < sorted.size(); at += most_jobs_of_a_call) {
            const auto part = std::span{sorted}.subspan(at);
            const auto some = part.first(std::min<std::size_t>(part.size(), most_jobs_of_a_call));
            auto places = find(what, some);
            if (!places) return with_count(std::move(places.error()), sum);
            sum.skipped += static_cast<std::int64_t>(some.size() - places->size());
            if (places->empty()) continue;
            if (auto done = act_on(sum, {.what = what, .jobs = *places, .to = to}); !done)
                return with_count(std::move(done.error()), sum);
        }
        return sum;
    }
    /// One batch.
    result<void> act_on(bulk_reply& sum, const action_request& r) {
        auto done = with([&](auto& s) { return s.act(r); });
        if (!done) return std::move(done.error());
        const auto n = static_cast<std::int64_t>(r.jobs.size());
        sum.matched += n;
        sum.done += done->done;
        sum.stopping += done->stopping;
        sum.skipped += n - done->done;
        ++sum.batches;
        return {};
    }

    /// Calls `use(jobs)` for each page of jobs that match and are in a state that fits, until it returns false.
    template <class Use>
    result<void> each_page(job_action what, job_selection which, std::int64_t most, Use use) {
        which.states =
            static_cast<job_state>(static_cast<unsigned>(which.states) & static_cast<unsigned>(states_of(what)));
        if (which.states == job_state{})
            return error_info{errc::invalid_option,
                              "the action " + std::string{name_of(what)} + " takes no jobs of the selected states"};
        selected_jobs selected{std::move(which)};
        if (auto ready = static_cast<Admin&>(*this).prepare(selected); !ready) return ready;
        std::vector<job_place> places;
        for (std::optional<job_id> after = before_all_jobs; after && !selected.is_empty();) {
            auto page = with([&](auto& s) { return s.list_jobs(selected.search(*after, most)); });
            if (!page) return std::move(page.error());
            after = page->next;
            selected.narrow(page->jobs);
            places.clear();
            for (const listed_job& j : page->jobs) places.push_back({.id = j.id, .lane = j.lane, .rank = j.rank});
            if (places.empty()) continue;
            auto more = use(std::span<const job_place>{places});
            if (!more) return std::move(more.error());
            if (!*more) return {};
        }
        return {};
    }
    /// Where these jobs are; without those that are nowhere. Of many jobs, and where it does not matter, it does not
    /// look.
    result<std::vector<job_place>> find(job_action what, std::span<const job_id> ids) {
        constexpr std::size_t few = 50;
        std::vector<job_place> places;
        const bool looks = (what == job_action::cancel || what == job_action::move) && ids.size() <= few;
        for (const job_id id : ids) {
            if (!looks) places.push_back({.id = id});
            if (!looks || id <= before_all_jobs) continue;
            auto page = with([&](auto& s) { return s.list_jobs({.after = {id.value - 1}, .last = id, .most = 1}); });
            if (!page) return std::move(page.error());
            for (const listed_job& j : page->jobs) places.push_back({.id = id, .lane = j.lane, .rank = j.rank});
        }
        return places;
    }
    result<void> check_lane(lane_id lane) {
        auto found = with([&](auto& s) { return s.list_lanes({.after = {lane.value - 1}, .most = 1}); });
        if (!found) return std::move(found.error());
        if (!found->empty() && found->front().id == lane) return {};
        return error_info{errc::invalid_option, "there is no lane " + std::to_string(lane.value),
                          "admin::lanes() lists them"};
    }
    static error_info with_count(error_info e, const bulk_reply& sum) {
        if (sum.batches == 0) return e;
        e.detail += (e.detail.empty() ? "" : "; ") + std::to_string(sum.done) + " jobs were done before";
        return e;
    }
    template <class Use>
    auto with(Use use) {
        return static_cast<Admin&>(*this).connection().with(use);
    }
};

}  // namespace pgq::detail
