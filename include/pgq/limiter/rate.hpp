#pragma once

#include <pgq/concept/limiter.hpp>
#include <pgq/limiter/values.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace pgq::limiter {

/// At most `Amount` attempts start in each `Per`, in one worker. It is a token bucket of `Burst` tokens that refills
/// evenly. It counts every attempt, so a retried job counts again. `rate<50>` is 50 a second, `rate<50,
/// std::chrono::minutes>` is 50 a minute. The default `Burst` is the number of attempts that the rate allows in 100 ms,
/// at least 1.
///
///     pgq::job<send_email, pgq::limiter::rate<50>>
///     jobs.limiter<send_email>() = pgq::limiter::rate<>{50, 1s};   // values set at run time
template <std::int32_t Amount = run_time, class Per = std::chrono::seconds, std::int32_t Burst = run_time>
class rate {
public:
    using policy_category = limiter_tag;
    static constexpr limiter_error mistake = Amount <= 0 && Amount != run_time ? limiter_error::no_rate
                                             : Burst <= 0 && Burst != run_time ? limiter_error::no_burst
                                                                               : limiter_error::none;

    rate() noexcept requires(Amount != run_time) : rate{Amount, Per{1}, Burst} {}
    /// An amount below 1 counts as 1, and so does a burst that is given.
    explicit rate(std::int32_t amount, duration per = std::chrono::seconds{1}, std::int32_t burst = run_time) noexcept
        : each_{std::max(per, duration{1}) / std::max(amount, 1)},
          burst_{burst == run_time ? default_burst(amount, per) : std::max(burst, 1)},
          tokens_{static_cast<double>(burst_)} {}
    /// Has no limit until values are assigned.
    rate() noexcept requires(Amount == run_time) = default;

    admission admit(steady_time now) const noexcept {
        if (each_ <= duration{}) return {};
        const double tokens = available(now);
        const auto most = static_cast<std::uint32_t>(tokens);
        // Waits for a quarter of the burst: the worker claims that many jobs at once, instead of one job per claim.
        const double missing = std::max(1, burst_ / 4) - (tokens - most);
        return {most, duration{static_cast<duration::rep>(missing * static_cast<double>(each_.count())) + 1}};
    }
    void began(std::uint32_t n, steady_time now) noexcept {
        tokens_ = available(now) - n;
        at_ = now;
    }
    void ended(std::uint32_t, steady_time) noexcept {}

private:
    double available(steady_time now) const noexcept {
        if (each_ <= duration{} || at_ == steady_time{}) return tokens_;
        const double passed = static_cast<double>(std::max(now - at_, steady_time::duration{}).count());
        return std::min<double>(burst_, tokens_ + passed / static_cast<double>(each_.count()));
    }

    duration each_{};
    std::int32_t burst_ = 1;
    double tokens_ = 0;
    steady_time at_{};
};

static_assert(limiter_policy<rate<50>> && limiter_policy<rate<>>);

}  // namespace pgq::limiter
