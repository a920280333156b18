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

/// Runs tasks on threads of its own, first in, first out.
///
/// An object that is not started is a setting, the number of threads; a copy takes just that over and is not started.
/// Threads exist from `start()` to `stop()` only.
///
/// Tasks may hand in further tasks, also while `stop()` waits. `stop()` must not be called from a task.
///
/// A task that does not end is made up for by another thread from `stand_in()` on; with `stand_down()` one thread ends, as soon as
/// it has no task. When no thread can be had there is none.
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
        for (auto& thread : retired_) thread.join();
        threads_.clear();
        retired_.clear();
        surplus_ = missing_ = 0;
        stopping_ = false;
    }

    void stand_in() noexcept {
        std::vector<std::thread> ended;
        const std::lock_guard lock{mutex_};
        if (stopping_ || threads_.empty()) return;
        ended.swap(retired_);
        for (auto& thread : ended) thread.join();  // they have let the lock go, and do nothing after that
        try {
            if (surplus_ > 0) return void(--surplus_);
            retired_.reserve(threads_.size() + 1);  // so that retiring allocates nothing
            threads_.emplace_back([this] { work(); });
        } catch (const std::exception&) { ++missing_; }
    }
    void stand_down() noexcept {
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

    // The thread that calls this ends; stop() or the next stand_in() joins it.
    void retire() noexcept {
        --surplus_;
        if (stopping_) return;  // it is being joined
        const auto self = std::find_if(threads_.begin(), threads_.end(),
                                       [](const auto& t) { return t.get_id() == std::this_thread::get_id(); });
        retired_.push_back(std::move(*self));
        threads_.erase(self);
        // What it may have been called for somebody else does.
        if (waiting_.empty() || sleeping_ <= called_) return;
        ++called_;
        work_to_do_.notify_all();
    }

    // A thread that was called counts as awake from the call on, long before the system lets it run: so a burst of
    // tasks calls every sleeper once, and a single task never two.
    void sleep(std::unique_lock<std::mutex>& lock) noexcept {
        ++sleeping_;
        work_to_do_.wait(lock, [this] { return called_ != 0 || stopping_ || surplus_ != 0; });
        --sleeping_;
        if (called_ != 0) --called_;
    }

    std::size_t width_;
    std::vector<std::thread> threads_;
    std::vector<std::thread> retired_;  // threads that have ended, or do nothing but that
    std::mutex mutex_;
    std::condition_variable work_to_do_;
    detail::task_line waiting_;
    std::size_t sleeping_ = 0;
    std::size_t called_ = 0;   // of the sleeping: how many were notified and have not woken yet
    std::size_t surplus_ = 0;  // how many threads have to end
    std::size_t missing_ = 0;  // how many stand-ins could not be had
    bool stopping_ = false;
};

static_assert(executor_policy<thread_pool> && can_stand_in<thread_pool>);

}  // namespace pgq::executor
