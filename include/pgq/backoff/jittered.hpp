#pragma once

#include <pgq/backoff/exponential.hpp>
#include <pgq/concept/backoff.hpp>
#include <pgq/detail/unit_random.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>

namespace pgq::backoff {

/// Shortens the delay of `Inner` by a random fraction from 0 to `spread`, so that jobs which failed together do not all
/// run again at the same time. With the default spread of 0.2 the delay is 80 to 100 % of Inner's, so it never exceeds
/// the cap of `Inner`. A spread below 0 counts as 0, one above 1 as 1.
template <backoff_policy Inner = exponential>
struct jittered {
    using policy_category = backoff_tag;

    Inner inner{};
    double spread = 0.2;

    duration delay(int attempt) const noexcept { return delay(attempt, detail::unit_random()); }

    /// The delay for a given random number: 0 gives the longest delay, 1 the shortest.
    duration delay(int attempt, double unit_random) const noexcept {
        const duration whole = inner.delay(attempt);
        const double share = std::clamp(spread, 0.0, 1.0) * std::clamp(unit_random, 0.0, 1.0);
        const double ticks = static_cast<double>(whole.count());
        const double cut = ticks * share;
        if (!(cut < ticks)) return duration::zero();
        return whole - duration{static_cast<duration::rep>(cut)};
    }

    friend bool operator==(const jittered&, const jittered&) = default;
};

template <class Inner>
jittered(Inner) -> jittered<Inner>;
template <class Inner>
jittered(Inner, double) -> jittered<Inner>;

static_assert(backoff_policy<jittered<>>);

}  // namespace pgq::backoff
