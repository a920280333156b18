#pragma once

#include <pgq/diagnostic/calls.hpp>
#include <pgq/diagnostic/handlers.hpp>
#include <pgq/diagnostic/schedules.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/client/queue_part.hpp>
#include <pgq/compose/served_jobs.hpp>
#include <pgq/config.hpp>
#include <pgq/handler/handler_set.hpp>
#include <pgq/handler/handler_table.hpp>
#include <pgq/health/worker_health.hpp>
#include <pgq/health/worker_monitor.hpp>
#include <pgq/queue.hpp>
#include <pgq/schedule/worker_schedules.hpp>
#include <pgq/worker/run/asio_event.hpp>
#include <pgq/worker/run/asio_loop.hpp>
#include <pgq/worker/run/asio_step.hpp>
#include <pgq/worker/worker_options.hpp>
#include <pgq/worker/worker_registration.hpp>

#if PGQ_HAS_COROUTINES

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/co_spawn.hpp>
#include <asio/strand.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>

namespace pgq {

/// The worker for Asio: `async_worker w{jobs, handler...}; co_await w.async_run(asio::use_awaitable);`
///
/// It takes the handlers and options of `worker` and does the same; see there. The queue's driver is one of
/// pgq/asio.hpp. Everything that the worker asks the server is asked on that driver's executor, without blocking it.
/// One thread of the executor is enough. Only the heartbeat has a thread of its own, and the schedules, if a job type
/// has one.
///
/// Handlers run where the queue's executor says: with executor::coroutine{context.get_executor()} on that context.
template <class Queue, class... Handlers>
class async_worker {
    using composition = typename Queue::composition_type;
    using handlers_type = basic_handler_set<composition, detail::served_jobs_t<Queue>, Handlers...>;
    using has_sessions = diagnostic::require_worker_session<typename composition::driver>;
    static_assert(sizeof(has_sessions) != 0);
    using has_async_sessions =
        diagnostic::require_async_worker_session<typename composition::driver, detail::async_step_token>;
    using has_queue = diagnostic::require_mutable_queue<Queue>;
    static_assert(sizeof(has_queue) != 0);
    using scheduled_jobs = detail::scheduled_jobs_t<Queue>;
    using can_fire = diagnostic::require_schedules_for<typename composition::driver, scheduled_jobs>;
    static_assert(sizeof(can_fire) != 0);

public:
    async_worker(Queue& queue, worker_options options, Handlers... handlers)
        : core_{queue.shared_core()}, options_{options}, handlers_{std::move(handlers)...} {}
    async_worker(Queue& queue, Handlers... handlers) : async_worker{queue, worker_options{}, std::move(handlers)...} {}

    async_worker(Queue&& queue, Handlers... handlers) : async_worker{queue, worker_options{}, std::move(handlers)...} {}
    async_worker(Queue&& queue, worker_options options, Handlers... handlers)
        : async_worker{queue, options, std::move(handlers)...} {}

    /// Works as worker::run does; void(std::error_code). Its errors are those that keep it from starting.
    ///
    /// Cancelling it, in whichever way, is a request to stop: the worker gives back what has not started, waits for
    /// what runs within the grace time, and then this completes without an error. A request that comes before the
    /// worker has registered also ends the attempt to connect. A statement that is under way goes on for at most the
    /// grace time and a second.
    ///
    /// This must complete before the worker is destroyed. The context may be destroyed earlier, but not while a handler
    /// runs.
    template <asio::completion_token_for<void(std::error_code)> Token>
    auto async_run(Token&& token) {
        if constexpr (diagnostic::require_async<typename Queue::driver_type>())
            if constexpr (has_async_sessions())
                return asio::async_initiate<Token, void(std::error_code)>(
                    [this](auto handler) { this->start(std::move(handler)); }, token);
    }

    /// Ends the run there is, as cancelling it does. From any thread.
    void stop() {
        const std::lock_guard lock{mutex_};
        stop_.request_stop();
    }

    /// Why the latest run failed, in full.
    const error_info& last_error() const noexcept { return last_error_; }

