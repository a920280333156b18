#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

namespace pgq::limiter {

/// As a template argument instead of a number: the number is passed to the constructor at run time. No program means
/// this number, so -1 is a mistake.
inline constexpr std::int32_t run_time = std::numeric_limits<std::int32_t>::min();

/// The default burst of a rate: the number of attempts that it allows in 100 ms, at least 1.
constexpr std::int32_t default_burst(std::int32_t amount, duration per) noexcept {
    const double in_a_tenth = static_cast<double>(amount) * 0.1 / std::chrono::duration<double>(per).count();
    return std::max(1, static_cast<std::int32_t>(std::min(in_a_tenth, static_cast<double>(std::max(amount, 1)))));
}

}  // namespace pgq::limiter
