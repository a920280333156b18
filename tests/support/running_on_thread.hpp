#pragma once

#include <pgq/error/result.hpp>

#include <stop_token>
#include <thread>
#include <utility>

namespace test {

/// Runs a worker or a scheduler on a thread until the end of the scope.
template <class Runnable>
class running_on_thread {
public:
    explicit running_on_thread(Runnable& r)
        : thread_{[&r, this](std::stop_token stop) { outcome_ = r.run(std::move(stop)); }} {}
    /// Asks it to stop, and returns what its run returned.
    pgq::result<void> stop() {
        thread_.request_stop();
        if (thread_.joinable()) thread_.join();
        return outcome_;
    }

private:
    pgq::result<void> outcome_{};
    std::jthread thread_;
};

}  // namespace test
