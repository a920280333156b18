#pragma once

#include <pgq/error/condition.hpp>
#include <pgq/fsm/reconnect.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <optional>
#include <system_error>

namespace pgq::fsm {

/// How a worker begins: it connects and registers, and tries again while that may help.
///
///     failed():  transient or contention, and time is left --> again, after a pause as before any new connection
///                another error, or no time is left ----------> the worker gives up
class start {
public:
    /// `limit`: how long it tries; zero: once.
    explicit start(duration limit) noexcept : limit_{limit} {}

    /// An attempt failed; the first one began at `begun`. Returns how long to pause before the next one; empty if the
    /// worker gives up. `unit_random`: from 0 to 1.
    std::optional<duration> failed(std::error_code why, double unit_random, steady_time begun,
                                   steady_time now) noexcept {
        if (why != condition::transient && why != condition::contention) return std::nullopt;
        const duration left = limit_ - (now - begun);
        if (left <= duration{}) return std::nullopt;
        return std::min(retry_.failed(unit_random), left);
    }

private:
    duration limit_;
    reconnect retry_{};
};

}  // namespace pgq::fsm
