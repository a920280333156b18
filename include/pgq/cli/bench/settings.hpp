#pragma once

#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pgq::cli::bench {

/// What the user asks for.
struct settings {
    double seconds = 5;           ///< time of one measurement
    std::int64_t jobs = 100'000;  ///< a measurement ends earlier with so many jobs
    std::int64_t batch = 1000;    ///< jobs of one insert, and of one claim
    std::size_t bytes = 100;      ///< of a payload
    std::int64_t workers = 1;     ///< workers that drain; each has a connection
    std::size_t threads = 1;      ///< handler threads of each worker

    duration time() const { return std::chrono::duration_cast<duration>(std::chrono::duration<double>{seconds}); }
    /// How much the tables grow at most, in MB. The jobs of both enqueues exist at the same time. A claim copies the
    /// payload, and the first copy keeps its room until a vacuum; pages that are not full take the third part.
    std::int64_t most_megabytes() const noexcept {
        constexpr std::int64_t row = 200;  // what a job needs beyond its payload, with its part of the indexes
        return 2 * jobs * (3 * static_cast<std::int64_t>(bytes) + row) / 1'000'000 + 1;
    }
};

}  // namespace pgq::cli::bench
