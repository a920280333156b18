#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>

namespace pgq {

template <class B>
concept can_delay = requires(const B& b, int attempt) {
    { b.delay(attempt) } -> std::convertible_to<duration>;
    requires noexcept(b.delay(attempt));
};

/// Says how long a job waits after a failed attempt. `attempt` counts from 1 and may be any number above; the answer is
/// never negative and never overflows. It is a `duration`, or what converts to one without loss, such as
/// std::chrono::seconds. Called from several threads at once. The laws are in
/// pgq/testing/laws/backoff.hpp.
template <class B>
concept backoff_policy = policy_of<B, backoff_tag> && can_delay<B>;

/// A back-off that is stored with each job: `static constexpr bool can_be_stored`, which is false if it has no spec.
template <class B>
concept stored_backoff = backoff_policy<B> && requires {
    { B::can_be_stored } -> std::convertible_to<bool>;
};

}  // namespace pgq