    /// How the worker is now: its connection, its last heartbeat, its oldest handler. Any thread may call it at any
    /// time; it takes about a microsecond and waits for nothing.
    worker_health health() const noexcept { return monitor_.read(std::chrono::steady_clock::now()); }
    /// health().is_healthy(): it runs and is connected, and its last heartbeat is younger than its lease time.
    bool is_healthy() const noexcept { return health().is_healthy(); }

private:
    template <class Handler>
    void start(Handler handler) {
        const auto mine = renew_stop();
        const auto executor = asio::get_associated_executor(handler, core_->connection.driver().get_executor());
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
            slot.assign([source = mine](asio::cancellation_type_t) mutable { source.request_stop(); });
        const auto strand = asio::make_strand(core_->connection.driver().get_executor());
        auto ended = [handler = std::move(handler)](const std::exception_ptr& thrown, std::error_code code) mutable {
            if (thrown) std::rethrow_exception(thrown);
            std::move(handler)(code);
        };
        asio::co_spawn(strand, run(strand, mine.get_token()), asio::bind_executor(executor, std::move(ended)));
    }

    asio::awaitable<std::error_code> run(asio::any_io_executor strand, std::stop_token stop) {
        result<void> outcome = errc::invalid_option;
        if constexpr (handlers_type::valid && has_sessions() && has_queue() && can_fire()) {
            outcome = detail::check(options_);
            if (outcome) outcome = co_await begin(std::move(strand), std::move(stop));
        }
        last_error_ = outcome.error();
        co_return outcome ? std::error_code{} : last_error_.code;
    }

    asio::awaitable<result<void>> begin(asio::any_io_executor strand, std::stop_token stop) {
        try {
            if constexpr (scheduled_jobs::size == 0) co_return co_await work(std::move(strand), std::move(stop));
            else co_return co_await work_on_schedule(std::move(strand), std::move(stop));
        } catch (const std::system_error& e) {  // a thread cannot be created
            co_return error_info{e.code(), e.what()};
        }
    }

    // A thread stores the schedules and then fires, so nothing blocks the strand.
    asio::awaitable<result<void>> work_on_schedule(asio::any_io_executor strand, std::stop_token stop) {
        detail::worker_schedules<composition> schedules{*core_, scheduled_jobs{}, options_, stop};
        const auto stored = std::make_shared<detail::asio_event>(strand),
                   ended = std::make_shared<detail::asio_event>(strand);
        result<void> begun;
        std::jthread fires{[&](const std::stop_token& worker_ended) {
            const std::stop_callback on_end{worker_ended, [&] { schedules.end(); }};
            begun = schedules.begin();
            const bool is_stored = begun.has_value();
            stored->set();
            if (is_stored) schedules.fire_ticks();
            ended->set();
        }};
        const detail::give_up_events no_more{*stored, *ended};
        co_await stored->wait();
        result<void> outcome = begun;
        if (begun) outcome = co_await work(strand, stop);
        else if (stop.stop_requested()) outcome = result<void>{};
        fires.request_stop();
        co_await ended->wait();
        co_return outcome;
    }

    asio::awaitable<result<void>> work(asio::any_io_executor strand, std::stop_token stop) {
        Queue queue{core_};
        detail::handler_table<composition, handlers_type> code{handlers_, queue, options_.shared};
        detail::asio_loop<Queue> now{queue, code.functions.data(), &code, options_, monitor_, std::move(strand)};
        code.obey(now.limit());
        co_return co_await now.work(std::move(stop));
    }

    std::stop_source renew_stop() {
        const std::lock_guard lock{mutex_};
        return stop_ = std::stop_source{};
    }

    std::shared_ptr<detail::queue_core<composition>> core_;
    worker_options options_;
    handlers_type handlers_;
    std::mutex mutex_;  // for stop_
    std::stop_source stop_;
    error_info last_error_{};
    detail::worker_monitor monitor_;
};

template <class Queue, class... Handlers>
async_worker(Queue&, worker_options, Handlers...) -> async_worker<Queue, Handlers...>;
template <class Queue, class... Handlers>
async_worker(Queue&, Handlers...) -> async_worker<Queue, Handlers...>;

}  // namespace pgq

#endif  // PGQ_HAS_COROUTINES
