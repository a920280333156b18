#pragma once

#include <pgq/backoff/exponential.hpp>
#include <pgq/concept/backoff.hpp>
#include <pgq/detail/unit_random.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>

namespace pgq::backoff {

/// Shortens what `Inner` says by a random part of up to `spread`, so that jobs that failed together do not come back
/// together: the answer lies between (1 - spread) and 1 times Inner's, which makes Inner's cap the cap of the whole. A
/// spread outside of 0 to 1 counts as the nearer of the two.
template <backoff_policy Inner = exponential>
struct jittered {
    using policy_category = backoff_tag;

    Inner inner{};
    double spread = 0.2;

    duration delay(int attempt) const noexcept { return delay(attempt, detail::unit_random()); }

    /// The same without chance: 0 gives the longest answer, 1 the shortest.
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
