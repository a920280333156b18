#pragma once

#include <pgq/config.hpp>

#if PGQ_HAS_COROUTINES

#include <pgq/error/result.hpp>
#include <pgq/fsm/worker_action.hpp>
#include <pgq/worker/session_step.hpp>
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
#include <optional>
#include <stop_token>
#include <system_error>
#include <type_traits>
#include <utility>

namespace pgq::detail {

/// One call of async_worker::async_run, on a strand. Exchanges and waits are asynchronous. Steps that block have a
/// thread of their own; only their I/O is done there.
template <class Queue>
class asio_loop {
    using clock = std::chrono::steady_clock;
    using session_type = typename Queue::driver_type::session;

public:
    /// `functions` and `code`: see job_runner.
    asio_loop(Queue& queue, const typename worker_run<Queue>::job_functions* functions, void* code,
              const worker_options& options, asio::any_io_executor strand)
        : strand_{std::move(strand)},
          pause_{std::make_shared<asio::steady_timer>(strand_)},
          run_(queue, functions, code, options, false, [this] { end_pause(); }) {}

    asio::awaitable<result<void>> work(std::stop_token stop) {
        result<void> begun;
        co_await on_thread([this, &begun] { begun = run_.begin(); });
        if (!begun) co_return begun;
        const std::stop_callback on_stop{stop, [this] { run_.request_stop(); }};
        for (;;) {
            const auto now = clock::now();
            const auto a = run_.next(now);
            if (a.what == fsm::worker_do::stop) break;
            co_await perform(a, now);
        }
        co_await on_thread([this] { run_.end(); });
        co_return begun;
    }

private:
    asio::awaitable<void> perform(fsm::worker_action a, steady_time now) {
        switch (a.what) {
        case fsm::worker_do::sync: return sync(a, now);
        case fsm::worker_do::wait: return wait(a.timeout);
        case fsm::worker_do::pause: return pause(now + a.timeout);
        case fsm::worker_do::run_claimed: return run_claimed();
        case fsm::worker_do::connect: return connect();
        default: return step(a);
        }
    }

    asio::awaitable<void> sync(fsm::worker_action a, steady_time now) {
        std::error_code failed;
        auto& session = *run_.session();
        co_await session.async_sync(run_.request(a, now), run_.reply(),
                                    asio::redirect_error(asio::use_awaitable, failed));
        if (failed) run_.failed(a, why(session, failed), clock::now());
        else run_.exchanged(a, clock::now());
    }

    asio::awaitable<void> wait(duration timeout) {
        std::error_code failed;
        auto& session = *run_.session();
        const auto woken = co_await session.async_wait(timeout, asio::redirect_error(asio::use_awaitable, failed));
        if (failed) run_.broke(why(session, failed), clock::now());
        else run_.woken(woken);
    }

    asio::awaitable<void> run_claimed() {
        const auto n = run_.run_claimed();
        run_.ran(n, clock::now());
        co_return;
    }

    asio::awaitable<void> connect() {
        std::optional<result<session_type>> opened;
        co_await on_thread([this, &opened] { opened.emplace(run_.open_session()); });
        if (*opened) run_.connected(std::move(**opened));
        else run_.broke(opened->error(), clock::now());
    }

    asio::awaitable<void> step(fsm::worker_action a) {
        const session_step request = run_.step(a);
        std::optional<step_reply> reply;
        co_await on_thread([this, &request, &reply] { reply.emplace(execute(*run_.session(), request)); });
        run_.apply(a, std::move(*reply), clock::now());
    }

    asio::awaitable<void> pause(steady_time until) {
        std::error_code ended;
        pause_->expires_at(until);
        co_await pause_->async_wait(asio::redirect_error(asio::use_awaitable, ended));
    }
    // It is posted behind the step that is under way; each step is followed by a look at the signals before the next
    // pause.
    void end_pause() {
        asio::post(strand_, [timer = pause_] { timer->cancel(); });
    }

    template <class Call>
    asio::awaitable<void> on_thread(Call call) {
        static_assert(std::is_trivially_destructible_v<Call>);  // GCC 12 would destroy it twice
        auto done = asio::co_spawn(thread_.get_executor(), run_call(call), asio::use_awaitable);
        co_await std::move(done);
    }
    template <class Call>
    static asio::awaitable<void> run_call(Call call) {
        call();
        co_return;
    }

    static error_info why(session_type& session, std::error_code code) {
        if constexpr (requires { session.last_error(); }) return session.last_error();
        else return error_info{code};
    }

    asio::any_io_executor strand_;
    std::shared_ptr<asio::steady_timer> pause_;
    asio::thread_pool thread_{1};
    worker_run<Queue> run_;
};

}  // namespace pgq::detail

#endif  // PGQ_HAS_COROUTINES
