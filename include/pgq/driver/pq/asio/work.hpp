#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/detail/unit_random.hpp>
#include <pgq/driver/pq/asio/core.hpp>
#include <pgq/driver/pq/command/execution.hpp>
#include <pgq/driver/pq/session/call_time.hpp>
#include <pgq/driver/pq/session/channel_opening.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>

/// What the asynchronous operations of a session do, for async_op.
namespace pgq::driver::pq {

template <class Result>
struct command_value;
template <class T>
struct command_value<result<T>> {
    using type = T;
};

/// A command: its batches down the connection, and their answers. Once a batch was sent, the command can only be ended
/// together with the connection, because its answers would be taken for those of the next one.
template <class Command>
class command_work {
    using result_type = typename command::execution<Command>::result_type;

public:
    using value_type = typename command_value<result_type>::type;
    static constexpr bool any_cancellation = false;

    command_work(async_core& core, Command c)
        : core_{&core},
          command_{std::move(c)},
          run_{command_, core.channel().steps, core.channel().info, core.channel().later} {}
    command_work(const command_work&) = delete;
    command_work& operator=(const command_work&) = delete;

    steady_time ends() const noexcept { return time_->ends(); }
    steady_time check(steady_time now) {
        const steady_time next = time_->check(now);
        return send_at_ ? std::min(next, *send_at_) : next;
    }

    result<need> start(steady_time now) {
        time_.emplace(core_->line(), core_->channel().limit, now);
        return send(run_.begin());
    }
    result<need> advance() {
        if (send_at_) return send(true);
        auto wanted = answered();
        if (!wanted) return ended_by(std::move(wanted.error()));
        return *wanted == need::nothing ? send(run_.next()) : wanted;
    }
    result_type answer() { return run_.answer(); }
    result_type timed_out() {
        core_->close();
        run_.failed(no_answer());
        return run_.answer();
    }
    void abandon() { core_->close(); }
    static value_type nothing() requires(!std::is_void_v<value_type>) { return {}; }

private:
    result<need> answered() {
        auto wanted = core_->line().advance();
        if (!wanted || *wanted != need::nothing || is_settled(core_->line(), core_->channel().steps)) return wanted;
        return need::read;  // all has come; the request to cancel is still under way
    }
    // Rounds follow each other without a wait, as long as their answers are there.
    result<need> send(bool more) {
        while (more) {
            if (is_pausing()) return need::read;
            if (auto begun = core_->line().begin(core_->channel().steps); !begun)
                return ended_by(std::move(begun.error()));
            auto wanted = answered();
            if (!wanted) return ended_by(std::move(wanted.error()));
            if (*wanted != need::nothing) return wanted;
            more = run_.next();
        }
        return need::nothing;
    }
    // The pause before a command is sent again. The server sends nothing during it.
    bool is_pausing() {
        if (!send_at_ && !run_.repeats()) return false;
        const auto now = std::chrono::steady_clock::now();
        if (send_at_) return now < *send_at_ || (send_at_.reset(), false);
        send_at_ = now + run_.pause(pgq::detail::unit_random());
        return true;
    }
    // A connection that breaks while others are woken has done what it was asked to.
    result<need> ended_by(error_info e) {
        run_.failed(std::move(e));
        return need::nothing;
    }

    async_core* core_;
    Command command_;
    command::execution<Command> run_;
    std::optional<call_time> time_{};
    std::optional<steady_time> send_at_{};
};

/// Waits for notifications, and ends early for an interrupt.
class wait_work {
public:
    using value_type = wake_reason;
    static constexpr bool any_cancellation = true;

    wait_work(async_core& core, duration timeout) : core_{&core}, timeout_{timeout} {}

    steady_time ends() const noexcept { return ends_; }
    steady_time check(steady_time) const noexcept { return ends_; }

    result<need> start(steady_time now) {
        ends_ = now + std::clamp<duration>(timeout_, duration{}, std::chrono::hours{24 * 365});
        core_->waiting(true);
        return advance();
    }
    result<need> advance() {
        PGconn* c = core_->line().get();
        if (PQconsumeInput(c) == 0) return over(connection_error(c, "wait"));
        if (core_->line().take_notified()) reason_ = wake_reason::notified;
        else if (core_->took_interrupt()) reason_ = wake_reason::interrupted;
        else return need::read;
        return over(need::nothing);
    }

    result<wake_reason> answer() const { return reason_; }
    result<wake_reason> timed_out() {
        core_->waiting(false);
        return wake_reason::timeout;
    }
    void abandon() { core_->waiting(false); }
    static wake_reason nothing() noexcept { return wake_reason::timeout; }

private:
    result<need> over(result<need> how) {
        core_->waiting(false);
        return how;
    }

    async_core* core_;
    duration timeout_;
    steady_time ends_{};
    wake_reason reason_ = wake_reason::timeout;
};

/// Opens the connection of a session. The session itself is the value of the operation.
template <class Session>
class connect_work {
public:
    using value_type = Session;
    static constexpr bool any_cancellation = true;

    connect_work(async_core& core, Session session)
        : core_{&core}, session_{std::move(session)}, opening_{core.channel()} {}

    steady_time ends() const noexcept { return opening_.ends(); }
    steady_time check(steady_time now) { return opening_.check(now); }

    result<need> start(steady_time now) { return opening_.start(now); }
    result<need> advance() {
        core_->forget_socket();
        auto wanted = opening_.advance(std::chrono::steady_clock::now());
        const bool answered = wanted && *wanted == need::nothing;
        if (answered && !is_settled(core_->line(), core_->channel().steps)) return need::read;
        return wanted;
    }

    result<Session> answer() { return std::move(session_); }
    Session nothing() { return std::move(session_); }
    result<Session> timed_out() {
        core_->close();
        return no_answer();
    }
    void abandon() { core_->close(); }

private:
    async_core* core_;
    Session session_;
    channel_opening opening_;
};

}  // namespace pgq::driver::pq
