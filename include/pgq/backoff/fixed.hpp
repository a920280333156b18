#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>

namespace pgq::backoff {

/// The same rest after every attempt.
struct fixed {
    using policy_category = backoff_tag;

    duration every = std::chrono::seconds{10};

    constexpr duration delay(int /*attempt*/) const noexcept { return std::max(every, duration::zero()); }

    friend bool operator==(const fixed&, const fixed&) = default;
};

static_assert(backoff_policy<fixed>);

}  // namespace pgq::backoff
