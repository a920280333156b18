#pragma once

#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/when.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <type_traits>

namespace pgq {

/// What happens to a job if a parent (a job that it waits for) fails: the parent was held, cancelled or discarded, or
/// has expired. The values are stored.
enum class parent_failure : char { run = 'r', hold = 'h', cancel = 'c' };

/// How long the end of a job with a `result` can be read, unless the queue or the job says otherwise.
inline constexpr duration default_keep_results = std::chrono::hours{24};

/// What happens to a job that has expired.
enum class on_expiry : std::uint8_t { drop, hold };

/// How a job is enqueued. `headers`, `unique_key` and `after` are views: what they point to must live until the call
/// returns.
struct enqueue_options {
    std::int16_t priority = 0;          ///< a job with a higher priority runs first
    when run_at{};                      ///< do not start before: `in(1min)` or `at(tp)`; unset or past means at once
    when expected_at{};                 ///< among jobs of one priority the earlier one runs first; unset runs last
    std::span<const header> headers{};  ///< stored with the job; the handler reads them from the context
    unique unique_key{};                ///< at most one job with this key
    std::span<const job_id> after{};    ///< start after these jobs have ended; jobs that ended before do not count
    parent_failure if_parent_fails = parent_failure::hold;  ///< what to do if one of them fails
    when expires_at{};                                      ///< the job never starts after this time; unset: no limit
    on_expiry if_expired = on_expiry::drop;                 ///< what to do with it then
    duration keep_outcome{};   ///< how long its end can be read; 0: the default of its type, see queue
    std::int64_t at_most = 0;  ///< if its lane has this many jobs that have not ended: errc::lane_full; 0: no limit
    duration wait_for_room{};  ///< how long a blocking enqueue retries before it returns errc::lane_full
    bool packed = false;       ///< store many jobs in one row, if they are small and have no option but a priority

    /// Whether no option but the priority is set, so that the plain statement suffices.
    constexpr bool is_plain() const noexcept {
        return !run_at.is_set() && !expected_at.is_set() && headers.empty() && !is_tracked();
    }
    /// Whether an option is set for which the database must track the job.
    constexpr bool is_tracked() const noexcept {
        return unique_key.is_set() || !after.empty() || expires_at.is_set() || keep_outcome > duration{} || at_most > 0;
    }
};

// GCC 12 destroys a brace-initialized aggregate twice inside a co_await expression. A trivial destructor prevents harm.
static_assert(std::is_trivially_destructible_v<enqueue_options>);

}  // namespace pgq
