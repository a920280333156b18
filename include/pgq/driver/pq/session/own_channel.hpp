#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/connection.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <poll.h>

#include <chrono>
#include <ctime>
#include <utility>

namespace pgq::driver::pq {

inline ::timespec as_timespec(duration d) noexcept {
    const auto s = std::chrono::duration_cast<std::chrono::seconds>(d);
    return {static_cast<std::time_t>(s.count()), static_cast<long>((d - s).count())};
}

/// An answer that comes later must not be taken for that of another statement: whoever returns this closes the
/// connection.
inline error_info no_answer() {
    return {errc::connection_lost, "the server did not answer in time",
            "is it overloaded, or the network cut? response_timeout says how long to wait"};
}

/// Calls `advance` whenever the socket is ready for what it wants, until it wants nothing. When the server is silent
/// for `response_timeout` the connection is closed.
template <class Advance>
result<void> until_done(connection& line, Advance advance) {
    const auto deadline = std::chrono::steady_clock::now() + line.options().response_timeout;
    for (;;) {
        auto wanted = advance();
        if (!wanted) return wanted.error();
        if (*wanted == need::nothing) return {};
        const duration left = deadline - std::chrono::steady_clock::now();
        const int events = *wanted == need::write            ? POLLOUT
                           : *wanted == need::read_and_write ? POLLIN | POLLOUT
                                                             : POLLIN;
        ::pollfd one{line.socket(), static_cast<short>(events), 0};
        const auto time = as_timespec(left);
        if (left > duration{} && ::ppoll(&one, 1, &time, nullptr) != 0) continue;
        line.close();
        return no_answer();
    }
}

/// A channel of the library's own: a connection in pipeline mode. A batch takes one round trip.
class own_channel {
public:
    own_channel(connection_options options, session_role r) : line{std::move(options)}, role{r} {}

    result<void> send() {
        if (auto begun = line.begin(steps); !begun) return begun;
        return receive();
    }
    result<void> receive() {
        return until_done(line, [this] { return line.advance(); });
    }

    connection line;
    session_role role;
    batch steps{};
    session_info info{};
    command::wake_list later{};  // of the transaction that is open
};

}  // namespace pgq::driver::pq
