#pragma once

#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>

namespace pgq {

/// A time that is absolute, relative to the database's current time, or unset: `at(tp)`, `in(5min)`, `{}`.
///
/// The server computes a relative time when the statement runs, so the clock of the application does not matter.
class when {
public:
    enum class kind : std::uint8_t { unset, relative, absolute };

    constexpr when() = default;
    constexpr when(time_point t) : micros_{t.time_since_epoch().count()}, kind_{kind::absolute} {}
    template <class Rep, class Period>
    constexpr when(std::chrono::duration<Rep, Period> d)
        : micros_{std::chrono::duration_cast<std::chrono::microseconds>(d).count()}, kind_{kind::relative} {}

    constexpr bool is_set() const noexcept { return kind_ != kind::unset; }
    constexpr kind how() const noexcept { return kind_; }
    /// Microseconds from now (relative) or since 1970 (absolute).
    constexpr std::int64_t micros() const noexcept { return micros_; }

    friend constexpr bool operator==(const when&, const when&) = default;

private:
    std::int64_t micros_ = 0;
    kind kind_ = kind::unset;
};

/// This long after the database's current time, to the microsecond. Zero or a negative duration means at once.
template <class Rep, class Period>
constexpr when in(std::chrono::duration<Rep, Period> d) {
    return when{d};
}

/// At this time. A time in the past means at once.
constexpr when at(time_point t) { return when{t}; }

}  // namespace pgq
