#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/connection.hpp>
#include <pgq/error/errc.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/error/sqlstate.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace pgq::driver::pq {

/// An answer that comes later must not be taken for that of another statement: the session that gets this closes the
/// connection.
inline error_info no_answer() {
    return {errc::connection_lost, "the server did not answer in time",
            "is it overloaded, the network cut, or default_pool_size of a pooler too small? response_timeout says how "
            "long to wait"};
}

/// The time that the server has for an answer. In the last quarter of it, and the last second at most, the statement is
/// cancelled: a session that is given up while its statement waits for a lock would stay at the server.
class call_time {
public:
    call_time(connection& line, const call_limit* limit, steady_time begun) noexcept
        : call_time{line, limit, begun, line.options().response_timeout} {}
    /// `time` instead of `response_timeout`.
    call_time(connection& line, const call_limit* limit, steady_time begun, duration time) noexcept
        : line_{&line},
          limit_{limit},
          begun_{begun},
          deadline_{begun + std::clamp<duration>(time, duration{}, std::chrono::hours{24 * 365})} {}

    /// Then the connection is closed.
    steady_time ends() const noexcept { return limit_ == nullptr ? deadline_ : limit_->bound(deadline_, begun_); }

    /// Cancels if it is time to. Returns when to call this again.
    steady_time check(steady_time now) {
        const steady_time end = ends();
        const steady_time cancel = end - std::min<duration>(std::chrono::seconds{1}, (end - begun_) / 4);
        if (now >= cancel) line_->cancel();
        steady_time next = now >= cancel ? end : cancel;
        if (line_->is_cancelling()) next = std::min<steady_time>(next, now + std::chrono::milliseconds{10});
        return limit_ == nullptr ? next : std::min<steady_time>(next, now + call_limit::check_every);
    }

private:
    connection* line_;
    const call_limit* limit_;
    steady_time begun_;
    steady_time deadline_;
};

/// Says of an error that it is our own request to cancel, if it is.
inline void explain_cancel(error_info& e) {
    if (e.code != make_sqlstate("57014")) return;
    e.message = "the server did not answer in time, and the statement was cancelled";
    e.hint = "does it wait for a lock, or is the server overloaded? response_timeout says how long to wait";
}

/// Whether the answers of a batch, which have all come, can be read and the connection used again. Not yet while a
/// request to cancel is under way.
inline bool is_settled(connection& line, batch& steps) {
    if (!line.was_cancelled()) return true;
    if (line.is_cancelling()) return false;
    line.forget_cancel();
    for (std::size_t i = 0; i < steps.size(); ++i)
        if (steps[i].error) explain_cancel(*steps[i].error);
    return true;
}

}  // namespace pgq::driver::pq
