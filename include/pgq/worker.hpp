#pragma once

#include <pgq/diagnostic/calls.hpp>
#include <pgq/diagnostic/handlers.hpp>
#include <pgq/diagnostic/schedules.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/client/queue_part.hpp>
#include <pgq/compose/served_jobs.hpp>
#include <pgq/handler/handler_set.hpp>
#include <pgq/handler/handler_table.hpp>
#include <pgq/health/worker_health.hpp>
#include <pgq/health/worker_monitor.hpp>
#include <pgq/queue.hpp>
#include <pgq/schedule/worker_schedules.hpp>
#include <pgq/worker/run/blocking_loop.hpp>
#include <pgq/worker/worker_options.hpp>
#include <pgq/worker/worker_registration.hpp>

#include <chrono>
#include <memory>
#include <stop_token>
#include <system_error>
#include <utility>

namespace pgq {

/// Claims jobs of a queue, runs their handlers and acknowledges: `worker w{jobs, handler...}; w.run(stop);`
///
/// One handler for each job of the queue, or of the part that `serving` names:
///
/// - `(const Job&)` or `(const Job&, context&)`. It returns nothing, an outcome (`done`, `retry_after`, `snooze`,
///   `discard`, `hold`) or the job's `result`; with executor::coroutine also an awaitable of one of these.
/// - `(std::span<const Job>)` or `(std::span<const Job>, batch_context&)` is called for many jobs at once, and may
///   return `outcomes`.
/// - `(const Job&, transaction<Queue>&)` runs in a transaction that also acknowledges the job: what it writes there
///   happens exactly once.
///
/// If a handler throws, the job runs again after the queue's back-off; after `max_attempts` attempts it is held with
/// the exception's text. Handlers run on the executor's threads, several at once.
///
/// Jobs run at least once. A job runs again if the worker or the server died while it ran, or if its lease was lost.
template <class Queue, class... Handlers>
class worker {
    using composition = typename Queue::composition_type;
    using handlers_type = basic_handler_set<composition, detail::served_jobs_t<Queue>, Handlers...>;
    using has_sessions = diagnostic::require_worker_session<typename composition::driver>;
    static_assert(sizeof(has_sessions) != 0);
    using has_queue = diagnostic::require_mutable_queue<Queue>;
    static_assert(sizeof(has_queue) != 0);
    using scheduled_jobs = detail::scheduled_jobs_t<Queue>;
    using can_fire = diagnostic::require_schedules_for<typename composition::driver, scheduled_jobs>;
    static_assert(sizeof(can_fire) != 0);

public:
    worker(Queue& queue, worker_options options, Handlers... handlers)
        : core_{queue.shared_core()}, options_{options}, handlers_{std::move(handlers)...} {}
    worker(Queue& queue, Handlers... handlers) : worker{queue, worker_options{}, std::move(handlers)...} {}

    worker(Queue&& queue, Handlers... handlers) : worker{queue, worker_options{}, std::move(handlers)...} {}
    worker(Queue&& queue, worker_options options, Handlers... handlers)
        : worker{queue, options, std::move(handlers)...} {}

    /// Works until a stop is requested, or as `options.until` says. Then it claims nothing more, and gives back the
    /// jobs that have not started. Running handlers have the grace time to end. After it their stop tokens fire, and
    /// the worker gives back the jobs that still run. Returns when all handlers have ended.
    ///
    /// If a job type that it serves has a schedule, such as `schedule::cron<"@daily">`, the worker first stores it, and
    /// fires the schedules of the queue while it runs.
    ///
    /// Returns an error only if the worker cannot start (no connection, no schema, bad option). If the connection
    /// breaks later, it reconnects and reports the error to the observer. It may be called again after it has returned.
    result<void> run(std::stop_token stop = {}) {
        if constexpr (!handlers_type::valid || !has_sessions() || !has_queue() || !can_fire())
            return errc::invalid_option;
        else {
            if (auto valid = detail::check(options_); !valid) return valid;
            return start(std::move(stop));
        }
    }

    /// How the worker is now: its connection, its last heartbeat, its oldest handler. Any thread may call it at any
    /// time; it takes about a microsecond and waits for nothing.
    worker_health health() const noexcept { return monitor_->read(std::chrono::steady_clock::now()); }
    /// health().is_healthy(): it runs and is connected, and its last heartbeat is younger than its lease time.
    bool is_healthy() const noexcept { return health().is_healthy(); }

private:
    result<void> start(std::stop_token stop) {
        try {
            if constexpr (scheduled_jobs::size == 0) return work(std::move(stop));
            else {
                return detail::work_on_schedule(*core_, scheduled_jobs{}, options_, stop, [&] { return work(stop); });
            }
        } catch (const std::system_error& e) {  // a thread or process could not be started
            return error_info{e.code(), e.what()};
        }
    }
    result<void> work(std::stop_token stop) {
        Queue queue{core_};
        detail::handler_table<composition, handlers_type> table{handlers_, queue, options_.shared};
        detail::blocking_loop<Queue> loop{queue, table.functions.data(), &table, options_, *monitor_, std::move(stop)};
        table.obey(loop.limit());
        return loop.work();
    }

    std::shared_ptr<detail::queue_core<composition>> core_;
    worker_options options_;
    handlers_type handlers_;
    std::unique_ptr<detail::worker_monitor> monitor_ = std::make_unique<detail::worker_monitor>();
};

template <class Queue, class... Handlers>
worker(Queue&, worker_options, Handlers...) -> worker<Queue, Handlers...>;
template <class Queue, class... Handlers>
worker(Queue&, Handlers...) -> worker<Queue, Handlers...>;

}  // namespace pgq
