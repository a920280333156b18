#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace pgq::backoff {

/// `first` after the first attempt, `factor` times as much after each further one, never more than `cap`. A negative
/// time counts as zero, a factor below 1 as 1.
struct exponential {
    using policy_category = backoff_tag;

    duration first = std::chrono::seconds{1};
    double factor = 2.0;
    duration cap = std::chrono::minutes{5};

    duration delay(int attempt) const noexcept {
        const duration start = std::max(first, duration::zero());
        const duration last = std::max(cap, duration::zero());
        if (start >= last || start == duration::zero()) return std::min(start, last);
        const double growth = std::pow(std::max(1.0, factor), std::max(attempt, 1) - 1);
        const double grown = static_cast<double>(start.count()) * growth;
        // Written so that infinity is capped too: only what is surely below the cap is turned back into a number of
        // ticks.
        if (!(grown < static_cast<double>(last.count()))) return last;
        return duration{static_cast<duration::rep>(grown)};
    }

    friend bool operator==(const exponential&, const exponential&) = default;
};

static_assert(backoff_policy<exponential>);

}  // namespace pgq::backoff
