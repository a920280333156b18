#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace pgq::backoff {

/// Waits `first` after the first attempt and `factor` times as long after each further attempt, up to `cap`. A negative
/// time counts as zero and a factor below 1 counts as 1. The defaults are 1 s, 2 and 5 min.
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
        // Infinity must become the cap as well, so only a number that is below the cap is converted to ticks.
        if (!(grown < static_cast<double>(last.count()))) return last;
        return duration{static_cast<duration::rep>(grown)};
    }

    friend bool operator==(const exponential&, const exponential&) = default;
};

static_assert(backoff_policy<exponential>);

}  // namespace pgq::backoff
