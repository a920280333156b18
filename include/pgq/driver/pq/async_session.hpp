#pragma once

#include <pgq/driver/pq/async_op.hpp>
#include <pgq/driver/pq/async_work.hpp>
#include <pgq/driver/pq/session.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/compose.hpp>

#include <memory>
#include <system_error>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// A session with asynchronous verbs besides the blocking ones, on one connection.
///
/// One operation at a time, of either kind; the session is not destroyed before that has completed. What a request points to
/// and the reply live until the completion; the request itself is copied. Handlers are called on their own executor, or else on
/// the driver's, never inside the initiating function.
///
/// Errors come as codes, `last_error()` has the rest. Cancelled, `async_exchange` and `async_enqueue` end with
/// asio::error::operation_aborted and leave the session closed and what they asked for in doubt, because the answer may
/// still come; therefore they accept terminal cancellation only. `async_wait` and `async_connect` accept all kinds and leave
/// everything as it was.
class async_session : public session {
public:
    /// No session yet: to be assigned to, and nothing else.
    async_session() = default;

    static result<async_session> open(const asio::any_io_executor& executor, const connection_options& options,
                                      session_role role) {
        async_session s{executor, options, role};
        if (auto connected = s.connect(); !connected) return connected.error();
        return s;
    }
    template <asio::completion_token_for<void(std::error_code, async_session)> Token>
    static auto async_open(const asio::any_io_executor& executor, const connection_options& options, session_role role,
                           Token&& token) {
        async_session s{executor, options, role};
        const auto core = s.core_;
        return compose<connect_work<async_session>, void(std::error_code, async_session)>(token, core, std::move(s));
    }

    template <asio::completion_token_for<void(std::error_code)> Token>
    auto async_exchange(const exchange_request& request, exchange_reply& reply, Token&& token) {
        using work = script_work<exchange_verb, exchange_request, exchange_reply>;
        return compose<work, void(std::error_code)>(token, core_, request, reply);
    }

    template <asio::completion_token_for<void(std::error_code)> Token>
    auto async_enqueue(const enqueue_request& request, std::vector<job_id>& ids, Token&& token) {
        using work = script_work<enqueue_verb, enqueue_request, std::vector<job_id>>;
        return compose<work, void(std::error_code)>(token, core_, request, ids);
    }

    template <asio::completion_token_for<void(std::error_code, wake_reason)> Token>
    auto async_wait(duration timeout, Token&& token) {
        return compose<wait_work, void(std::error_code, wake_reason)>(token, core_, timeout);
    }

    template <asio::completion_token_for<void(std::error_code)> Token>
    auto async_lanes(const lanes_request& request, std::vector<lane_id>& found, Token&& token) {
        using work = script_work<lanes_verb, lanes_request, std::vector<lane_id>>;
        return compose<work, void(std::error_code)>(token, core_, request, found);
    }

    /// From any thread; ends a wait of either kind.
    void interrupt() noexcept { core_->interrupt(); }

    /// Why the latest asynchronous operation that failed did. For its handler. Also when that was async_connect: the session that
    /// comes with its error can tell this and nothing else.
    error_info last_error() const { return core_ ? core_->last_error : error_info{}; }

private:
    async_session(const asio::any_io_executor& executor, const connection_options& options, session_role role)
        : session{options, role}, core_{std::make_shared<async_core>(executor, line(), wake())} {}

    template <class Work, class Signature, class Token, class... Args>
    static auto compose(Token& token, std::shared_ptr<async_core> core, Args&&... args) {
        auto work = std::make_unique<Work>(*core, std::forward<Args>(args)...);
        const auto executor = core->executor();
        return asio::async_compose<Token, Signature>(async_op<Work>{std::move(core), std::move(work)}, token, executor);
    }

    std::shared_ptr<async_core> core_;
};

}  // namespace pgq::driver::pq
