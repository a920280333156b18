#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>

namespace pgq::backoff {

/// Waits `first` after the first attempt and `step` longer after each further attempt, up to `cap`. A negative time
/// counts as zero. The defaults are 1 s, 5 s and 5 min.
struct linear {
    using policy_category = backoff_tag;

    duration first = std::chrono::seconds{1};
    duration step = std::chrono::seconds{5};
    duration cap = std::chrono::minutes{5};

    constexpr duration delay(int attempt) const noexcept {
        const duration start = std::max(first, duration::zero());
        const duration last = std::max(cap, duration::zero());
        if (start >= last) return last;
        if (step <= duration::zero()) return start;
        // A division, because the product step * steps could overflow.
        const duration::rep steps = std::max(attempt, 1) - 1;
        return steps > (last - start) / step ? last : start + step * steps;
    }

    friend bool operator==(const linear&, const linear&) = default;
};

static_assert(backoff_policy<linear>);

}  // namespace pgq::backoff
