#pragma once

#include <pgq/cli/bench/arrivals.hpp>
#include <pgq/cli/bench/measurement.hpp>
#include <pgq/cli/bench/settings.hpp>
#include <pgq/cli/bench/working.hpp>

#include <pgq/driver/pq/session/socket_wait.hpp>
#include <pgq/error/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>

namespace pgq::cli::bench {

/// The time from the call of enqueue to the start of the handler, while the worker sleeps. `round_trip` is that of the
/// network: the worker needs some of them to acknowledge a job and to sleep again.
inline measurement latency(const driver::libpq& where, const std::string& queue, const settings& s, duration round_trip,
                           const std::stop_token& stop) {
    constexpr std::chrono::seconds at_most{30};
    const duration until_asleep = std::chrono::milliseconds{3} + 5 * round_trip;
    const probe_maker maker{s.bytes};
    arrivals seen{1};
    measurement m;
    working w{where, queue, s.threads, {}, seen};
    probe_queue q{where, {.name = queue}};
    const auto until = steady::now() + s.time();
    // The first job waits until the worker has connected, so it does not count.
    for (std::int64_t i = 0; i <= s.jobs && (i < 2 || steady::now() < until) && !stop.stop_requested(); ++i) {
        const auto began = steady::now();
        q.enqueue(maker.make(i)).value();
        const auto started = seen.wait_for(static_cast<std::size_t>(i), at_most, stop);
        if (!started && !stop.stop_requested()) {
            w.request_stop();
            w.join();
            throw failure{error_info{errc::timeout, "a job did not start within 30 s"}};
        }
        if (started && i > 0) m.each.add(*started - began), ++m.jobs;
        driver::pq::pause_for(until_asleep);
    }
    w.request_stop();
    w.join();
    m.time = m.each.sum();
    return m;
}

}  // namespace pgq::cli::bench
