#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace pgq::web {

/// One thread that does one task after the other. At its end it finishes the task that runs, and drops the others.
class task_thread {
public:
    explicit task_thread(std::size_t most) : most_{most} {}
    ~task_thread() {
        {
            const std::lock_guard lock{mutex_};
            ended_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }
    task_thread(const task_thread&) = delete;
    task_thread& operator=(const task_thread&) = delete;

    /// False if too many tasks wait already.
    bool post(std::function<void()> task) {
        {
            const std::lock_guard lock{mutex_};
            if (waiting_.size() >= most_) return false;
            waiting_.push_back(std::move(task));
        }
        changed_.notify_one();
        return true;
    }

private:
    void work() {
        for (std::unique_lock lock{mutex_};;) {
            changed_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
            if (ended_) return;
            const auto task = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            task();
            lock.lock();
        }
    }

    std::size_t most_;
    std::mutex mutex_{};
    std::condition_variable changed_{};
    std::deque<std::function<void()>> waiting_{};
    bool ended_ = false;
    std::thread thread_{[this] { work(); }};  // the last member: it uses the others
};

}  // namespace pgq::web
