#pragma once

#include <pgq/time/clock.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace pgq::cli::bench {

using steady = std::chrono::steady_clock;

/// When jobs started: the first one, and then each `every`-th. Any thread may call it.
class arrivals {
public:
    explicit arrivals(std::int64_t every) : every_{every} {}

    void add() {
        const std::int64_t n = ++count_;
        if (n != 1 && n % every_ != 0) return;
        const std::lock_guard lock{mutex_};
        times_.push_back(steady::now());
        changed_.notify_all();
    }
    /// The worker has ended, so no more jobs start.
    void end() {
        const std::lock_guard lock{mutex_};
        ended_ = true;
        changed_.notify_all();
    }

    std::int64_t count() const noexcept { return count_.load(); }
    std::vector<steady::time_point> times() const {
        const std::lock_guard lock{mutex_};
        return times_;
    }
    /// Waits for the time at position `i`. Empty if the worker has ended, after `at_most`, or if a stop is requested.
    std::optional<steady::time_point> wait_for(std::size_t i, duration at_most, std::stop_token stop) const {
        std::unique_lock lock{mutex_};
        (void)changed_.wait_for(lock, std::move(stop), at_most, [&] { return times_.size() > i || ended_; });
        if (times_.size() <= i) return {};
        return times_[i];
    }

private:
    std::int64_t every_;
    std::atomic<std::int64_t> count_{0};
    mutable std::mutex mutex_{};
    mutable std::condition_variable_any changed_{};
    std::vector<steady::time_point> times_{};
    bool ended_ = false;
};

}  // namespace pgq::cli::bench
