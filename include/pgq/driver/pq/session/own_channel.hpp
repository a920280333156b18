#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/connection.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/driver/pq/session/call_time.hpp>
#include <pgq/driver/pq/session/socket_wait.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <utility>

namespace pgq::driver::pq {

/// A channel of the library's own: a connection in pipeline mode. A batch takes one round trip.
class own_channel {
public:
    /// `l`: see call_limit. It may be null, and outlives this.
    own_channel(connection_options options, session_role r, const call_limit* l = nullptr)
        : line{std::move(options)}, role{r}, limit{l} {}

    own_channel(const own_channel&) = delete;
    own_channel& operator=(const own_channel&) = delete;
    /// A wake that is not answered yet is waited for, but not for long: closing must not lose it, and a pooler closes
    /// its connection to the server if the client leaves in the middle of a statement.
    ~own_channel() {
        const auto until = std::chrono::steady_clock::now() + longest_close;
        while (line.owes_unawaited()) {
            const auto wanted = line.settle();
            const auto now = std::chrono::steady_clock::now();
            if (!wanted || *wanted == need::nothing || now >= until) return;
            wait_for(line.socket(), *wanted, until - now);
        }
    }

    result<void> send() {
        if (auto begun = line.begin(steps); !begun) return begun;
        return receive();
    }
    void pause(duration d) const { pause_for(d); }
    result<void> receive() {
        return until_done([this] { return line.advance(); });
    }
    /// Waits until the server has answered everything. Leaving the pipeline mode needs that.
    result<void> settle() {
        return until_done([this] { return line.settle(); });
    }

    /// Calls `advance` whenever the socket is ready for what it wants, until it wants nothing. When `time` is over the
    /// connection is closed.
    template <class Advance, class Time>
    result<void> until_done(Advance advance, Time& time) {
        for (;;) {
            auto wanted = advance();
            if (!wanted) return wanted.error();
            if (*wanted == need::nothing && is_settled(line, steps)) return {};
            const auto now = std::chrono::steady_clock::now();
            if (now < time.ends()) {
                wait_for(line.socket(), *wanted, time.check(now) - now);
                continue;
            }
            line.close();
            return *wanted == need::nothing ? result<void>{} : result<void>{no_answer()};
        }
    }
    /// The same within `response_timeout`.
    template <class Advance>
    result<void> until_done(Advance advance) {
        call_time time{line, limit, std::chrono::steady_clock::now()};
        return until_done(advance, time);
    }

    static constexpr std::chrono::milliseconds longest_close{250};

    connection line;
    session_role role;
    const call_limit* limit;
    batch steps{};
    session_info info{};
    command::wake_list later{};  // of the transaction that is open
};

}  // namespace pgq::driver::pq
