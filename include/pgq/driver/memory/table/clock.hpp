#pragma once

#include <pgq/time/clock.hpp>
#include <pgq/time/manual_clock.hpp>
#include <pgq/time/when.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace pgq::driver::in_memory {

/// `from + span`, limited to the range of `time_point`.
inline time_point add_saturated(time_point from, std::chrono::microseconds span) noexcept {
    if (span.count() > 0 && from > time_point::max() - span) return time_point::max();
    if (span.count() < 0 && from < time_point::min() - span) return time_point::min();
    return from + span;
}

/// How long until `due`; zero if it has passed.
inline duration time_until(time_point due, time_point now) noexcept {
    if (due <= now) return duration::zero();
    // A duration counts nanoseconds. It is too short for the time until time_point::max().
    const auto longest = std::chrono::floor<std::chrono::microseconds>(duration::max());
    return duration{std::min(due - now, longest)};
}

/// The absolute time of `w`, which must be set.
inline time_point resolve(when w, time_point now) noexcept {
    const std::chrono::microseconds micros{w.micros()};
    return w.how() == when::kind::relative ? add_saturated(now, micros) : time_point{micros};
}

/// The clocks of an in-memory database: the system's, or a manual clock that a test moves.
class clock {
public:
    clock() = default;
    explicit clock(manual_clock manual) : manual_{std::move(manual)} {}

    const std::optional<manual_clock>& manual() const noexcept { return manual_; }

    time_point now() const {
        if (manual_) return manual_->now();
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    steady_time steady_now() const { return manual_ ? manual_->steady_now() : std::chrono::steady_clock::now(); }

    /// Waits until `done()` is true or `timeout` has passed by this clock. With a manual clock, somebody must notify
    /// `changed` after each move of the clock. Then the wait also ends when `timeout` has passed by the system's clock:
    /// a worker counts its own pauses by that.
    template <class Done>
    void wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, duration timeout, Done done) const {
        const steady_time start = steady_now();
        if (timeout > steady_time::max() - start) return changed.wait(lock, done);
        const steady_time deadline = start + timeout;
        if (manual_) {
            const auto over = [&] { return done() || manual_->steady_now() >= deadline; };
            const steady_time now = std::chrono::steady_clock::now();
            if (timeout > steady_time::max() - now) return changed.wait(lock, over);
            return (void)changed.wait_until(lock, now + timeout, over);
        }
        changed.wait_until(lock, deadline, done);
    }

private:
    std::optional<manual_clock> manual_{};
};

}  // namespace pgq::driver::in_memory
