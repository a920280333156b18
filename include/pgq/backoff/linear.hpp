#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>

namespace pgq::backoff {

/// `first` after the first attempt, `step` more after each further one, never more than `cap`. What is negative counts
/// as zero.
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
        // Dividing what is left tells without a product that could overflow.
        const duration::rep steps = std::max(attempt, 1) - 1;
        return steps > (last - start) / step ? last : start + step * steps;
    }

    friend bool operator==(const linear&, const linear&) = default;
};

static_assert(backoff_policy<linear>);

}  // namespace pgq::backoff
