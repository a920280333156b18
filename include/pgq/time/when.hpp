#pragma once

#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

namespace pgq {
namespace detail {

/// Microseconds, by `round`. What a 64-bit number cannot hold becomes the largest or the smallest one.
template <class Rep, class Period, class Round>
constexpr std::int64_t to_micros(std::chrono::duration<Rep, Period> d, Round round) noexcept {
    constexpr double beyond = 0x1p63;
    const double exact = std::chrono::duration<double, std::micro>{d}.count();
    if (!(exact < beyond)) return std::numeric_limits<std::int64_t>::max();
    if (exact < -beyond) return std::numeric_limits<std::int64_t>::min();
    return round(d).count();
}

}  // namespace detail

/// A time that is absolute, relative to the database's current time, or unset: `at(tp)`, `in(5min)`, `{}`.
///
/// The server computes a relative time when the statement runs, so the clock of the application does not matter. A time
/// point of any precision is rounded down to microseconds.
class when {
public:
    enum class kind : std::uint8_t { unset, relative, absolute };

    constexpr when() = default;
    template <class D>
    constexpr when(std::chrono::sys_time<D> t) noexcept
        : micros_{detail::to_micros(t.time_since_epoch(),
                                    [](auto d) { return std::chrono::floor<std::chrono::microseconds>(d); })},
          kind_{kind::absolute} {}
    template <class Rep, class Period>
    constexpr when(std::chrono::duration<Rep, Period> d) noexcept
        : micros_{detail::to_micros(d,
                                    [](auto e) { return std::chrono::duration_cast<std::chrono::microseconds>(e); })},
          kind_{kind::relative} {}
    template <class Clock, class D>
    when(std::chrono::time_point<Clock, D>) {
        static_assert(std::is_same_v<Clock, std::chrono::system_clock>,
                      "pgq: a time is not of the system clock. Give a std::chrono::sys_time, or pgq::in(duration).");
    }
    template <class Number>
        requires std::is_arithmetic_v<Number> when(Number) {
            static_assert(!std::is_arithmetic_v<Number>,
                          "pgq: a number is not a time. Write pgq::in(5s) for a delay, or pgq::at(time) for a time.");
        }

    constexpr bool is_set() const noexcept { return kind_ != kind::unset; }
    constexpr kind how() const noexcept { return kind_; }
    /// Microseconds from now (relative) or since 1970 (absolute).
    constexpr std::int64_t micros() const noexcept { return micros_; }
    /// False for a time after the year 9999, and for a delay of more than 5000 years: the server could not store it.
    constexpr bool is_in_range() const noexcept {
        using namespace std::chrono;
        constexpr std::int64_t last = microseconds{sys_days{year{10000} / 1 / 1}.time_since_epoch()}.count();
        constexpr std::int64_t longest = microseconds{years{5000}}.count();
        return micros_ < (kind_ == kind::absolute ? last : longest);
    }

    friend constexpr bool operator==(const when&, const when&) = default;

private:
    std::int64_t micros_ = 0;
    kind kind_ = kind::unset;
};

/// This long after the database's current time, to the microsecond. Zero or a negative duration means at once.
template <class Rep, class Period>
constexpr when in(std::chrono::duration<Rep, Period> d) noexcept {
    return when{d};
}

/// At this time of the system clock, to the microsecond. A time in the past means at once.
template <class D>
constexpr when at(std::chrono::sys_time<D> t) noexcept {
    return when{t};
}
template <class Clock, class D>
when at(std::chrono::time_point<Clock, D>) {
    static_assert(std::is_same_v<Clock, std::chrono::system_clock>,
                  "pgq: a time is not of the system clock. Give a std::chrono::sys_time, or pgq::in(duration).");
    return {};
}

}  // namespace pgq
