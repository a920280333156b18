#pragma once

#include <pgq/driver/pq/connection/pipeline.hpp>
#include <pgq/time/clock.hpp>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace pgq::driver::pq {

inline ::timespec as_timespec(duration d) noexcept {
    const auto s = std::chrono::duration_cast<std::chrono::seconds>(d);
    return {static_cast<std::time_t>(s.count()), static_cast<long>((d - s).count())};
}

/// Waits until the socket is ready, at most until then.
inline void wait_for(int socket, need wanted, duration timeout) {
    const int events = wanted == need::write            ? POLLOUT
                       : wanted == need::read_and_write ? POLLIN | POLLOUT
                       : wanted == need::read           ? POLLIN
                                                        : 0;
    ::pollfd one{socket, static_cast<short>(events), 0};
    const auto time = as_timespec(std::max(duration{}, timeout));
    (void)::ppoll(&one, wanted == need::nothing ? 0 : 1, &time, nullptr);
}

inline void pause_for(duration d) {
    const auto time = as_timespec(d);
    (void)::ppoll(nullptr, 0, &time, nullptr);
}

}  // namespace pgq::driver::pq
