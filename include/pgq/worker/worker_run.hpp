#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/detail/unit_random.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/event/events.hpp>
#include <pgq/worker/heartbeat.hpp>
#include <pgq/worker/job_runner.hpp>
#include <pgq/worker/job_updater.hpp>
#include <pgq/worker/session_step.hpp>
#include <pgq/worker/worker_core.hpp>
#include <pgq/worker/worker_options.hpp>
#include <pgq/worker/worker_registration.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pgq::detail {

/// One run of a worker: it owns the worker's session, heartbeat and executor, and connects them with worker_core. It
/// does not wait and reads no clock. The loops (blocking_loop, asio_loop) do that, and send the syncs:
///
///     begin(); then, until next() returns `stop`, the loop does for each action:
///         sync         send request() with session(), then exchanged() or failed()
///         wait         wait with session(), then woken() or broke()
///         pause        wait without a session
///         run_claimed  run_claimed(), ran()
///         connect      open_session(), then connected() or broke()
///         others       execute(*session(), step()), then apply()
///     end()
///
/// `begin`, `open_session`, `execute` and `end` block; an asynchronous loop calls them on another thread. One thread at
/// a time may use this, except that any thread may call wake() and request_stop().
template <class Queue, class Heartbeat = heartbeat<typename Queue::driver_type, typename Queue::observer_type>>
class worker_run {
    using executor_type = typename Queue::executor_type;
    using observer_type = typename Queue::observer_type;
    using runner_type = job_runner<executor_type, observer_type>;

public:
    using session_type = typename Queue::driver_type::session;
    using job_functions = typename runner_type::job_functions;

    /// `functions` and `code`: see job_runner. `end_pause` ends the loop's pause; any thread may call it, but only
    /// while there is no session. `overlap`: the loop calls run_claimed() between the sending of a sync and its answer.
    worker_run(Queue& queue, const job_functions* functions, void* code, const worker_options& options, bool overlap,
               std::function<void()> end_pause)
        : queue_{&queue},
          options_{options},
          end_pause_{std::move(end_pause)},
          executor_{queue.executor()},
          runner_{functions, code, executor_, queue.observer(), options_, [this] { wake(); }},
          core_{runner_, machine_options(options_, executor_.width(), overlap)},
          heartbeat_{queue.driver(), queue.observer(), options_.lease_time, [this] { signal(declared_dead_); },
                     [this] { signal(leases_changed_); }} {
        runner_.desk = &updater_;
    }

    /// Connects and registers. Blocks.
    result<void> begin() {
        auto lanes = queue_->lanes();
        if (!lanes) return lanes.error();
        lanes_ = std::move(*lanes);
        auto opened = open_session();
        if (!opened) return opened.error();
        set_session(std::move(*opened));
        if (auto ready = set_lanes_and_limits(); !ready) return ready;
        const auto id = session_->register_worker(registration_of(host_, options_, lanes_));
        if (!id) return id.error();
        registered(*id);
        executor_.start();
        heartbeat_.start(core_.id());
        notify(observer(), event::worker_started{core_.id()});
        return {};
    }
    /// Waits until all handlers have ended, and retires the worker. To be called after next() has returned `stop`.
    /// Blocks.
    void end() {
        runner_.giving_back.request_stop();
        (void)core_.run_claimed();
        core_.interrupt();  // if the database was away, handlers may still run: their stop tokens fire now
        executor_.stop();
        heartbeat_.stop();
        if (session_) (void)session_->retire(core_.id());
        notify(observer(), event::worker_stopped{core_.id()});
    }

    /// What to do now.
    fsm::worker_action next(steady_time now) {
        receive_signals(now);
        return core_.next(now);
    }

    /// Null while there is no connection.
    session_type* session() noexcept { return session_ ? &*session_ : nullptr; }

    /// For a sync: what to send, and what to read the reply into.
    const sync_request& request(const fsm::worker_action& a, steady_time now) { return core_.request(a, now); }
    sync_reply& reply() noexcept { return reply_; }
    void exchanged(const fsm::worker_action& a, steady_time now) { core_.exchanged(a, reply_, now); }
    void failed(const fsm::worker_action& a, const error_info& why, steady_time now) {
        if (ends_session(why)) return broke(why, now);
        core_.refused(a, why, now);
        if (why == errc::worker_lost) core_.declared_dead(now);
    }
    void woken(wake_reason why) noexcept {
        if (why == wake_reason::notified) core_.notified();
    }
    std::uint32_t run_claimed() { return core_.run_claimed(); }
    void ran(std::uint32_t n, steady_time when) noexcept { core_.ran(n, when); }

