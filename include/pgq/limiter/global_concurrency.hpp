#pragma once

#include <pgq/concept/limiter.hpp>
#include <pgq/limiter/values.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pgq::limiter {

/// At most `Most` jobs run at once over all workers, at every instant. Only one worker at a time claims from the lane.
/// A job counts until its end is committed. The jobs of a dead worker count until they are rescued.
template <std::int32_t Most = run_time>
class global_concurrency {
public:
    using policy_category = limiter_tag;
    static constexpr bool counts_running = true;
    static constexpr limiter_error mistake =
        Most > 0 || Most == run_time ? limiter_error::none : limiter_error::no_concurrency;

    global_concurrency() noexcept requires(Most != run_time) = default;
    /// A number below 1 counts as 1.
    explicit global_concurrency(std::int32_t most = 1) noexcept requires(Most == run_time) : most_{std::max(most, 1)} {}

    void declare(std::vector<limit_spec>& out) const { out.push_back({.kind = limit_kind::running, .amount = most_}); }

private:
    std::int32_t most_ = Most;
};

/// Jobs run one at a time, over all workers.
using serialized = global_concurrency<1>;

static_assert(limiter_policy<global_concurrency<4>> && limiter_policy<global_concurrency<>>);

}  // namespace pgq::limiter
