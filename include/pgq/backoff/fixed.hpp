#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>

namespace pgq::backoff {

/// Waits the same time after every attempt; 10 s by default. A negative time counts as zero.
struct fixed {
    using policy_category = backoff_tag;

    duration every = std::chrono::seconds{10};

    constexpr duration delay(int /*attempt*/) const noexcept { return std::max(every, duration::zero()); }

    friend bool operator==(const fixed&, const fixed&) = default;
};

static_assert(backoff_policy<fixed>);

}  // namespace pgq::backoff
