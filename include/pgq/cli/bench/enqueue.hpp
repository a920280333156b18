#pragma once

#include <pgq/cli/bench/arrivals.hpp>
#include <pgq/cli/bench/measurement.hpp>
#include <pgq/cli/bench/probe.hpp>
#include <pgq/cli/bench/settings.hpp>

#include <pgq/error/result.hpp>

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <vector>

namespace pgq::cli::bench {

/// Calls `put(number of the first job)` until the time or the jobs are used up. Each call stores `jobs_of_call` jobs.
template <class Put>
measurement repeat(const settings& s, std::int64_t jobs_of_call, const std::stop_token& stop, Put put) {
    measurement m;
    const auto began = steady::now();
    auto now = began;
    while (m.jobs + jobs_of_call <= s.jobs && now - began < s.time() && !stop.stop_requested()) {
        put(m.jobs);
        const auto ended = steady::now();
        m.each.add(ended - now);
        m.jobs += jobs_of_call;
        now = ended;
    }
    m.time = now - began;
    return m;
}

inline measurement enqueue_one_by_one(probe_queue& q, const settings& s, const std::stop_token& stop) {
    const probe_maker maker{s.bytes};
    q.enqueue(maker.make(0)).value();  // connects, and makes the lane
    return repeat(s, 1, stop, [&](std::int64_t number) { q.enqueue(maker.make(number)).value(); });
}

inline measurement enqueue_in_batches(probe_queue& q, const settings& s, const std::stop_token& stop) {
    const probe_maker maker{s.bytes};
    std::vector<probe> batch(static_cast<std::size_t>(s.batch));
    return repeat(s, s.batch, stop, [&](std::int64_t number) {
        for (probe& one : batch) one = maker.make(number++);
        q.enqueue(batch).value();
    });
}

}  // namespace pgq::cli::bench
