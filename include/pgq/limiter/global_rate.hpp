#pragma once

#include <pgq/concept/limiter.hpp>
#include <pgq/limiter/values.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace pgq::limiter {

/// At most `Amount` attempts start in each `Per`, over all workers. It is a token bucket of `Burst` tokens in the
/// database, which refills evenly by the clock of the database. In any time t at most `Amount * t / Per + Burst`
/// attempts start. See `rate` for the arguments.
template <std::int32_t Amount = run_time, class Per = std::chrono::seconds, std::int32_t Burst = run_time>
class global_rate {
public:
    using policy_category = limiter_tag;
    static constexpr limiter_error mistake = Amount <= 0 && Amount != run_time ? limiter_error::no_rate
                                             : Burst <= 0 && Burst != run_time ? limiter_error::no_burst
                                                                               : limiter_error::none;

    global_rate() noexcept requires(Amount != run_time) : global_rate{Amount, Per{1}, Burst} {}
    /// An amount below 1 counts as 1, and so does a burst that is given. A `per` below one microsecond counts as one.
    explicit global_rate(std::int32_t amount, duration per = std::chrono::seconds{1},
                         std::int32_t burst = run_time) noexcept
        : amount_{std::max(amount, 1)},
          per_{std::max<duration>(per, std::chrono::microseconds{1})},
          burst_{burst == run_time ? default_burst(amount_, per_) : std::max(burst, 1)} {}
    global_rate() noexcept requires(Amount == run_time) : global_rate{1} {}

    void declare(std::vector<limit_spec>& out) const {
        out.push_back({.kind = limit_kind::rate, .amount = amount_, .per = per_, .burst = burst_});
    }

private:
    std::int32_t amount_;
    duration per_;
    std::int32_t burst_;
};

static_assert(limiter_policy<global_rate<100>> && limiter_policy<global_rate<>>);

}  // namespace pgq::limiter
