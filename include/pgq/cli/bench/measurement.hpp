#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pgq::cli::bench {

/// Measured times.
class samples {
public:
    void add(duration d) { all_.push_back(d); }

    duration sum() const noexcept {
        duration sum{};
        for (const duration d : all_) sum += d;
        return sum;
    }
    /// The quantile `q`, from 0 to 1, in milliseconds. Empty without a sample.
    std::optional<double> milliseconds(double q) const {
        if (all_.empty()) return {};
        std::vector<duration> sorted = all_;
        const auto at = sorted.begin() + std::lround(q * static_cast<double>(sorted.size() - 1));
        std::nth_element(sorted.begin(), at, sorted.end());
        return std::chrono::duration<double, std::milli>(*at).count();
    }

private:
    std::vector<duration> all_{};
};

/// What one measurement found.
struct measurement {
    std::int64_t jobs = 0;
    duration time{};  ///< of all jobs
    samples each{};   ///< of one call, one batch or one job

    std::optional<double> per_second() const {
        if (jobs == 0 || time <= duration{}) return {};
        return static_cast<double>(jobs) / std::chrono::duration<double>(time).count();
    }
};

}  // namespace pgq::cli::bench
