#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <random>

namespace pgq::detail {

inline std::uint32_t random_seed() noexcept {
    try {
        return std::random_device{}();
    } catch (const std::exception&) {
        // No source of entropy: the time and this thread's stack still tell threads and processes apart.
        const int here = 0;
        const auto ticks = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
        return static_cast<std::uint32_t>(ticks ^ reinterpret_cast<std::uintptr_t>(&here));
    }
}

/// A number from 0 to 1, for jitter: each thread has its own small engine, so no lock.
inline double unit_random() noexcept {
    thread_local std::minstd_rand engine{random_seed()};
    return std::uniform_real_distribution<double>{0.0, 1.0}(engine);
}

}  // namespace pgq::detail
