#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace pgq {

/// The answer of a limiter: how many more jobs may start, and when the worker should ask again if that is not enough.
struct admission {
    static constexpr std::uint32_t any = std::numeric_limits<std::uint32_t>::max();

    std::uint32_t most = any;
    duration again = duration::max();  ///< ask again after this time; the maximum: when a running job ends

    friend constexpr bool operator==(const admission&, const admission&) = default;
};

/// What can be wrong with the template arguments of a limiter. A limiter may declare `static constexpr limiter_error
/// mistake`; a queue that gets it then does not compile, with a message.
enum class limiter_error : std::uint8_t { none, no_rate, no_burst, no_concurrency, two_keys };

template <class L>
concept can_admit = requires(const L& l, steady_time now) {
    { l.admit(now) } -> std::same_as<admission>;
    requires noexcept(l.admit(now));
};

template <class L>
concept can_count = requires(L& l, std::uint32_t n, steady_time now) {
    requires noexcept(l.began(n, now));
    requires noexcept(l.ended(n, now));
};

template <class L>
concept can_declare = requires(const L& l, std::vector<limit_spec>& out) {
    l.declare(out);
};

template <class L, class Job>
concept can_key = requires(const L& l, const Job& job, std::string& out) {
    l.key(job, out);
};

template <class L>
inline constexpr limiter_error mistake_of = limiter_error::none;
template <class L>
    requires requires { L::mistake; }
inline constexpr limiter_error mistake_of<L> = L::mistake;

/// A limiter that counts jobs by a key. `key(job, out)` appends the key of a job.
template <class L>
concept keyed_limiter = requires {
    requires L::is_keyed;
};

/// A limiter that limits how many jobs run at once over all workers. A running job must then have a lease, by which the
/// database counts it.
template <class L>
concept counts_running = requires {
    requires L::counts_running;
};

/// Decides how many jobs of an entrypoint or a queue may start. A limiter does one of these, or both:
///
/// - It limits each worker alone. `admit(now)` returns how many jobs may start and changes nothing. `began(n, now)`
///   reports how many the worker claimed, never more than it admitted. `ended(n, now)` reports that `n` jobs have
///   ended, with any outcome. It never reads a clock and never blocks. Each run of a worker copies the limiter of the
///   queue, and one thread uses the copy.
/// - It limits all workers together. `declare(out)` appends limits that the database enforces; see limit_spec. A worker
///   stores them when it starts, unless the database has them. After that, the stored values are used.
///
/// Test your own with pgq/testing/laws/limiter.hpp.
template <class L>
concept limiter_policy = policy_of<L, limiter_tag> && std::copyable<L> &&
    ((can_admit<L> && can_count<L>) || can_declare<L>);

}  // namespace pgq
