#pragma once

#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>

namespace pgq {

/// A moment that is either absolute or counted from the database's "now": `in(5min)`, `at(tp)`, or unset.
///
/// A relative moment is resolved by the server when the statement runs, so the application's clock never matters.
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

/// So long from the database's now; zero and less mean at once.
template <class Rep, class Period>
constexpr when in(std::chrono::duration<Rep, Period> d) {
    return when{d};
}

/// At that moment; one in the past means at once.
constexpr when at(time_point t) { return when{t}; }

}  // namespace pgq
