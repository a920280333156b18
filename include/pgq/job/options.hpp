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

/// What becomes of a job when one that it waits for has not succeeded: was held, cancelled, discarded or has expired. The values
/// are stored.
enum class parent_failure : char { run = 'r', hold = 'h', cancel = 'c' };

/// How long the ends of jobs with a `result` can be asked for when nobody has said it.
inline constexpr duration default_keep_results = std::chrono::hours{24};

/// What becomes of a job that has expired.
enum class on_expiry : std::uint8_t { drop, hold };

/// How a job is enqueued. Everything is a view: what `headers`, `unique_key` and `after` point to must live until the call returns.
struct enqueue_options {
    std::int16_t priority = 0;          ///< higher runs first
    when run_at{};                      ///< not before: `in(1min)` or `at(tp)`; unset or past means at once
    when expected_at{};                 ///< the deadline it is ordered by inside its priority; unset runs last
    std::span<const header> headers{};  ///< stored with the job, given back in its context
    unique unique_key{};                ///< at most one job with this key
    std::span<const job_id> after{};    ///< not before these have ended; those that have ended already do not count
    parent_failure if_parent_fails = parent_failure::hold;  ///< ... without success
    when expires_at{};                                      ///< if it has not begun by then, it never does
    on_expiry if_expired = on_expiry::drop;                 ///< ... and is dropped, or held
    duration keep_outcome{};  ///< how long its end can be asked for; 0: as its type says, see queue
    std::int64_t at_most =
        0;  ///< only while its lane has fewer jobs that have not ended, else errc::lane_full; 0: any number
    duration wait_for_room{};  ///< ... and so long it is tried again, by calls that block
    bool packed = false;       ///< store many jobs in a row, if they are small and have nothing but a priority

    /// Whether the plain statement is enough: nothing but a priority.
    constexpr bool is_plain() const noexcept {
        return !run_at.is_set() && !expected_at.is_set() && headers.empty() && !is_tracked();
    }
    /// Whether more has to be looked at than a plain enqueue does.
    constexpr bool is_tracked() const noexcept {
        return unique_key.is_set() || !after.empty() || expires_at.is_set() || keep_outcome > duration{} || at_most > 0;
    }
};

// GCC 12 destroys brace-initialized aggregates twice inside co_await expressions; one without a destructor survives it.
static_assert(std::is_trivially_destructible_v<enqueue_options>);

}  // namespace pgq
