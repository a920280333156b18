#pragma once

#include <pgq/concept/limiter.hpp>
#include <pgq/limiter/values.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace pgq::limiter {

/// At most `Most` jobs run at once in one worker. To set the number at run time: `jobs.limiter<Job>() =
/// concurrency<>{4}`. `concurrency<>` without a number has no limit.
template <std::int32_t Most = run_time>
class concurrency {
public:
    using policy_category = limiter_tag;
    static constexpr limiter_error mistake =
        Most > 0 || Most == run_time ? limiter_error::none : limiter_error::no_concurrency;

    concurrency() noexcept = default;
    /// A number below 1 counts as 1.
    explicit concurrency(std::int32_t most) noexcept requires(Most == run_time)
        : most_{static_cast<std::uint32_t>(std::max(most, 1))} {}

    admission admit(steady_time) const noexcept { return {.most = most_ - std::min(most_, running_)}; }
    void began(std::uint32_t n, steady_time) noexcept { running_ += n; }
    void ended(std::uint32_t n, steady_time) noexcept { running_ -= std::min(n, running_); }

private:
    std::uint32_t most_ = Most == run_time ? admission::any : static_cast<std::uint32_t>(Most);
    std::uint32_t running_ = 0;
};

static_assert(limiter_policy<concurrency<4>> && limiter_policy<concurrency<>>);

}  // namespace pgq::limiter
