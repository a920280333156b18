#pragma once

#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>

#include <atomic>
#include <optional>

namespace pgq::detail {

/// What other threads tell the thread of a worker's run. Each of them sets a signal from any thread and then ends the
/// wait of the run; the run takes it.
class thread_signals {
public:
    /// The first request counts: the grace time begins with it. No call of the run's sessions lasts longer than until
    /// `calls_end`, even if the server is silent.
    void request_stop(steady_time now, steady_time calls_end) noexcept {
        stop_limit_.bring_forward(calls_end);
        if (!stop_requested_.load()) stop_requested_at_.store(now);
        stop_requested_.store(true);
    }
    bool stop_requested() const noexcept { return stop_requested_.load(); }
    std::optional<steady_time> stop_requested_at() const noexcept {
        return stop_requested() ? std::optional{stop_requested_at_.load()} : std::nullopt;
    }

    /// The heartbeat has found that the leases are lost. A call in progress ends: handlers must be asked to stop before
    /// other workers run their jobs.
    void declare_dead() noexcept {
        limit_.set({});
        declared_dead_.store(true);
    }
    bool take_declared_dead() noexcept {
        if (!take(declared_dead_)) return false;
        limit_.clear();
        return true;
    }

    /// The heartbeat has found that jobs of this worker are to stop.
    void change_leases() noexcept { leases_changed_.store(true); }
    bool take_leases_changed() noexcept { return take(leases_changed_); }

    /// When calls of the run's sessions end at the latest; of its heartbeat's session.
    const call_limit& limit() const noexcept { return limit_; }
    const call_limit& stop_limit() const noexcept { return stop_limit_; }

private:
    static bool take(std::atomic<bool>& signal) noexcept { return signal.load() && signal.exchange(false); }

    std::atomic<bool> stop_requested_{false};
    std::atomic<steady_time> stop_requested_at_{steady_time{}};  // written before stop_requested_
    std::atomic<bool> declared_dead_{false};
    std::atomic<bool> leases_changed_{false};
    call_limit stop_limit_{};
    call_limit limit_{&stop_limit_};
};

}  // namespace pgq::detail
