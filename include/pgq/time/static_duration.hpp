#pragma once

#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>
#include <type_traits>

namespace pgq {

/// A span of time as a template argument: `timeout<30s>`. A duration of std::chrono cannot be a template argument.
struct static_duration {
    std::int64_t nanoseconds = 0;

    template <class Rep, class Period>
    consteval static_duration(std::chrono::duration<Rep, Period> d)
        : nanoseconds{std::chrono::duration_cast<duration>(d).count()} {}

    template <class Number>
        requires std::is_arithmetic_v<Number>
    consteval static_duration(Number) : nanoseconds{1} {
        static_assert(!std::is_arithmetic_v<Number>, "pgq: a number is not a duration. Write its unit: timeout<30s>.");
    }

    constexpr duration value() const noexcept { return duration{nanoseconds}; }

    friend bool operator==(const static_duration&, const static_duration&) = default;
};

}  // namespace pgq
