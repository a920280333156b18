#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/cancel_request.hpp>
#include <pgq/driver/pq/connection/execute.hpp>
#include <pgq/driver/pq/connection/single_statement.hpp>
#include <pgq/driver/pq/session/call_time.hpp>
#include <pgq/driver/pq/session/socket_wait.hpp>
#include <pgq/time/clock.hpp>

#include <libpq-fe.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace pgq::driver::pq {

/// A connection of the caller's in non-blocking mode, until the destructor.
class nonblocking_mode {
public:
    explicit nonblocking_mode(PGconn* c) noexcept : connection_{c}, was_blocking_{PQisnonblocking(c) == 0} {
        if (was_blocking_) (void)PQsetnonblocking(connection_, 1);
    }
    nonblocking_mode(const nonblocking_mode&) = delete;
    nonblocking_mode& operator=(const nonblocking_mode&) = delete;
    ~nonblocking_mode() {
        if (was_blocking_) (void)PQsetnonblocking(connection_, 0);
    }

private:
    PGconn* connection_;
    bool was_blocking_;
};

namespace detail {

/// Waits for the answer. In the last quarter of the time, and the last second at most, the statement is cancelled.
inline result<result_ptr> answer_until(PGconn* c, const char* name, steady_time end, cancel_request& cancel) {
    const auto begun = std::chrono::steady_clock::now();
    const steady_time cancel_at = end - std::min<duration>(std::chrono::seconds{1}, (end - begun) / 4);
    single_statement answer;
    for (;;) {
        const auto wanted = answer.advance(c, name);
        if (!wanted) return wanted.error();
        if (*wanted == need::nothing && cancel.is_over()) return answer.take();
        const auto now = std::chrono::steady_clock::now();
        if (now >= end) {
            // An answer that comes later must not be taken for that of another statement.
            (void)::shutdown(PQsocket(c), SHUT_RDWR);
            (void)PQconsumeInput(c);  // libpq notices
            if (*wanted == need::nothing) return answer.take();
            error_info e = no_answer();
            e.statement = name;
            return e;
        }
        if (now >= cancel_at) cancel.send(c);
        const steady_time next = now < cancel_at    ? cancel_at
                                 : cancel.is_over() ? end
                                                    : std::min<steady_time>(end, now + std::chrono::milliseconds{10});
        wait_for(PQsocket(c), *wanted, next - now);
    }
}

}  // namespace detail

/// As `execute`, but not for longer than until `end`: then the connection is shut down, and errc::connection_lost is
/// the answer. `PQreset` makes it usable again.
inline void execute_until(PGconn* c, step& s, std::string_view schema, steady_time end) {
    if (end == steady_time::max() || PQpipelineStatus(c) != PQ_PIPELINE_OFF) return execute(c, s, schema);
    cancel_request cancel;
    const nonblocking_mode here{c};
    if (send_execute(c, s, schema) != 1) return read_executed(c, s, {});
    auto came = detail::answer_until(c, s.query->name, end, cancel);
    if (!came) return void(s.error = std::move(came.error()));
    read_executed(c, s, std::move(*came));
    if (s.error && cancel.was_sent()) explain_cancel(*s.error);
}

}  // namespace pgq::driver::pq
