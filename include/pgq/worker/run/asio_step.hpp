#pragma once

#include <pgq/config.hpp>

#if PGQ_HAS_COROUTINES

#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/worker/session_step.hpp>

#include <asio/awaitable.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

namespace pgq::detail {

/// The completion token of each step of a worker.
using async_step_token = asio::redirect_error_t<asio::use_awaitable_t<>>;

/// Why the latest asynchronous operation of a session failed: in full if the session knows that, or else the code.
template <class Session>
error_info async_error(Session& session, std::error_code code) {
    if constexpr (requires { session.last_error(); }) return session.last_error();
    else return error_info{code};
}

template <class Session, class Step>
asio::awaitable<step_reply> async_execute_one(Session& session, const Step& step) {
    std::error_code failed;
    const async_step_token token{asio::use_awaitable, failed};
    auto operation = step.async_execute(session, token);
    if constexpr (std::is_void_v<typename decltype(operation)::value_type>) {
        co_await std::move(operation);
        if (failed) co_return async_error(session, failed);
        co_return step_value{};
    } else {
        auto value = co_await std::move(operation);
        if (failed) co_return async_error(session, failed);
        co_return step_value{std::move(value)};
    }
}
template <class Session>
    requires(!can_find_problems<Session>)
asio::awaitable<step_reply> async_execute_one(Session&, const steps::find_problems&) { co_return step_value{}; }

/// As execute(), without blocking. The step must live until the completion.
template <class Session>
asio::awaitable<step_reply> async_execute(Session& session, const session_step& step) {
    return std::visit([&](const auto& one) { return async_execute_one(session, one); }, step);
}

}  // namespace pgq::detail

#endif  // PGQ_HAS_COROUTINES
