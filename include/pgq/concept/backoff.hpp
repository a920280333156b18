#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>

namespace pgq {

template <class B>
concept can_delay = requires(const B& b, int attempt) {
    { b.delay(attempt) } noexcept -> std::same_as<duration>;
};

/// Says how long a job rests after a failed attempt. `attempt` counts from 1 and may be any number above; the answer is
/// never negative and never overflows. Called from several threads at once. The laws are in pgq/testing/laws/backoff.hpp.
template <class B>
concept backoff_policy = policy_of<B, backoff_tag> && can_delay<B>;

/// One that is stored with each job: `static constexpr bool can_travel`, which is false when it cannot be written down.
template <class B>
concept travelling_backoff = backoff_policy<B> && requires { { B::can_travel } -> std::convertible_to<bool>; };

}  // namespace pgq
