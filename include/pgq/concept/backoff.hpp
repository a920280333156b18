#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>

namespace pgq {

template <class B>
concept can_delay = requires(const B& b, int attempt) {
    { b.delay(attempt) } noexcept -> std::same_as<duration>;
};

/// Decides how long a job waits after a failed attempt. `delay(attempt)` gets the number of the failed attempt, from 1
/// to any number. It never returns a negative time and never overflows. Several threads call it at once. Test your own
/// with pgq/testing/laws/backoff.hpp.
template <class B>
concept backoff_policy = policy_of<B, backoff_tag> && can_delay<B>;

/// A back-off that is stored with each job. It declares `static constexpr bool can_travel`, which is false if its
/// settings cannot be written as text.
template <class B>
concept travelling_backoff = backoff_policy<B> && requires { { B::can_travel } -> std::convertible_to<bool>; };

}  // namespace pgq
