#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

#include <pthread.h>

namespace example {

/// Turns Ctrl-C and TERM into a stop token. Construct it in main before any other thread: threads inherit the blocked
/// signals, so a signal interrupts nothing and only this object receives it.
class stop_on_signal {
public:
    stop_on_signal() {
        sigemptyset(&signals_);
        sigaddset(&signals_, SIGINT);
        sigaddset(&signals_, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
        waiter_ = std::thread{[this] {
            int which = 0;
            sigwait(&signals_, &which);
            source_.request_stop();
        }};
    }
    stop_on_signal(const stop_on_signal&) = delete;
    stop_on_signal& operator=(const stop_on_signal&) = delete;
    ~stop_on_signal() {
        pthread_kill(waiter_.native_handle(), SIGTERM);
        waiter_.join();
    }

    std::stop_token token() const noexcept { return source_.get_token(); }

private:
    sigset_t signals_{};
    std::stop_source source_;
    std::thread waiter_;
};

}  // namespace example
