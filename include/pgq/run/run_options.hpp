#pragma once

#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/backoff/spec.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace pgq {

/// How pgq::run runs a program.
struct run_options {
    /// A port that answers `GET /healthz` and `GET /readyz`; 0: none.
    std::uint16_t health_port = 0;
    std::string health_address = "127.0.0.1";  ///< a numeric IPv4 or IPv6 address of this machine
    /// How long the program may be without a connection or a heartbeat before it counts as unhealthy. A failover of the
    /// database should take less time: it is no reason to restart all workers.
    duration unhealthy_after = std::chrono::minutes{5};
    /// If a handler has been running for longer, the program is unhealthy at once.
    duration longest_handler = duration::max();
    /// How long to wait before something that failed runs again.
    backoff::spec restart_backoff =
        backoff::spec{backoff::exponential{.first = std::chrono::seconds{1}, .cap = std::chrono::minutes{1}}}
            .jittered_by(0.2);
    bool handle_signals = true;         ///< SIGTERM, SIGINT and SIGHUP; false: they have their former effect
    std::stop_token stop{};             ///< stops the program as a first SIGTERM does
    std::function<void()> on_hangup{};  ///< called for a SIGHUP, in the thread of run; it must not block
    /// Gets a line, without its end, for each failure, in the thread of run. Without it the lines go to standard error.
    std::function<void(std::string_view)> log{};
};

}  // namespace pgq
