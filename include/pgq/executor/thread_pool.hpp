#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/executor/task_ring.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace pgq::executor {

/// Runs tasks on its own threads, first in, first out.
///
/// Before `start()` an object holds only the number of threads. A copy has the same number and is not started. Threads
/// exist only from `start()` to `stop()`.
///
/// A task may call `execute`, also while `stop()` waits. A task must not call `stop()`.
///
/// `add_spare_thread()` adds a thread, to replace one that is blocked by a task which does not end.
/// `remove_spare_thread()` ends one thread, as soon as that thread has no task. If the system refuses the additional
/// thread, the pool runs without it.
class thread_pool {
public:
    using policy_category = executor_tag;

    /// 0 threads means one for each hardware thread.
    explicit thread_pool(std::size_t threads = 0) noexcept : width_{threads != 0 ? threads : hardware_threads()} {}
    thread_pool(const thread_pool& other) noexcept : width_{other.width_} {}
    thread_pool& operator=(const thread_pool& other) noexcept {
        stop();
        width_ = other.width_;
        return *this;
    }
    ~thread_pool() { stop(); }

    std::size_t width() const noexcept { return width_; }

    /// Throws std::system_error if a thread cannot be created. Then no thread remains.
    void start() {
        if (!threads_.empty()) return;
        threads_.reserve(width_);
        try {
            while (threads_.size() < width_) threads_.emplace_back([this] { work(); });
        } catch (...) {
            stop();
            throw;
        }
    }

    void execute(const task& t) {
        bool wake = false;
        {
            const std::lock_guard lock{mutex_};
            waiting_.push(t);
            wake = sleeping_ > notified_;
            if (wake) ++notified_;
        }
        if (wake) work_to_do_.notify_one();
    }

    void stop() noexcept {
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
        }
        work_to_do_.notify_all();
        for (auto& thread : threads_) thread.join();
        for (auto& thread : retired_) thread.join();
        threads_.clear();
        retired_.clear();
        surplus_ = missing_ = 0;
        stopping_ = false;
    }

    void add_spare_thread() noexcept {
        std::vector<std::thread> ended;
        const std::lock_guard lock{mutex_};
        if (stopping_ || threads_.empty()) return;
        ended.swap(retired_);
        for (auto& thread : ended) thread.join();  // these threads released the lock and do nothing after that
        try {
            if (surplus_ > 0) return void(--surplus_);
            retired_.reserve(threads_.size() + 1);  // so that retire() allocates nothing
            threads_.emplace_back([this] { work(); });
        } catch (const std::exception&) { ++missing_; }
    }
    void remove_spare_thread() noexcept {
        {
            const std::lock_guard lock{mutex_};
            if (stopping_ || threads_.empty()) return;
            if (missing_ > 0) return void(--missing_);
            ++surplus_;
        }
        work_to_do_.notify_all();
    }

private:
    static std::size_t hardware_threads() noexcept { return std::max(1u, std::thread::hardware_concurrency()); }

    void work() noexcept {
        std::unique_lock lock{mutex_};
        while (true) {
            while (!waiting_.empty() && surplus_ == 0) {
                const task next = waiting_.pop();
                lock.unlock();
                next.run();
                lock.lock();
            }
            if (surplus_ > 0) return retire();
            if (stopping_) return;
            sleep(lock);
        }
    }

    // Ends the calling thread. stop() or the next add_spare_thread() joins it.
    void retire() noexcept {
        --surplus_;
        if (stopping_) return;  // stop() joins it
        const auto self = std::find_if(threads_.begin(), threads_.end(),
                                       [](const auto& t) { return t.get_id() == std::this_thread::get_id(); });
        retired_.push_back(std::move(*self));
        threads_.erase(self);
        // If this thread was woken for a task, another thread must run that task.
        if (waiting_.empty() || sleeping_ <= notified_) return;
        ++notified_;
        work_to_do_.notify_all();
    }

    // A notified thread counts as awake at once, long before the system schedules it. So a burst of tasks wakes each
    // sleeping thread once, and one task never wakes two.
    void sleep(std::unique_lock<std::mutex>& lock) noexcept {
        ++sleeping_;
        work_to_do_.wait(lock, [this] { return notified_ != 0 || stopping_ || surplus_ != 0; });
        --sleeping_;
        if (notified_ != 0) --notified_;
    }

    std::size_t width_;
    std::vector<std::thread> threads_;
    std::vector<std::thread> retired_;  // threads that have ended or are about to end
    std::mutex mutex_;
    std::condition_variable work_to_do_;
    detail::task_queue waiting_;
    std::size_t sleeping_ = 0;
    std::size_t notified_ = 0;  // sleeping threads that were notified and have not woken yet
    std::size_t surplus_ = 0;   // threads that must end
    std::size_t missing_ = 0;   // additional threads that the system refused
    bool stopping_ = false;
};

static_assert(executor_policy<thread_pool> && can_add_spare_thread<thread_pool>);

}  // namespace pgq::executor
