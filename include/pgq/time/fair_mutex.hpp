#pragma once

#include <pgq/time/clock.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace pgq::detail {

/// A mutex that threads get in the order in which they asked for it. The calls of one queue object wait for its
/// connection with it. With std::timed_mutex, threads that call again and again keep another one away for seconds, and
/// its deadline passes while calls are made all the time.
class fair_mutex {
public:
    void lock() { (void)lock_until(steady_time::max()); }

    /// False if other threads have the mutex, or are before this one, until `deadline`.
    bool lock_until(steady_time deadline) {
        std::unique_lock lock{mutex_};
        if (!is_locked_) return is_locked_ = true;
        waiter me;
        (last_ != nullptr ? last_->next : first_) = &me;
        last_ = &me;
        if (deadline == steady_time::max()) {
            me.changed.wait(lock, [&] { return me.is_its_turn; });
            return true;
        }
        // It waits by the system clock, because the thread sanitizer does not know pthread_cond_clockwait(), which a
        // wait by the steady clock calls.
        while (!me.is_its_turn) {
            const auto left = deadline - std::chrono::steady_clock::now();
            if (left <= duration{}) return leave(me), false;
            me.changed.wait_until(lock, std::chrono::system_clock::now() + left);
        }
        return true;
    }

    void unlock() {
        const std::lock_guard lock{mutex_};
        if (first_ == nullptr) return void(is_locked_ = false);
        waiter& next = *first_;
        remove_first();
        next.is_its_turn = true;
        next.changed.notify_one();  // under the lock: the waiter is gone as soon as it sees its turn
    }

    bool has_waiters() const {
        const std::lock_guard lock{mutex_};
        return first_ != nullptr;
    }

private:
    struct waiter {
        std::condition_variable changed{};
        waiter* next = nullptr;
        bool is_its_turn = false;
    };

    void remove_first() noexcept {
        first_ = first_->next;
        if (first_ == nullptr) last_ = nullptr;
    }
    void leave(const waiter& me) noexcept {
        if (first_ == &me) return remove_first();
        waiter* before = first_;
        while (before->next != &me) before = before->next;
        before->next = me.next;
        if (last_ == &me) last_ = before;
    }

    mutable std::mutex mutex_;
    bool is_locked_ = false;
    waiter* first_ = nullptr;
    waiter* last_ = nullptr;
};

/// False if other threads have the mutex until `deadline`.
inline bool lock_until(std::unique_lock<fair_mutex>& lock, steady_time deadline) {
    if (!lock.mutex()->lock_until(deadline)) return false;
    lock = std::unique_lock{*lock.mutex(), std::adopt_lock};
    return true;
}

}  // namespace pgq::detail
