#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/job/limit.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace pgq {

/// A limiter's answer: how many more jobs may begin, and when to ask again if that is not enough.
struct admission {
    static constexpr std::uint32_t any = std::numeric_limits<std::uint32_t>::max();

    std::uint32_t most = any;
    duration again = duration::max();  ///< the longest: when one of the jobs that run has ended

    friend constexpr bool operator==(const admission&, const admission&) = default;
};

/// What can be wrong with the values in a limiter's type. One that can say so as `static constexpr limiter_mistake mistake`.
enum class limiter_mistake : std::uint8_t { none, no_rate, no_burst, no_concurrency, two_keys };

template <class L>
concept can_admit = requires(const L& l, steady_time now) {
    { l.admit(now) } noexcept -> std::same_as<admission>;
};

template <class L>
concept can_count = requires(L& l, std::uint32_t n, steady_time now) {
    { l.began(n, now) } noexcept;
    { l.ended(n, now) } noexcept;
};

template <class L>
concept can_declare = requires(const L& l, std::vector<limit_spec>& out) { l.declare(out); };

template <class L, class Job>
concept can_key = requires(const L& l, const Job& job, std::string& out) { l.key(job, out); };

template <class L>
inline constexpr limiter_mistake mistake_of = limiter_mistake::none;
template <class L>
    requires requires { L::mistake; }
inline constexpr limiter_mistake mistake_of<L> = L::mistake;

/// A limiter that tells jobs apart by a key: `key(job, out)` appends it.
template <class L>
concept keyed_limiter = requires { requires L::is_keyed; };

/// A limiter that declares how many may run at once, by whatever: what runs has to be in a lease then.
template <class L>
concept counts_running = requires { requires L::counts_running; };

/// Says how many jobs may begin, of an entrypoint or of a queue. There are two ways, and a limiter may go both:
///
/// - For one worker: `admit(now)` answers and takes nothing; `began(n, now)` says how many were claimed, never more than it
///   admitted, and `ended(n, now)` that as many have ended, however they did. It reads no clock and never blocks. Called by one
///   thread, on a copy that a run of a worker makes of the queue's limiter.
/// - For all workers together: `declare(out)` appends limits that the database keeps; see limit_spec. They are made when a worker
///   starts and there is none yet; later the database's values win.
template <class L>
concept limiter_policy = policy_of<L, limiter_tag> && std::copyable<L> && ((can_admit<L> && can_count<L>) || can_declare<L>);

}  // namespace pgq
