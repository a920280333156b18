#pragma once

#include <pgq/concept/limiter.hpp>
#include <pgq/job/key.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

namespace pgq::limiter {

/// At most `Most` jobs with the same value of a member run at once, over all workers: `concurrency_by<&job::user, 3>`.
/// The member is the key: text, an integer, a bool or an enumerator. The enqueue stores its value with the job.
///
/// Workers skip a job while its key has reached the limit. The job keeps its position, and jobs with other keys run.
template <auto Member, std::int32_t Most>
struct concurrency_by {
    using policy_category = limiter_tag;
    static constexpr limiter_error mistake = Most > 0 ? limiter_error::none : limiter_error::no_concurrency;
    static constexpr bool is_keyed = true;
    static constexpr bool counts_running = true;

    void declare(std::vector<limit_spec>& out) const {
        out.push_back({.kind = limit_kind::running_by_key, .amount = Most});
    }

    template <class Job>
        requires std::invocable<decltype(Member), const Job&> &&
            has_key_text<std::remove_cvref_t<std::invoke_result_t<decltype(Member), const Job&>>>
    void key(const Job& job, std::string& out) const { append_key(std::invoke(Member, job), out); }
};

/// Jobs with the same value of a member run one at a time, over all workers.
template <auto Member>
using serialized_by = concurrency_by<Member, 1>;

}  // namespace pgq::limiter
