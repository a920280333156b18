#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/time/clock.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace pgq::detail {

/// An action at a given time.
class alarm {
public:
    /// Performs the action. Returns when to call it again, or `steady_time::max()` to end.
    virtual steady_time ring(steady_time now) noexcept = 0;

protected:
    ~alarm() = default;
};

/// Calls `ring` of alarms on its own thread, one at a time. Any thread may call `arm` and `disarm`.
class watchdog {
public:
    watchdog() : thread_{[this] { watch(); }} {}
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;
    ~watchdog() {
        {
            const std::lock_guard lock{mutex_};
            ending_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

    void arm(alarm& a, steady_time at) {
        bool sooner = false;
        {
            const std::lock_guard lock{mutex_};
            const auto entry = alarms_.emplace(at, &a).first;
            sooner = entry == alarms_.begin();
        }
        if (sooner) changed_.notify_all();
    }
    /// After this returns, `ring` of `a` does not run and is not called again. `at` is the time that `arm` got. It
    /// blocks while `ring` of `a` runs.
    void disarm(alarm& a, steady_time at) noexcept {
        std::unique_lock lock{mutex_};
        if (alarms_.erase({at, &a}) != 0) return;
        changed_.wait(lock, [&] { return ringing_ != &a; });
        for (auto i = alarms_.begin(); i != alarms_.end();) i = i->second == &a ? alarms_.erase(i) : std::next(i);
    }

private:
    void watch() noexcept {
        std::unique_lock lock{mutex_};
        while (!ending_) {
            if (alarms_.empty()) {
                changed_.wait(lock);
                continue;
            }
            const auto next = *alarms_.begin();
            const auto now = std::chrono::steady_clock::now();
            if (now < next.first) {
                (void)changed_.wait_until(lock, next.first);
                continue;
            }
            ring(lock, now);
        }
    }
    // Reuses the entry, so that nothing is allocated here.
    void ring(std::unique_lock<std::mutex>& lock, steady_time now) noexcept {
        auto entry = alarms_.extract(alarms_.begin());
        ringing_ = entry.value().second;
        lock.unlock();
        const steady_time again = ringing_->ring(now);
        lock.lock();
        if (again != steady_time::max()) {
            entry.value().first = again;
            alarms_.insert(std::move(entry));
        }
        ringing_ = nullptr;
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<std::pair<steady_time, alarm*>> alarms_;
    alarm* ringing_ = nullptr;
    bool ending_ = false;
    std::thread thread_;
};

/// A watchdog that is made when the first alarm needs it. Any thread may call it.
class lazy_watchdog {
public:
    lazy_watchdog() = default;
    lazy_watchdog(const lazy_watchdog&) = delete;
    lazy_watchdog& operator=(const lazy_watchdog&) = delete;
    ~lazy_watchdog() { delete time_limits_.load(); }

    /// Throws std::system_error if its thread cannot start.
    watchdog& get() {
        watchdog* there = time_limits_.load(std::memory_order_acquire);
        if (there != nullptr) return *there;
        auto made = std::make_unique<watchdog>();
        if (time_limits_.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel)) return *made.release();
        return *there;
    }

private:
    std::atomic<watchdog*> time_limits_{nullptr};
};

/// What the worker provides to the decorators of this library. Decorators of a program do not get it.
struct attempt_services {
    watchdog* time_limits = nullptr;
    void* owner = nullptr;
    /// Reports that the handler still runs after the grace time; it has run for `run_time`.
    void (*exceeded_timeout)(void* owner, const try_scope&, duration run_time) noexcept = nullptr;
    /// Reports that such a handler has ended.
    void (*handler_ended)(void* owner) noexcept = nullptr;
};

}  // namespace pgq::detail
