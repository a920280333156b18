#pragma once

#include <pgq/concept/executor.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace app {

/// A connection that sends messages. To connect is slow, and one thread at a time may use it, so each thread has its
/// own.
class gateway {
public:
    void email(const std::string& text) { say("Sending Email: ", text); }
    void sms(const std::string& text) { say("Sending SMS: ", text); }

private:
    static void say(const char* what, const std::string& text) { std::printf("%s%s\n", what, text.c_str()); }
};

/// An executor whose threads connect once, before their first job, and use that connection for all jobs.
class notification_threads {
public:
    using policy_category = pgq::executor_tag;

    explicit notification_threads(std::size_t size = 2) : size_{size} {}
    notification_threads(const notification_threads& other) : size_{other.size_} {}  // copies the size, not the threads
    notification_threads& operator=(const notification_threads&) = delete;
    ~notification_threads() { stop(); }

    /// The connection of the thread that a handler runs on.
    static gateway& here() { return *connection(); }

    std::size_t width() const noexcept { return size_; }

    void start() {
        while (threads_.size() < size_) threads_.emplace_back([this] { work(); });
    }
    void execute(const pgq::task& t) {
        {
            const std::lock_guard lock{mutex_};
            waiting_.push_back(t);
        }
        changed_.notify_one();
    }
    void stop() noexcept {
        {
            const std::lock_guard lock{mutex_};
            closing_ = true;
        }
        changed_.notify_all();
        for (auto& thread : threads_) thread.join();
        threads_.clear();
        closing_ = false;
    }

private:
    static std::unique_ptr<gateway>& connection() {
        thread_local std::unique_ptr<gateway> mine;
        return mine;
    }

    void work() {
        connection() = std::make_unique<gateway>();
        std::unique_lock lock{mutex_};
        while (true) {
            changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            const pgq::task next = waiting_.front();
            waiting_.pop_front();
            lock.unlock();
            next.run();
            lock.lock();
        }
    }

    std::size_t size_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<pgq::task> waiting_;
    bool closing_ = false;
    std::vector<std::thread> threads_;
};

static_assert(pgq::executor_policy<notification_threads>);

}  // namespace app
