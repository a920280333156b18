#pragma once

#include <pgq/error/result.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

/// How long the end of a job is kept, once a program has asked for it.
inline constexpr duration default_outcome_retention = std::chrono::hours{1};

inline bool has_lower_id(const ended_job& a, const ended_job& b) noexcept { return a.id < b.id; }

/// One call that waits for the ends of some jobs: what it waits for and what has come. It reads no clock.
class completion_waiter {
public:
    using answer_type = result<std::vector<ended_job>>;

    completion_waiter(std::span<const job_id> ids, steady_time deadline, duration keep, steady_time now)
        : ids_(ids.begin(), ids.end()),
          open_{ids_},
          keep_{keep},
          deadline_{deadline},
          first_query_until_{deadline <= now ? now + std::chrono::seconds{5}
                                             : std::max<steady_time>(deadline, now + std::chrono::seconds{1})} {}

    std::span<const job_id> open() const noexcept { return open_; }
    duration keep() const noexcept { return keep_; }
    steady_time deadline() const noexcept { return deadline_; }
    /// Whether the database has been asked for all of its jobs, or will not be.
    bool was_asked() const noexcept { return asked_ || refused_; }

    /// A call whose deadline is near or over still gets an answer of the database, if that comes within 1 s, or within
    /// 5 s if the call has no time to wait at all.
    steady_time until(bool failing) const noexcept { return asked_ || failing ? deadline_ : first_query_until_; }
    bool is_answered() const noexcept { return open_.empty() || refused_; }
    bool is_over(steady_time now, bool failing) const noexcept { return is_answered() || now >= until(failing); }

    /// The call ends with this error.
    void refuse(error_info why) { refused_ = std::move(why); }
    /// The database was asked for the jobs `asked`, and these have ended. Both are sorted by id.
    void update(std::span<const job_id> asked, std::span<const ended_job> ended) {
        // A waiter that was added after the question was sent is not part of `asked`.
        asked_ = asked_ || std::all_of(open_.begin(), open_.end(),
                                       [&](job_id id) { return std::binary_search(asked.begin(), asked.end(), id); });
        std::erase_if(open_, [&](job_id id) {
            const auto found = std::lower_bound(ended.begin(), ended.end(), ended_job{.id = id}, has_lower_id);
            const bool over = found != ended.end() && found->id == id;
            if (over) ended_.push_back(*found);
            return over;
        });
    }

    /// The ends in the order of the call, or the error: `failure` is why the database could not be asked, if so.
    answer_type answer(const std::optional<error_info>& failure) {
        if (refused_) return std::move(*refused_);
        if (!open_.empty()) return failure ? *failure : too_late();
        std::sort(ended_.begin(), ended_.end(), has_lower_id);
        std::vector<ended_job> in_order;
        in_order.reserve(ids_.size());
        for (const job_id id : ids_)
            in_order.push_back(*std::lower_bound(ended_.begin(), ended_.end(), ended_job{.id = id}, has_lower_id));
        return in_order;
    }

private:
    error_info too_late() const {
        return {errc::timeout,
                std::to_string(open_.size()) + " of " + std::to_string(ids_.size()) +
                    (ids_.size() == 1 ? " job has" : " jobs have") + " not ended in time",
                "wait longer, or look whether a worker serves them"};
    }

    std::vector<job_id> ids_;
    std::vector<job_id> open_;
    std::vector<ended_job> ended_{};
    duration keep_;
    steady_time deadline_;
    steady_time first_query_until_;
    bool asked_ = false;
    std::optional<error_info> refused_{};
};

}  // namespace pgq::detail
