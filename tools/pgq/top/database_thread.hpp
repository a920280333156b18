#pragma once

#include "wake_pipe.hpp"

#include <pgq/admin.hpp>
#include <pgq/cli/top/perform.hpp>
#include <pgq/cli/top/request.hpp>
#include <pgq/driver/libpq.hpp>

#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace pgq_top {

/// Does requests one after another on a thread of its own, so that a server that is slow or away stops no key.
class database_thread {
public:
    database_thread(pgq::driver::libpq driver, pgq::admin_options options, pgq::cli::top::performing how,
                    const wake_pipe& wake)
        : ops_{std::move(driver), options}, how_{std::move(how)}, wake_{wake} {
        how_.progress = [this](pgq::cli::top::reply so_far) {
            answer(std::move(so_far));
            return !stop_action_;
        };
        start();
    }
    /// Only after finish() has returned true.
    ~database_thread() { thread_.join(); }
    database_thread(const database_thread&) = delete;
    database_thread& operator=(const database_thread&) = delete;

    void send(pgq::cli::top::request q) {
        {
            const std::lock_guard guard{mutex_};
            requests_.push_back(std::move(q));
        }
        changed_.notify_all();
    }
    /// Ends an action behind its present batch.
    void stop_action() noexcept { stop_action_ = true; }
    /// The answers since the last call.
    std::vector<pgq::cli::top::reply> answers() {
        const std::lock_guard guard{mutex_};
        return std::exchange(answers_, {});
    }
    /// Ends the thread. False: it still waits for the server.
    bool finish(std::chrono::milliseconds within) {
        std::unique_lock guard{mutex_};
        stop_action_ = true;
        ending_ = true;
        changed_.notify_all();
        return changed_.wait_for(guard, within, [this] { return ended_; });
    }

private:
    /// Signals are for the thread of the screen.
    void start() {
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        thread_ = std::thread{[this] { run(); }};
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    void run() {
        std::unique_lock guard{mutex_};
        for (;;) {
            changed_.wait(guard, [this] { return ending_ || !requests_.empty(); });
            if (ending_) break;
            const auto q = std::move(requests_.front());
            requests_.pop_front();
            stop_action_ = false;
            guard.unlock();
            answer(pgq::cli::top::perform(ops_, q, how_));
            guard.lock();
        }
        ended_ = true;
        changed_.notify_all();
    }
    void answer(pgq::cli::top::reply r) {
        {
            const std::lock_guard guard{mutex_};
            answers_.push_back(std::move(r));
        }
        wake_.wake();
    }

    pgq::admin<pgq::driver::libpq> ops_;
    pgq::cli::top::performing how_;
    const wake_pipe& wake_;
    std::mutex mutex_{};
    std::condition_variable changed_{};
    std::deque<pgq::cli::top::request> requests_{};
    std::vector<pgq::cli::top::reply> answers_{};
    std::atomic<bool> stop_action_ = false;
    bool ending_ = false;
    bool ended_ = false;
    std::thread thread_{};
};

}  // namespace pgq_top
