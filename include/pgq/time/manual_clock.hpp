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

/// A clock for tests. Only `advance` and `set` change it. Copies share one clock. It is thread-safe.
class manual_clock {
public:
    explicit manual_clock(time_point start = time_point{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}})
        : state_{std::make_shared<state>()} {
        state_->start = start;
    }

    /// The calendar time.
    time_point now() const {
        const std::lock_guard lock{state_->mutex};
        return state_->calendar();
    }
    /// The time of the monotonic clock. Only `advance` changes it.
    steady_time steady_now() const {
        const std::lock_guard lock{state_->mutex};
        return steady_time{state_->passed};
    }

    /// Moves the calendar and the monotonic clock forward, then calls all watchers before it returns. A negative span
    /// counts as zero.
    void advance(duration span) {
        {
            const std::lock_guard lock{state_->mutex};
            state_->passed += std::max(span, duration::zero());
        }
        call_watchers();
    }
    /// Sets the calendar, as an operator or a time server would, and calls all watchers. The monotonic clock stays.
    void set(time_point now) {
        {
            const std::lock_guard lock{state_->mutex};
            state_->start += now - state_->calendar();
        }
        call_watchers();
    }

    /// Calls `moved` after every change, until the returned pointer is destroyed. The call happens in the thread that
    /// changes the clock. It may still be running there when the pointer is destroyed.
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

    // Calls them without the lock, because a watcher reads the time of this clock.
    void call_watchers() const {
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
