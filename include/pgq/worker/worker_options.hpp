#pragma once

#include <pgq/context/resources.hpp>
#include <pgq/fsm/worker.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>

namespace pgq {

using fsm::run_until;

/// What becomes of a job whose last attempt failed.
enum class exhausted : std::uint8_t {
    hold,  ///< it is kept with its reason, until somebody requeues it
    drop,  ///< it is deleted
};

/// How a worker works. The defaults are meant to be right; times are lower bounds on quiet, not promises of speed.
struct worker_options {
    std::int16_t max_attempts = 20;  ///< deliveries; the one that fails as the last ends the job, see `on_exhausted`
    exhausted on_exhausted = exhausted::hold;
    duration lease_time =
        std::chrono::seconds{15};  ///< silent for so long, this worker is dead and its jobs go to others
    duration poll_interval = std::chrono::seconds{5};  ///< how often an idle worker looks though nobody woke it
    duration grace = std::chrono::seconds{30};         ///< what running handlers get when the worker is told to stop
    /// How long a worker that starts tries to connect and register while the server is away, read-only or overloaded;
    /// then run() returns the error. Zero: once. Later losses of the connection have no limit.
    duration connect_timeout = std::chrono::minutes{1};
    std::uint32_t max_prefetch = 1000;  ///< jobs held beyond those that run; adapted below this
    std::uint32_t max_batch = 100;      ///< jobs handed to a batch handler at once
    run_until until = run_until::stopped;
    const resources* shared = nullptr;  ///< handed to handlers through their context
};

}  // namespace pgq
