#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq {

/// Which jobs: those that match all of it. It owns its texts.
struct job_selection {
    std::string queue{};           ///< empty: any
    std::string entrypoint{};      ///< empty: any
    std::vector<lane_id> lanes{};  ///< empty: all lanes of these names
    job_state states = any_state;
    std::vector<owned_header> headers{};  ///< a job has all of them
    std::string reason{};                 ///< its reason has this text
    std::optional<std::string> group{};   ///< failed_group::reason of a group; together with its lane: the whole group
    std::optional<time_point> enqueued_since{};
    std::optional<time_point> enqueued_before{};
    job_id after = before_all_jobs;
    job_id last = last_of_all_jobs;
};

/// Which page of a list of jobs.
struct page_options {
    job_id after = before_all_jobs;  ///< the `next` of the page before
    std::int64_t most = 50;          ///< 1 to 1000
    /// A page that would not be full after so long is returned as it is: few jobs match.
    duration patience = std::chrono::milliseconds{100};
};

/// What an action on many jobs has done so far.
struct bulk_reply {
    std::int64_t matched = 0;   ///< jobs that it has found, in a state that fits
    std::int64_t done = 0;      ///< jobs that it has changed
    std::int64_t stopping = 0;  ///< of these: jobs that run, and were asked to stop
    std::int64_t skipped = 0;   ///< jobs that were not, or not any more, in a state that fits
    std::int64_t batches = 0;
    bool complete = false;  ///< false: `progress` or `at_most` has ended it, and there may be more

    friend bool operator==(const bulk_reply&, const bulk_reply&) = default;
};

/// How to act on many jobs.
struct bulk_options {
    std::int64_t batch = 1000;  ///< at most so many jobs in one transaction; 1 to 1000
    std::int64_t at_most = INT64_MAX;
    /// Called after each batch, by the calling thread. If it returns false, the action ends: what is done stays done.
    std::function<bool(const bulk_reply&)> progress{};
};

namespace detail {

inline constexpr std::int64_t most_jobs_of_a_call = 1000;

inline result<void> check_count(std::int64_t n, const char* what) {
    if (n >= 1 && n <= most_jobs_of_a_call) return {};
    return error_info{errc::invalid_option, std::string{what} + " is not between 1 and 1000"};
}

/// A selection, and the views that a search has of it.
class selected_jobs {
public:
    explicit selected_jobs(job_selection s) : selection_{std::move(s)} {
        for (const owned_header& h : selection_.headers) headers_.push_back({.name = h.name, .value = h.value});
        if (!selection_.lanes.empty()) lanes_ = selection_.lanes;
    }
    // It has views of itself.
    selected_jobs(const selected_jobs&) = delete;
    selected_jobs& operator=(const selected_jobs&) = delete;

    result<void> check() const {
        const auto fine = [](std::string_view text) { return is_storable_text(text); };
        const auto fine_header = [&](const owned_header& h) { return fine(h.name) && fine(h.value); };
        if (!fine(selection_.queue) || !fine(selection_.entrypoint) || !fine(selection_.reason) ||
            (selection_.group && !fine(*selection_.group)) ||
            !std::all_of(selection_.headers.begin(), selection_.headers.end(), fine_header))
            return error_info{errc::invalid_text, "a text of the selection has a zero byte or invalid UTF-8"};
        return {};
    }

    /// Replaces the names by the ids of their lanes. `with` calls a function with a session.
    template <class With>
    result<void> find_lanes(With with) {
        if (selection_.queue.empty() && selection_.entrypoint.empty()) return {};
        std::vector<lane_id> found;
        lane_query q{.queue = selection_.queue, .entrypoint = selection_.entrypoint};
        for (bool more = true; more;) {
            auto page = with([&](auto& session) { return session.list_lanes(q); });
            if (!page) return std::move(page.error());
            for (const listed_lane& l : *page)
                if (!lanes_ || std::find(lanes_->begin(), lanes_->end(), l.id) != lanes_->end()) found.push_back(l.id);
            more = static_cast<std::int64_t>(page->size()) == q.most;
            if (more) q.after = page->back().id;
        }
        lanes_ = std::move(found);
        return {};
    }

    /// The search for the page behind `after`.
    job_search search(job_id after, std::int64_t most) const {
        job_search r{.states = selection_.states,
                     .after = std::max(after, selection_.after),
                     .last = selection_.last,
                     .headers = headers_,
                     .reason = selection_.group ? std::string_view{*selection_.group} : selection_.reason,
                     .enqueued_since = selection_.enqueued_since,
                     .enqueued_before = selection_.enqueued_before,
                     .most = most};
        if (lanes_) r.lanes = *lanes_;
        // Ready and leased jobs have no reason, so a search for one need not look at them.
        constexpr unsigned without = static_cast<unsigned>(job_state::ready) | static_cast<unsigned>(job_state::leased);
        if (!r.reason.empty()) r.states = static_cast<job_state>(static_cast<unsigned>(r.states) & ~without);
        return r;
    }
    /// Leaves only jobs that match what a search does not compare.
    void narrow(std::vector<listed_job>& jobs) const {
        const auto& s = selection_;
        if (!s.group) return;
        std::erase_if(jobs, [&](const listed_job& j) {
            return group_of_reason(j.reason) != *s.group || j.reason.find(s.reason) == std::string::npos;
        });
    }
    const job_selection& selection() const noexcept { return selection_; }
    /// No job can match.
    bool is_empty() const noexcept { return lanes_ && lanes_->empty(); }

private:
    job_selection selection_;
    std::vector<header> headers_{};
    std::optional<std::vector<lane_id>> lanes_{};
};

}  // namespace detail
}  // namespace pgq
