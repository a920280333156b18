#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace pgq {

/// A clock for tests that stands still until it is told to move. Copies are one clock; usable from any thread.
class manual_clock {
public:
    explicit manual_clock(time_point start = time_point{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}})
        : state_{std::make_shared<state>()} {
        state_->start = start;
    }

    /// The moment by the calendar.
    time_point now() const {
        const std::lock_guard lock{state_->mutex};
        return state_->calendar();
    }
    /// The moment by the monotonic clock; moved by `advance` alone.
    steady_time steady_now() const {
        const std::lock_guard lock{state_->mutex};
        return steady_time{state_->passed};
    }

    /// Time passes: both clocks move on, and whoever waits on this clock looks again before this returns. Time never
    /// passes backwards: a negative span is none.
    void advance(duration span) {
        {
            const std::lock_guard lock{state_->mutex};
            state_->passed += std::max(span, duration::zero());
        }
        tell();
    }
    /// Somebody sets the calendar, as an operator or a time server would: no time passes.
    void set(time_point now) {
        {
            const std::lock_guard lock{state_->mutex};
            state_->start += now - state_->calendar();
        }
        tell();
    }

    /// Has `moved` called after every change, for as long as the answer is kept. It runs in the thread that moves the
    /// clock, and may still be running there when the answer is dropped.
    [[nodiscard]] std::shared_ptr<const void> watch(std::function<void()> moved) const {
        auto watcher = std::make_shared<const std::function<void()>>(std::move(moved));
        const std::lock_guard lock{state_->mutex};
        std::erase_if(state_->watchers, [](const auto& w) { return w.expired(); });
        state_->watchers.push_back(watcher);
        return watcher;
    }

private:
    struct state {
        time_point calendar() const { return start + std::chrono::floor<std::chrono::microseconds>(passed); }

        std::mutex mutex{};
        time_point start{};
        duration passed{};
        std::vector<std::weak_ptr<const std::function<void()>>> watchers{};
    };

    // Without the lock: a watcher asks this clock for the time.
    void tell() const {
        std::vector<std::weak_ptr<const std::function<void()>>> watchers;
        {
            const std::lock_guard lock{state_->mutex};
            watchers = state_->watchers;
        }
        for (const auto& w : watchers)
            if (const auto watcher = w.lock()) (*watcher)();
    }

    std::shared_ptr<state> state_;
};

}  // namespace pgq
