#pragma once

#include <pgq/concept/executor.hpp>
#include <pgq/executor/task_ring.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace pgq::executor {

/// Runs tasks on threads of its own, first in, first out.
///
/// An object that is not started is a setting, the number of threads; a copy takes just that over and is not started.
/// Threads exist from `start()` to `stop()` only.
///
/// Tasks may hand in further tasks, also while `stop()` waits. `stop()` must not be called from a task.
class thread_pool {
public:
    using policy_category = executor_tag;

    /// 0 threads means as many as the machine runs at once.
    explicit thread_pool(std::size_t threads = 0) noexcept : width_{threads != 0 ? threads : hardware_threads()} {}
    thread_pool(const thread_pool& other) noexcept : width_{other.width_} {}
    thread_pool& operator=(const thread_pool& other) noexcept {
        stop();
        width_ = other.width_;
        return *this;
    }
    ~thread_pool() { stop(); }

    std::size_t width() const noexcept { return width_; }

    /// Throws std::system_error when the threads cannot be had; then none is left behind.
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
            wake = sleeping_ > called_;
            if (wake) ++called_;
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
        threads_.clear();
        stopping_ = false;
    }

private:
    static std::size_t hardware_threads() noexcept { return std::max(1u, std::thread::hardware_concurrency()); }

    void work() noexcept {
        std::unique_lock lock{mutex_};
        while (true) {
            while (!waiting_.empty()) {
                const task next = waiting_.pop();
                lock.unlock();
                next.run();
                lock.lock();
            }
            if (stopping_) return;
            sleep(lock);
        }
    }

    // A thread that was called counts as awake from the call on, long before the system lets it run: so a burst of
    // tasks calls every sleeper once, and a single task never two.
    void sleep(std::unique_lock<std::mutex>& lock) noexcept {
        ++sleeping_;
        work_to_do_.wait(lock, [this] { return called_ != 0 || stopping_; });
        --sleeping_;
        if (called_ != 0) --called_;
    }

    std::size_t width_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable work_to_do_;
    detail::task_line waiting_;
    std::size_t sleeping_ = 0;
    std::size_t called_ = 0;  // of the sleeping: how many were notified and have not woken yet
    bool stopping_ = false;
};

static_assert(executor_policy<thread_pool>);

}  // namespace pgq::executor
