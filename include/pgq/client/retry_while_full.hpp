#pragma once

#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace pgq::detail {

/// The time `timeout` from now, or the end of time.
inline steady_time deadline_in(duration timeout) noexcept {
    const auto now = std::chrono::steady_clock::now();
    return timeout > steady_time::max() - now ? steady_time::max() : now + timeout;
}

/// Repeats the call while it answers errc::lane_full, for at most `timeout`. It pauses 5 ms, then twice as long each
/// time, at most 200 ms: nobody is notified when a lane has room again.
template <class Call>
auto retry_while_full(duration timeout, Call call) {
    const auto until = deadline_in(timeout);
    for (duration pause = std::chrono::milliseconds{5};;
         pause = std::min<duration>(pause * 2, std::chrono::milliseconds{200})) {
        auto answer = call();
        const duration left = until - std::chrono::steady_clock::now();
        if (answer || answer.error() != errc::lane_full || left <= duration{}) return answer;
        std::this_thread::sleep_for(std::min(pause, left));
    }
}

}  // namespace pgq::detail
