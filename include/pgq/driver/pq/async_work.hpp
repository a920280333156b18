#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/pq/async_core.hpp>
#include <pgq/driver/pq/verbs.hpp>
#include <pgq/driver/pq/wait.hpp>

#include <type_traits>
#include <utility>

/// What the asynchronous operations of a session do, for async_op.
namespace pgq::driver::pq {

/// A verb: its script down the connection, and the answers back. Once it was sent it can only be ended together with the
/// connection, because its answer would be taken for that of the next one.
template <class Verb, class Request, class Reply>
class script_work {
public:
    using value_type = void;
    static constexpr bool any_cancellation = false;

    script_work(async_core& core, const Request& request, Reply& reply)
        : core_{&core}, request_{request}, verb_{request_, reply} {
        if constexpr (std::is_same_v<Request, enqueue_request>) reply.clear();
    }
    script_work(const script_work&) = delete;
    script_work& operator=(const script_work&) = delete;

    duration timeout() const { return core_->line().options().response_timeout; }

    result<need> start() {
        link& line = core_->line();
        core_->steps().clear();
        if constexpr (std::is_same_v<Request, enqueue_request>) {
            if (request_.bodies->empty()) return need::nothing;
            if (auto fine = check_enqueue(request_, line.options().max_payload); !fine) return fine.error();
        }
        verb_.compose(core_->steps(), line);
        if (core_->steps().size() == 0) return need::nothing;
        if (auto begun = line.begin(core_->steps()); !begun) return begun.error();
        return line.proceed();
    }
    result<need> advance() { return core_->line().proceed(); }

    result<void> answer() {
        if constexpr (std::is_same_v<Request, enqueue_request>)
            if (request_.bodies->empty()) return {};
        return verb_.read(core_->steps());
    }
    result<void> timed_out() {
        core_->close();
        return no_answer();
    }
    void abandon() { core_->close(); }

private:
    async_core* core_;
    Request request_;
    Verb verb_;
};

/// Hears notifications, and ends early for an interrupt.
class wait_work {
public:
    using value_type = wake_reason;
    static constexpr bool any_cancellation = true;

    wait_work(async_core& core, duration timeout) : core_{&core}, timeout_{timeout} {}

    duration timeout() const noexcept { return timeout_; }

    result<need> start() {
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
    wake_reason reason_ = wake_reason::timeout;
};

/// Opens the connection of a session, which is handed over with the answer.
template <class Session>
class connect_work {
public:
    using value_type = Session;
    static constexpr bool any_cancellation = true;

    connect_work(async_core& core, Session session) : core_{&core}, session_{std::move(session)} {}

    duration timeout() const { return core_->line().options().response_timeout; }

    result<need> start() {
        if (auto started = core_->line().start(); !started) return started.error();
        // That socket is not to be read before libpq has seen it writable.
        return need::write;
    }
    result<need> advance() {
        core_->forget_socket();
        return core_->line().advance();
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
};

}  // namespace pgq::driver::pq
