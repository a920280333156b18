#pragma once

#include <pgq/cli/bench/arrivals.hpp>
#include <pgq/cli/bench/measurement.hpp>
#include <pgq/cli/bench/settings.hpp>
#include <pgq/cli/bench/working.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <stop_token>
#include <string>

namespace pgq::cli::bench {

/// Works on the jobs of the queue until there are none, the time is used up, or a stop is requested. The time counts
/// from the start of the first job until all workers have acknowledged their jobs and ended.
inline measurement drain(const driver::libpq& where, const std::string& queue, const settings& s,
                         const std::stop_token& stop) {
    arrivals seen{s.batch};
    // A worker claims one half of what it holds while the other half runs.
    const worker_options how{.max_prefetch = 2 * static_cast<std::uint32_t>(s.batch) - 1, .until = run_until::empty};
    std::deque<working> workers;
    for (std::int64_t i = 0; i < s.workers; ++i) workers.emplace_back(where, queue, s.threads, how, seen);
    const auto until = steady::now() + s.time();
    constexpr std::chrono::milliseconds between_looks{20};  // at the stop token
    for (const working& w : workers)
        while (steady::now() < until && !stop.stop_requested() && !w.has_ended_by(steady::now() + between_looks)) {}
    for (working& w : workers) w.request_stop();
    for (working& w : workers) w.join();
    const auto ended = steady::now();

    measurement m{.jobs = seen.count()};
    const auto times = seen.times();
    if (!times.empty()) m.time = ended - times.front();
    for (std::size_t i = 1; i < times.size(); ++i) m.each.add(times[i] - times[i - 1]);
    return m;
}

}  // namespace pgq::cli::bench
