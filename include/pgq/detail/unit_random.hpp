#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <random>

namespace pgq::detail {

inline std::uint32_t random_seed() noexcept {
    try {
        return std::random_device{}();
    } catch (const std::exception&) {
        // There is no source of entropy. The time and a stack address still differ between threads and processes.
        const int here = 0;
        const auto ticks = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
        return static_cast<std::uint32_t>(ticks ^ reinterpret_cast<std::uintptr_t>(&here));
    }
}

/// The generator of this thread. A simulation seeds it, so that its runs can be repeated.
inline std::minstd_rand& random_engine() noexcept {
    thread_local std::minstd_rand engine{random_seed()};
    return engine;
}

/// A random number from 0 to 1, for jitter. Each thread has its own generator, so this takes no lock.
inline double unit_random() noexcept { return std::uniform_real_distribution<double>{0.0, 1.0}(random_engine()); }

}  // namespace pgq::detail
