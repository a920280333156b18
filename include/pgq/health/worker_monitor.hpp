#pragma once

#include <pgq/health/running_handlers.hpp>
#include <pgq/health/worker_health.hpp>
#include <pgq/time/clock.hpp>

#include <atomic>

namespace pgq::detail {

/// What the threads of a worker report about it, and what worker::health() reads from any thread. It outlives the runs
/// of the worker.
class worker_monitor {
public:
    running_handlers handlers;

    void began(duration lease_time) noexcept { lease_time_.store(lease_time.count(), std::memory_order_relaxed); }
    void set_connected(bool open) noexcept { connected_.store(open, std::memory_order_relaxed); }
    /// The database has registered the worker.
    void registered(steady_time now) noexcept {
        beaten(now);
        running_.store(true, std::memory_order_release);
    }
    /// Some time has passed: notes which handlers run.
    void look(steady_time now) noexcept { (void)handlers.read(now); }
    /// The database has answered a heartbeat that was sent at `when`.
    void beaten(steady_time when) noexcept {
        last_beat_.store(when.time_since_epoch().count(), std::memory_order_relaxed);
    }
    void ended() noexcept { running_.store(false, std::memory_order_relaxed); }

    worker_health read(steady_time now) const noexcept {
        worker_health h;
        h.running = running_.load(std::memory_order_acquire);
        h.connected = h.running && connected_.load(std::memory_order_relaxed);
        h.lease_time = duration{lease_time_.load(std::memory_order_relaxed)};
        const steady_time beat{steady_time::duration{last_beat_.load(std::memory_order_relaxed)}};
        if (h.running) h.last_heartbeat = now > beat ? now - beat : duration{};
        const auto running = handlers.read(now);
        h.handlers = running.count;
        if (running.oldest) h.oldest_handler = now > *running.oldest ? now - *running.oldest : duration{};
        return h;
    }

private:
    std::atomic<bool> running_{false};
    std::atomic<bool> connected_{false};
    std::atomic<duration::rep> lease_time_{0};
    std::atomic<steady_time::rep> last_beat_{0};
};

}  // namespace pgq::detail
