#pragma once

#include <pgq/config.hpp>

#if PGQ_HAS_COROUTINES

#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/fsm/worker_action.hpp>
#include <pgq/health/worker_monitor.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/run/asio_step.hpp>
#include <pgq/worker/run/worker_run.hpp>
#include <pgq/worker/session_step.hpp>
#include <pgq/worker/worker_options.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <system_error>
#include <utility>

namespace pgq::detail {

/// One call of async_worker::async_run, on a strand. All of its I/O is asynchronous.
template <class Queue>
class asio_loop {
    using clock = std::chrono::steady_clock;
    using session_type = typename Queue::driver_type::session;

public:
    /// `functions` and `code`: see job_runner.
    asio_loop(Queue& queue, const typename worker_run<Queue>::job_functions* functions, void* code,
              const worker_options& options, worker_monitor& monitor, asio::any_io_executor strand)
        : strand_{std::move(strand)},
          waits_{std::make_shared<waits>(strand_)},
          run_(queue, functions, code, options, false, monitor, [this] { end_pause(); }) {}

    /// A stop request before the worker has registered ends this without an error.
    asio::awaitable<result<void>> work(std::stop_token stop) {
        const std::stop_callback on_stop{stop, [this] { request_stop(); }};
        auto begun = co_await begin(stop);
        if (!begun || !has_begun()) co_return begun;
        for (;;) {
            const auto now = clock::now();
            const auto a = run_.next(now);
            if (a.what == fsm::worker_do::stop) break;
            co_await perform(a, now);
        }
        co_await end();
        co_return begun;
    }

    /// When calls of its sessions return at the latest.
    const call_limit& limit() const noexcept { return run_.limit(); }

private:
    // What end_pause() and request_stop() end. What they post may run after the loop is gone.
    struct waits {
        explicit waits(const asio::any_io_executor& strand) : pause{strand} {}
        asio::steady_timer pause;
        asio::cancellation_signal connecting{};
    };

    bool has_begun() const { return !run_.step_to_begin(); }
    asio::awaitable<result<void>> begin(const std::stop_token& stop) {
        for (const auto first = clock::now();;) {
            auto begun = co_await try_to_begin(stop);
            if (begun) co_return begun;
            const auto delay = run_.begin_failed(begun.error(), first, clock::now());
            if (stop.stop_requested()) co_return result<void>{};
            if (!delay) co_return begun;
            co_await pause(clock::now() + *delay);
        }
    }
    asio::awaitable<result<void>> try_to_begin(const std::stop_token& stop) {
        if (stop.stop_requested()) co_return result<void>{};
        auto opened = co_await open_session(waits_->connecting.slot());
        if (stop.stop_requested()) co_return result<void>{};
        if (!opened) co_return opened.error();
        auto begun = run_.begin(std::move(*opened));
        while (begun && !stop.stop_requested()) {
            const auto step = run_.step_to_begin();
            if (!step) break;
            auto reply = co_await async_execute(*run_.session(), *step);
            begun = run_.begin_with(std::move(reply));
        }
        co_return begun;
    }
    // Nothing blocks in end_threads() after these waits.
    asio::awaitable<void> end() {
        run_.interrupt_handlers();
        while (run_.handlers_run(clock::now())) co_await rest(std::chrono::hours{1});
        co_await until_called(&worker_run<Queue>::when_executor_idle);
        co_await until_called(&worker_run<Queue>::when_heartbeat_ended);
        run_.end_threads();
        step_reply retired = step_value{};
        if (const auto step = run_.step_to_end()) retired = co_await async_execute(*run_.session(), *step);
        run_.ended(retired);
    }

    asio::awaitable<void> perform(fsm::worker_action a, steady_time now) {
        switch (a.what) {
        case fsm::worker_do::sync: return sync(a, now);
        case fsm::worker_do::wait: return wait(a.timeout);
        case fsm::worker_do::pause: return pause(now + a.timeout);
        case fsm::worker_do::run_claimed: return run_claimed();
        case fsm::worker_do::connect: return connect();
        default: return take_steps(a);
        }
    }

    asio::awaitable<void> sync(fsm::worker_action a, steady_time now) {
        std::error_code failed;
        auto& session = *run_.session();
        co_await session.async_sync(run_.request(a, now), run_.reply(),
                                    asio::redirect_error(asio::use_awaitable, failed));
        if (failed) run_.failed(a, async_error(session, failed), clock::now());
        else run_.synced(a, clock::now());
    }

    asio::awaitable<void> wait(duration timeout) {
        std::error_code failed;
        auto& session = *run_.session();
        const auto woken = co_await session.async_wait(timeout, asio::redirect_error(asio::use_awaitable, failed));
        if (failed) run_.broke(async_error(session, failed), clock::now());
        else run_.woken(woken);
    }

    asio::awaitable<void> run_claimed() {
        const auto n = run_.run_claimed();
        run_.ran(n, clock::now());
        co_return;
    }

    // It is not cancelled by a request to stop: the worker may need the connection to acknowledge.
    asio::awaitable<void> connect() {
        auto opened = co_await open_session({});
        if (opened) run_.connected(std::move(*opened));
        else run_.broke(opened.error(), clock::now());
    }
    asio::awaitable<result<session_type>> open_session(asio::cancellation_slot slot) {
        std::error_code failed;
        auto session = co_await async_connect_within(
            run_.driver(), session_role::worker, run_.limit(),
            asio::bind_cancellation_slot(slot, asio::redirect_error(asio::use_awaitable, failed)));
        if (failed) co_return async_error(session, failed);
        co_return std::move(session);
    }

    asio::awaitable<void> take_steps(fsm::worker_action a) {
        for (bool more = true; more;) {
            const session_step step = run_.step(a);
            auto reply = co_await async_execute(*run_.session(), step);
            more = run_.apply(a, std::move(reply), clock::now());
        }
    }

    asio::awaitable<void> rest(duration timeout) {
        return run_.session() != nullptr ? wait(timeout) : pause(clock::now() + timeout);
    }
    asio::awaitable<void> pause(steady_time until) {
        std::error_code ended;
        waits_->pause.expires_at(until);
        co_await waits_->pause.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    }
    // Runs after the present step. The loop reads the signals after each step, so it does not pause after a signal that
    // came before.
    void end_pause() {
        asio::post(strand_, [waits = waits_] { waits->pause.cancel(); });
    }
    void request_stop() {
        run_.request_stop(clock::now());
        asio::post(strand_, [waits = waits_] { waits->connecting.emit(asio::cancellation_type::terminal); });
    }

    // Waits until the run calls back, on whichever thread.
    asio::awaitable<void> until_called(void (worker_run<Queue>::*when_done)(std::function<void()>)) {
        const auto called = std::make_shared<bool>(false);
        (run_.*when_done)([strand = strand_, waits = waits_, called] {
            asio::post(strand, [waits, called] {
                *called = true;
                waits->pause.cancel();
            });
        });
        while (!*called) co_await pause(steady_time::max());
    }

    asio::any_io_executor strand_;
    std::shared_ptr<waits> waits_;
    worker_run<Queue> run_;
};

}  // namespace pgq::detail

#endif  // PGQ_HAS_COROUTINES
