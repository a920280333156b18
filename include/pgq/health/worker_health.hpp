#pragma once

#include <pgq/time/clock.hpp>

#include <cstdint>
#include <optional>

namespace pgq {

/// How a worker is at one moment: the answer of `worker::health()`.
struct worker_health {
    bool running = false;                      ///< it has registered, and its run has not ended
    bool connected = false;                    ///< it is running, and its connection for work is open
    std::optional<duration> last_heartbeat{};  ///< how long ago the database last answered a heartbeat or registration
    /// For how long the handler that began first has been running, counted from the first heartbeat or health() after
    /// its beginning. With a lease time of 15 s a heartbeat is sent each 5 s.
    std::optional<duration> oldest_handler{};
    std::uint32_t handlers = 0;  ///< how many handlers run
    duration lease_time{};       ///< the option of the worker

    /// Whether others still count it as alive: it runs and is connected, and its last heartbeat is younger than its
    /// lease time.
    bool is_ready() const noexcept { return running && connected && last_heartbeat && *last_heartbeat < lease_time; }
    /// is_ready(), and no handler has been running for longer than `longest`.
    bool is_healthy(duration longest = duration::max()) const noexcept {
        return is_ready() && (!oldest_handler || *oldest_handler <= longest);
    }
};

}  // namespace pgq
