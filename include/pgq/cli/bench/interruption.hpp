#pragma once

#include <pgq/error/result.hpp>
#include <pgq/run/signal_pipe.hpp>

#include <poll.h>

#include <atomic>
#include <csignal>
#include <stop_token>
#include <thread>

namespace pgq::cli::bench {

/// While it lives, SIGINT, SIGTERM and SIGHUP request a stop instead of ending the process, and SIGPIPE does nothing.
class interruption {
public:
    interruption() {
        pipe_.open().value();
        former_ = std::signal(SIGPIPE, SIG_IGN);
        watcher_ = std::jthread{[this](const std::stop_token& over) { watch(over); }};
    }
    interruption(const interruption&) = delete;
    interruption& operator=(const interruption&) = delete;
    ~interruption() { end(); }

    std::stop_token token() const noexcept { return stop_.get_token(); }
    /// The first signal that came; 0 if none did.
    int signal() const noexcept { return signal_.load(); }
    /// Gives the signals their former effect.
    void end() noexcept {
        if (!watcher_.joinable()) return;
        watcher_.request_stop();
        watcher_.join();
        pipe_.close();
        (void)std::signal(SIGPIPE, former_);
    }

private:
    void watch(const std::stop_token& over) {
        while (!over.stop_requested()) {
            constexpr int milliseconds = 50;
            ::pollfd one{pipe_.fd(), POLLIN, 0};
            (void)::poll(&one, 1, milliseconds);
            const int number = pipe_.take();
            if (number == 0) continue;
            int none = 0;
            (void)signal_.compare_exchange_strong(none, number);
            stop_.request_stop();
        }
    }

    detail::signal_pipe pipe_{};
    void (*former_)(int) = SIG_DFL;
    std::atomic<int> signal_{0};
    std::stop_source stop_{};
    std::jthread watcher_{};
};

}  // namespace pgq::cli::bench
