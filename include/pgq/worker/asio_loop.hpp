#pragma once

#include <pgq/config.hpp>

#if PGQ_HAS_COROUTINES

#include <pgq/error/result.hpp>
#include <pgq/fsm/worker.hpp>
#include <pgq/worker/worker_options.hpp>
#include <pgq/worker/worker_run.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <memory>
#include <stop_token>
#include <system_error>
#include <type_traits>
#include <utility>

namespace pgq::detail {

/// One call of async_worker::async_run, on a strand. What blocks has a thread beside it.
template <class Queue>
class asio_loop {
    using session_type = typename Queue::driver_type::session;

public:
    /// `functions` and `code` as for the runner.
    asio_loop(Queue& queue, const typename worker_run<Queue>::job_functions* functions, void* code,
              const worker_options& options, asio::any_io_executor strand)
        : strand_{std::move(strand)}, pause_{std::make_shared<asio::steady_timer>(strand_)}, shift_{queue,
                                                                                                    functions,
                                                                                                    code,
                                                                                                    options,
                                                                                                    false,
                                                                                                    [this] { end_pause(); }} {}

    asio::awaitable<result<void>> work(std::stop_token stop) {
        auto begun = co_await aside([this] { return shift_.begin(); });
        if (!begun) co_return begun;
        const std::stop_callback on_stop{stop, [this] { shift_.ask_to_stop(); }};
        while (!shift_.is_hopeless()) {
            if (shift_.needs_recovery()) co_await aside([this] { shift_.recover(); });
            const auto a = shift_.next();
            if (a.what == fsm::worker_do::stop) break;
            co_await step(a);
        }
        co_await aside([this] { shift_.end(); });
        co_return begun;
    }

private:
    asio::awaitable<void> step(fsm::worker_action a) {
        const bool connected = shift_.session() != nullptr;
        switch (a.what) {
        case fsm::worker_do::exchange: return connected ? exchange(a) : pause(a_second);
        case fsm::worker_do::wait: return connected ? wait(a.timeout) : pause(a.timeout);
        case fsm::worker_do::count_deferred: return connected ? perform(a) : pause(a_second);
        default: return perform(a);
        }
    }

    asio::awaitable<void> exchange(fsm::worker_action a) {
        std::error_code failed;
        auto& session = *shift_.session();
        co_await session.async_exchange(shift_.request(a), shift_.reply(),
                                        asio::redirect_error(asio::use_awaitable, failed));
        if (failed) shift_.failed(a, why(session, failed));
        else shift_.exchanged(a);
    }

    asio::awaitable<void> wait(duration timeout) {
        std::error_code failed;
        auto& session = *shift_.session();
        const auto woken = co_await session.async_wait(timeout, asio::redirect_error(asio::use_awaitable, failed));
        if (failed) shift_.drop(why(session, failed));
        else shift_.woken(woken);
    }

    asio::awaitable<void> perform(fsm::worker_action a) {
        co_await aside([this, a] { shift_.perform(a); });
    }

    asio::awaitable<void> pause(duration longest) {
        std::error_code ended;
        pause_->expires_at(shift_.pause_until(longest));
        co_await pause_->async_wait(asio::redirect_error(asio::use_awaitable, ended));
    }
    // What wakes us is on the strand behind the step that is going on, and each step looks around before it pauses.
    void end_pause() {
        asio::post(strand_, [timer = pause_] { timer->cancel(); });
    }

    // Calls what blocks on the other thread.
    template <class Call>
    asio::awaitable<std::invoke_result_t<Call>> aside(Call call) {
        static_assert(std::is_trivially_destructible_v<Call>);  // GCC 12 would destroy it twice
        auto done = asio::co_spawn(aside_.get_executor(), run_call(call), asio::use_awaitable);
        co_return co_await std::move(done);
    }
    template <class Call>
    static asio::awaitable<std::invoke_result_t<Call>> run_call(Call call) {
        co_return call();
    }

    static error_info why(session_type& session, std::error_code code) {
        if constexpr (requires { session.last_error(); }) return session.last_error();
        else return error_info{code};
    }

    static constexpr std::chrono::seconds a_second{1};

    asio::any_io_executor strand_;
    std::shared_ptr<asio::steady_timer> pause_;
    asio::thread_pool aside_{1};
    worker_run<Queue> shift_;
};

}  // namespace pgq::detail

#endif  // PGQ_HAS_COROUTINES
