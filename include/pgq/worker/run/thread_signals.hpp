#pragma once

#include <pgq/time/clock.hpp>

#include <atomic>
#include <optional>

namespace pgq::detail {

/// What other threads tell the thread of a worker's run. Each of them sets a signal from any thread and then ends the
/// wait of the run; the run takes it.
class thread_signals {
public:
    /// The first request counts: the grace time begins with it.
    void request_stop(steady_time now) noexcept {
        if (!stop_requested_.load()) stop_requested_at_.store(now);
        stop_requested_.store(true);
    }
    bool stop_requested() const noexcept { return stop_requested_.load(); }
    std::optional<steady_time> stop_requested_at() const noexcept {
        return stop_requested() ? std::optional{stop_requested_at_.load()} : std::nullopt;
    }

    /// The heartbeat has found that other workers have declared this one dead.
    void declare_dead() noexcept { declared_dead_.store(true); }
    bool take_declared_dead() noexcept { return take(declared_dead_); }

    /// The heartbeat has found that jobs of this worker are to stop.
    void change_leases() noexcept { leases_changed_.store(true); }
    bool take_leases_changed() noexcept { return take(leases_changed_); }

private:
    static bool take(std::atomic<bool>& signal) noexcept { return signal.load() && signal.exchange(false); }

    std::atomic<bool> stop_requested_{false};
    std::atomic<steady_time> stop_requested_at_{steady_time{}};  // written before stop_requested_
    std::atomic<bool> declared_dead_{false};
    std::atomic<bool> leases_changed_{false};
};

}  // namespace pgq::detail
