#pragma once

#include <pgq/error/result.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/priority.hpp>
#include <pgq/job/request_id.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/when.hpp>

#include <chrono>
#include <cstdint>
#include <type_traits>

namespace pgq {

/// What happens to a job if a parent (a job that it waits for) fails: the parent was held, cancelled or discarded, or
/// has expired. The values are stored.
enum class parent_failure : char { run = 'r', hold = 'h', cancel = 'c' };

/// How long the end of a job with a `result` can be read, unless the queue or the job says otherwise.
inline constexpr duration default_keep_results = std::chrono::hours{24};

/// What happens to a job that has expired.
enum class on_expiry : std::uint8_t { drop, hold };

/// How a job is enqueued. `headers`, `unique_key`, `after` and `request_id` are views: what they point to must live
/// until the call returns. What is written in the call itself does: `enqueue(job, {.headers = {{"tenant", name}},
/// .unique_key = "user:" + name})`. For a variable of this type, store texts, headers and ids in variables of their
/// own. Clang warns if it sees that one does not live long enough.
struct enqueue_options {
    job_priority priority{};  ///< a job with a higher priority runs first: any integer from -32768 to 32767
    when run_at{};            ///< do not start before: `in(1min)` or `at(tp)`; unset or past means at once
    when expected_at{};       ///< among jobs of one priority the earlier one runs first; unset runs last
    header_list headers{};    ///< stored with the job; the handler reads them from the context
    unique unique_key{};      ///< at most one job with this key
    job_id_list after{};      ///< start after these jobs have ended; jobs that ended before do not count
    parent_failure if_parent_fails = parent_failure::hold;  ///< what to do if one of them fails
    when expires_at{};                                      ///< the job never starts after this time; unset: no limit
    on_expiry if_expired = on_expiry::drop;                 ///< what to do with it then
    int max_attempts = 0;                                   ///< attempts of this job, up to 32767; 0: see pgq::attempts
    duration timeout{};            ///< how long an attempt of this job may take; 0: see pgq::timeout
    duration keep_outcome{};       ///< how long its end can be read; 0: the default of its type, see queue
    std::int64_t at_most = 0;      ///< if its lane has this many jobs that have not ended: errc::lane_full; 0: no limit
    duration wait_for_room{};      ///< how long a blocking enqueue retries before it returns errc::lane_full
    bool packed = false;           ///< store many jobs in one row, if they are small and have no option but a priority
    pgq::request_id request_id{};  ///< the name of the call: repeating the call with it is safe

    /// Whether no option but the priority is set, so that the plain statement suffices.
    constexpr bool is_plain() const noexcept {
        return !run_at.is_set() && !expected_at.is_set() && headers.empty() && !is_tracked() && !request_id.is_set();
    }
    /// Whether an option is set for which the database must track the job.
    constexpr bool is_tracked() const noexcept {
        return unique_key.is_set() || !after.empty() || expires_at.is_set() || keep_outcome > duration{} || at_most > 0;
    }
};

// GCC 12 destroys a brace-initialized aggregate twice inside a co_await expression. A trivial destructor prevents harm.
static_assert(std::is_trivially_destructible_v<enqueue_options>);

namespace detail {

inline result<void> check_priority(job_priority p) {
    if (p.is_in_range()) return {};
    return error_info{errc::invalid_option, "a priority is out of range", "give a number from -32768 to 32767"};
}

/// Checks what the types of the options cannot: the priority, the attempts and the times.
inline result<void> check_values(const enqueue_options& o) {
    if (auto fine = check_priority(o.priority); !fine) return fine;
    if (o.max_attempts < 0 || o.max_attempts > INT16_MAX)
        return error_info{errc::invalid_option, "max_attempts is out of range", "give a number from 1 to 32767"};
    if (o.timeout < duration{})
        return error_info{errc::invalid_option, "the timeout of a job is below zero",
                          "leave the option unset if there is no limit"};
    for (const when* t : {&o.run_at, &o.expected_at, &o.expires_at})
        if (!t->is_in_range())
            return error_info{errc::invalid_option, "a time is after the year 9999, or more than 5000 years away",
                              "leave the option unset if there is no such time"};
    return {};
}

}  // namespace detail

}  // namespace pgq
