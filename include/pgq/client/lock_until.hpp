#pragma once

#include <pgq/error/errc.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <mutex>

namespace pgq::detail {

/// False if another thread holds the mutex until `deadline`. It waits by the system clock, because the thread sanitizer
/// does not know pthread_mutex_clocklock(), which a wait by the steady clock calls.
inline bool lock_until(std::unique_lock<std::timed_mutex>& lock, steady_time deadline) {
    if (deadline == steady_time::max()) return lock.lock(), true;
    const auto left = deadline - std::chrono::steady_clock::now();
    return lock.try_lock_until(std::chrono::system_clock::now() + left);
}

}  // namespace pgq::detail
