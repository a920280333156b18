#pragma once

#include <pgq/context/resources.hpp>
#include <pgq/fsm/worker.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/names/queue_names.hpp>

#include <chrono>
#include <cstdint>

namespace pgq {

using fsm::run_until;

/// What becomes of a job whose last attempt failed.
enum class exhausted : std::uint8_t {
    hold,  ///< it is kept with its reason, until a program requeues it
    drop,  ///< it is deleted
};

/// How a worker works.
struct worker_options {
    std::int16_t max_attempts = 20;  ///< attempts of a job; if the last one fails, see `on_exhausted`
    exhausted on_exhausted = exhausted::hold;
    duration lease_time = std::chrono::seconds{15};    ///< without a heartbeat for so long, this worker counts as dead
    duration poll_interval = std::chrono::seconds{5};  ///< how often an idle worker claims without a wake-up
    duration grace = std::chrono::seconds{30};         ///< how long handlers may run on after a stop request
    /// How long a worker that starts tries to connect and register while the server is away, read-only or overloaded;
    /// then run() returns the error. Zero: once. Later losses of the connection have no limit.
    duration connect_timeout = std::chrono::minutes{1};
    std::uint32_t max_prefetch = 1000;  ///< jobs held beyond those that run; adapted below this
    std::uint32_t max_batch = 100;      ///< jobs handed to a batch handler at once
    run_until until = run_until::stopped;
    const resources* shared = nullptr;  ///< handed to handlers through their context
    /// Serves the queues of these names, instead of that of the queue object. It must live until run() returns.
    const queue_names* queues = nullptr;
};

}  // namespace pgq
