#pragma once

#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>

namespace pgq {

/// A span of time as a template argument: `timeout<30s>`. A duration of std::chrono cannot be a template argument.
struct static_duration {
    std::int64_t nanoseconds = 0;

    template <class Rep, class Period>
    consteval static_duration(std::chrono::duration<Rep, Period> d)
        : nanoseconds{std::chrono::duration_cast<duration>(d).count()} {}

    constexpr duration value() const noexcept { return duration{nanoseconds}; }

    friend bool operator==(const static_duration&, const static_duration&) = default;
};

}  // namespace pgq
