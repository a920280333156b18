#pragma once

#include <pgq/time/clock.hpp>

#include <array>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace pgq::detail {

/// Blocks until then; false when one of the tokens fired before.
inline bool block_until(steady_time until, const std::array<std::stop_token, 2>& stops) {
    std::mutex mutex;
    std::condition_variable changed;
    bool cut_short = false;
    const auto cut = [&] {
        const std::lock_guard lock{mutex};
        cut_short = true;
        changed.notify_all();
    };
    const std::stop_callback first{stops[0], cut};
    const std::stop_callback second{stops[1], cut};
    std::unique_lock lock{mutex};
    return !changed.wait_until(lock, until, [&] { return cut_short; });
}

}  // namespace pgq::detail