    /// Opens another session. Blocks, and changes nothing of this run.
    result<session_type> open_session() const { return queue_->driver().connect(session_role::worker); }
    void connected(session_type&& session) {
        set_session(std::move(session));
        core_.connected();
    }
    /// The connection is of no use any more, or could not be made.
    void broke(const error_info& why, steady_time now) {
        set_session(std::nullopt);
        const duration delay = core_.broke(unit_random(), now);
        notify(observer(), event::connection_failed{why, delay});
    }

    /// For the other actions: what to send. Valid until apply().
    session_step step(const fsm::worker_action& a) const {
        return {.what = a.what,
                .worker = core_.id(),
                .info = registration_of(host_, options_, lanes_),
                .leases = core_.to_give_back(),
                .lanes = lanes_};
    }
    /// The reply to step(). If the step failed, the worker reconnects and repeats it.
    void apply(const fsm::worker_action& a, step_reply&& reply, steady_time now) {
        if (a.what == fsm::worker_do::abandon) return;  // if that failed, end() or a rescue gives the lease back
        if (!reply) return broke(reply.error(), now);
        switch (a.what) {
        case fsm::worker_do::register_worker: registered(std::get<worker_id>(*reply)); return;
        case fsm::worker_do::compare_leases:
            return report_restored(core_.leases_compared(std::get<std::vector<lease_ref>>(*reply), now));
        case fsm::worker_do::give_back: return report_restored(core_.gave_back(now));
        case fsm::worker_do::refresh_leases:
            return core_.leases_refreshed(std::get<std::vector<lease_update>>(*reply), now);
        default: return core_.deferred_counted(std::get<std::int64_t>(*reply), now);
        }
    }

    /// Ends the loop's wait or pause. If it does not wait now, its next wait ends at once.
    void wake() {
        {
            const std::lock_guard lock{mutex_};
            if (session_) return session_->interrupt();
        }
        end_pause_();
    }
    void request_stop() {
        runner_.giving_back.request_stop();
        signal(stop_requested_);
    }

private:
    auto& observer() noexcept { return queue_->observer(); }

    void signal(std::atomic<bool>& what) {
        what.store(true);
        wake();
    }
    // The only place where what other threads have written becomes events.
    void receive_signals(steady_time now) {
        if (stop_requested_.load()) core_.stop_requested(now);
        if (declared_dead_.load() && declared_dead_.exchange(false)) core_.declared_dead(now);
        if (leases_changed_.load() && leases_changed_.exchange(false)) core_.leases_changed();
        if (session_ && session_->take_stop_request()) core_.leases_changed();
    }

    void registered(worker_id id) {
        updater_.set_worker(id);
        core_.registered(id);
        heartbeat_.follow(id);
    }
    void report_restored(bool restored) {
        if (restored) notify(observer(), event::connection_restored{});
    }

    // Stores the limits that the queue type declares, if they are missing: stored limits are not changed. Tells
    // worker_core its lanes and the stored limits.
    result<void> set_lanes_and_limits() {
        auto limiters = queue_->limiters();
        auto stored = session_->limits(queue_->name(), limiters.declared);
        if (!stored) return stored.error();
        for (const auto& mine : limiters.declared)
            for (const auto& theirs : *stored)
                if (same_limit(mine, theirs) && mine != theirs)
                    notify(observer(), event::limit_differs{mine.entrypoint, mine.limit, theirs.limit});
        std::vector<served_lane> lanes;
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            const auto& entry = Queue::composition_type::lanes[i];
            lanes.push_back({lanes_[i], entry.name.entrypoint, entry.job, entry.version});
        }
        core_.serve(lanes, options_.max_attempts, std::move(limiters), *stored);
        return {};
    }

    void set_session(std::optional<session_type> s) {
        const std::lock_guard lock{mutex_};
        session_ = std::move(s);
    }

    Queue* queue_;
    job_updater<Queue> updater_{*queue_};
    worker_options options_;
    std::function<void()> end_pause_;
    executor_type executor_;
    runner_type runner_;
    worker_core<executor_type, observer_type> core_;
    Heartbeat heartbeat_;
    std::string host_ = host_name();
    std::vector<lane_id> lanes_;
    sync_reply reply_;
    std::mutex mutex_;  // for session_, which wake() reads
    std::optional<session_type> session_;
    std::atomic<bool> stop_requested_{false};
    std::atomic<bool> declared_dead_{false};
    std::atomic<bool> leases_changed_{false};
};

}  // namespace pgq::detail
