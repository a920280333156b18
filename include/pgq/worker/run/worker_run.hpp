#pragma once

#include <pgq/compose/limiter_set.hpp>
#include <pgq/compose/served_jobs.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/detail/unit_random.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/event/events.hpp>
#include <pgq/fsm/paused_scopes.hpp>
#include <pgq/fsm/shutdown.hpp>
#include <pgq/fsm/start.hpp>
#include <pgq/health/worker_monitor.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/worker/heartbeat.hpp>
#include <pgq/worker/job_runner.hpp>
#include <pgq/worker/job_updater.hpp>
#include <pgq/worker/run/deferred_count.hpp>
#include <pgq/worker/run/session_slot.hpp>
#include <pgq/worker/run/thread_signals.hpp>
#include <pgq/worker/session_step.hpp>
#include <pgq/worker/worker_core.hpp>
#include <pgq/worker/worker_options.hpp>
#include <pgq/worker/worker_registration.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pgq::detail {

/// One run of a worker without its I/O and its clock. It turns the actions of worker_core into requests, and the
/// signals of other threads into events. A loop (blocking_loop, asio_loop) passes in the time, does the I/O and waits:
///
///     open a session, begin(); perform each step_to_begin() at session(), begin_with() its reply; after an error
///         begin_failed(), a pause, and the same again
///     until next() says stop:
///         sync         send request() at session(), then synced() or failed()
///         wait         at session(), then woken() or broke()
///         pause        without a session
///         run_claimed  run_claimed(), ran()
///         connect      open a session at driver(), then connected() or broke()
///         others       perform step() at session(), then apply(); once more while that returns true
///     interrupt_handlers(); end_threads(); perform step_to_end(); ended() with its reply
///
/// Only end_threads() blocks, and only until handlers and the heartbeat have ended. A loop that must not block first
/// waits until handlers_run() is false, then for the callback of when_executor_idle(), then for that of
/// when_heartbeat_ended().
///
/// One thread at a time calls the members; wake() and request_stop() may be called from any thread. A run may be
/// destroyed whenever no handler runs.
template <class Queue, class Heartbeat = heartbeat<typename Queue::driver_type, typename Queue::observer_type>>
class worker_run {
    using executor_type = typename Queue::executor_type;
    using observer_type = typename Queue::observer_type;
    using runner_type = job_runner<executor_type, observer_type>;

public:
    using driver_type = typename Queue::driver_type;
    using session_type = typename driver_type::session;
    using job_functions = typename runner_type::job_functions;

    /// `functions` and `code`: see job_runner. `end_pause` ends the loop's pause; any thread may call it, but only
    /// while there is no session. `overlap`: the loop calls run_claimed() between the sending of a sync and its answer.
    /// `monitor` outlives this.
    worker_run(Queue& queue, const job_functions* functions, void* code, const worker_options& options, bool overlap,
               worker_monitor& monitor, std::function<void()> end_pause)
        : queue_{&queue},
          options_{options},
          monitor_{&monitor},
          end_pause_{std::move(end_pause)},
          executor_{queue.executor()},
          runner_{functions, code, executor_, queue.observer(), options_, [this] { wake(); }},
          core_{runner_, machine_options(options_, executor_.width(), overlap)},
          heartbeat_{queue.driver(),
                     queue.observer(),
                     options_.lease_time,
                     [this] { signals_.declare_dead(), wake(); },
                     [this] { signals_.change_leases(), wake(); },
                     signals_.stop_limit()} {
        runner_.reviser = &updater_;
        runner_.monitor = monitor_;
        heartbeat_.report_to(monitor, runner_.counters, runner_.leases_end_at);
        monitor.began(options_.lease_time);
    }

    const driver_type& driver() const noexcept { return queue_->driver(); }
    /// The time at which calls of its sessions, and attempts to open a session, return at the latest.
    const call_limit& limit() const noexcept { return signals_.limit(); }

    /// The first session. Fails if the queue's name is not valid.
    result<void> begin(session_type&& first) {
        const auto names = queue_->lane_names();
        if (!names) return names.error();
        names_ = *names;
        limiters_ = queue_->limiters();
        if (options_.queues != nullptr)
            if (auto fine = begin_with_names(); !fine) return fine;
        set_session(std::move(first));
        return {};
    }
    /// The next step that the run needs before it can work; empty when there is none left.
    std::optional<session_step> step_to_begin() const {
        switch (begin_step_) {
        case begin_step::find_problems: return steps::find_problems{};
        case begin_step::find_lanes: return steps::find_lanes{queue_->name(), names_};
        case begin_step::find_limits: return steps::find_limits{queue_->name(), limiters_.declared};
        case begin_step::register_worker: return registration();
        case begin_step::begun: break;
        }
        return std::nullopt;
    }
    /// Takes the reply to step_to_begin(). After an error the loop calls begin_failed().
    result<void> begin_with(step_reply&& reply) {
        if (begin_step_ == begin_step::find_problems) {
            begin_step_ = options_.queues == nullptr ? begin_step::find_lanes : begin_step::register_worker;
            return report_problems(observer(), reply);
        }
        if (!reply) return std::move(reply.error());
        switch (begin_step_) {
        case begin_step::find_lanes:
            lanes_ = std::get<std::vector<lane_id>>(std::move(*reply));
            begin_step_ = begin_step::find_limits;
            break;
        case begin_step::find_limits:
            serve(std::get<std::vector<lane_limit>>(*reply));
            begin_step_ = begin_step::register_worker;
            break;
        default:
            registered(std::get<worker_id>(*reply));
            begin_step_ = begin_step::begun;
            executor_.start();
            heartbeat_.start(core_.id());
            notify(observer(), event::worker_started{core_.id(), executor_.width()});
        }
        return {};
    }

    /// A session could not be opened, or a step to begin failed. Returns how long the loop pauses before it opens
    /// another session and continues with the same step; empty if run() must return the error. `first_attempt_at`: when
    /// the worker first tried to connect.
    std::optional<duration> begin_failed(const error_info& why, steady_time first_attempt_at, steady_time now) {
        set_session(std::nullopt);
        if (signals_.stop_requested()) return std::nullopt;
        const auto pause = start_retries_.failed(why.code, unit_random(), first_attempt_at, now);
        if (pause) notify(observer(), event::connection_failed{why, *pause});
        return pause;
    }
    bool stop_requested() const noexcept { return signals_.stop_requested(); }
    /// What to do now.
    fsm::worker_action next(steady_time now) {
        acted_at_ = now;
        receive_signals(now);
        return core_.next(now);
    }

    /// Null while there is no connection.
    session_type* session() noexcept { return session_.get(); }

    /// For a sync: what to send, and what to read the reply into.
    const sync_request& request(const fsm::worker_action& a, steady_time now) { return core_.request(a, now); }
    sync_reply& reply() noexcept { return reply_; }
    void synced(const fsm::worker_action& a, steady_time now) { core_.synced(a, reply_, now); }
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
    void connected(session_type&& session) {
        set_session(std::move(session));
        core_.connected();
    }
    /// The connection broke, or could not be made.
    void broke(const error_info& why, steady_time now) {
        set_session(std::nullopt);
        const duration delay = core_.broke(unit_random(), now);
        notify(observer(), event::connection_failed{why, delay});
    }

    /// For the other actions: the request to send. Valid until apply().
    session_step step(const fsm::worker_action& a) const {
        switch (a.what) {
        case fsm::worker_do::register_worker: return registration();
        case fsm::worker_do::compare_leases: return steps::read_leases{core_.id()};
        case fsm::worker_do::refresh_leases:
            if (!reads_paused_) return steps::read_lease_updates{core_.id()};
            return steps::read_paused{queue_->name()};
        case fsm::worker_do::count_deferred: return steps::count_lane{lanes_[counted_.next()]};
        default: return steps::give_back{core_.to_give_back()};
        }
    }
    /// Takes the reply to step(). True: the action needs another step. An error repeats the action on another session.
    bool apply(const fsm::worker_action& a, step_reply&& reply, steady_time now) {
        if (reply) report_held(observer(), *reply);
        if (a.what == fsm::worker_do::abandon) return false;  // leases that were not given back end with their time
        if (!reply) return counted_.start_over(), reads_paused_ = false, broke(reply.error(), now), false;
        switch (a.what) {
        case fsm::worker_do::register_worker: registered(std::get<worker_id>(*reply)); break;
        case fsm::worker_do::compare_leases:
            return report_restored(core_.leases_compared(std::get<std::vector<lease_update>>(*reply), now)), false;
        case fsm::worker_do::refresh_leases:
            if (std::exchange(reads_paused_, !reads_paused_))
                paused_read(std::get<std::vector<paused_scope>>(*std::move(reply)));
            else core_.leases_refreshed(std::get<std::vector<lease_update>>(*reply), now);
            return reads_paused_;
        case fsm::worker_do::count_deferred: return count(std::get<lane_counts>(*reply), now);
        default: report_restored(core_.gave_back());
        }
        return false;
    }

    /// Ends the run: asks the handlers that still run to stop.
    void interrupt_handlers() {
        runner_.return_unstarted.request_stop();
        (void)core_.run_claimed();
        core_.interrupt();
    }
    /// Whether handlers run. If so, the end of each of them calls wake().
    bool handlers_run(steady_time now) { return core_.handlers_run(now); }
    /// Calls `ready` once the executor runs nothing: now, or later on another thread. Or now, if it cannot report that.
    void when_executor_idle(std::function<void()> ready) {
        if constexpr (can_report_idle<executor_type>) executor_.when_idle(std::move(ready));
        else ready();
    }
    /// Asks the heartbeat to end, and calls `ended` when it has: now, or later on its thread.
    void when_heartbeat_ended(std::function<void()> ended) { heartbeat_.request_stop(std::move(ended)); }
    void end_threads() noexcept {
        executor_.stop();
        heartbeat_.stop();
    }
    /// The last step; empty without a session. If it fails, other workers declare this one dead after its lease time.
    std::optional<session_step> step_to_end() {
        if (!session_.is_set()) return std::nullopt;
        return steps::retire{core_.id(), heartbeat_.last_report(core_.id())};
    }
    void ended(const step_reply& retired) {
        monitor_->ended();
        if (retired) report_held(observer(), *retired);
        notify(observer(), event::worker_stopped{core_.id(), executor_.width()});
    }

    /// Ends the loop's wait or pause. If it does not wait now, its next wait ends at once.
    void wake() {
        if (!session_.interrupt()) end_pause_();
    }
    /// Asks the run to stop. Even if the server is silent, no call of its sessions lasts longer than the grace time and
    /// one second from now on.
    void request_stop(steady_time now) {
        runner_.return_unstarted.request_stop();
        signals_.request_stop(
            now, now + std::min<duration>(options_.grace, std::chrono::hours{24 * 365}) + fsm::shutdown::last_grace);
        wake();
    }

private:
    enum class begin_step : std::uint8_t { find_problems, find_lanes, find_limits, register_worker, begun };

    auto& observer() noexcept { return queue_->observer(); }
    // Only this function turns the signals of other threads into events.
    void receive_signals(steady_time now) {
        if (const auto at = signals_.stop_requested_at()) core_.stop_requested(*at);
        if (signals_.take_declared_dead()) core_.declared_dead(now);
        if (signals_.take_leases_changed()) core_.leases_changed();
        if (auto* s = session_.get(); s != nullptr && s->take_stop_request()) core_.leases_changed();
    }

    void registered(worker_id id) {
        updater_.set_worker(id);
        core_.registered(id);
        heartbeat_.follow(id, acted_at_);
        monitor_->registered(std::chrono::steady_clock::now());
    }
    void report_restored(bool restored) {
        if (restored) notify(observer(), event::connection_restored{});
    }
    session_step registration() const {
        auto info = registration_of(host_, options_, lanes_);
        if (options_.queues != nullptr) info.queues = &served_;
        return steps::register_worker{info};
    }
    // A worker of many queue names finds no lanes before there are jobs.
    result<void> begin_with_names() {
        if (limiters_.any()) return many_names_with_limits();
        if (begin_step_ != begin_step::find_problems) return {};
        served_ = {.names = options_.queues->names(), .prefix = options_.queues->prefix(), .lanes = names_};
        core_.serve(served_, lanes_from(served_lanes_of<Queue>, {}, {}), options_.max_attempts);
        return {};
    }

    void paused_read(std::vector<paused_scope>&& found) {
        const auto changed = paused_.read(std::move(found), queue_->name(), names_);  // of this queue name only
        report_pauses(observer(), core_.id(), changed);
        if (options_.queues != nullptr || changed.can_claim_more()) core_.resumed();
    }

    bool count(const lane_counts& n, steady_time now) {
        const auto jobs = counted_.add(n, lanes_.size());
        if (jobs) core_.deferred_counted(*jobs, now);
        return !jobs;
    }
    void serve(std::span<const lane_limit> found) {
        report_differing_limits(observer(), limiters_.declared, found);
        core_.serve(lanes_from(served_lanes_of<Queue>, lanes_, queue_->name()), options_.max_attempts,
                    std::move(limiters_), found);
    }

    void set_session(std::optional<session_type> s) {
        session_.set(std::move(s));
        monitor_->set_connected(session_.is_set());
    }

    Queue* queue_;
    job_updater<Queue> updater_{*queue_};
    worker_options options_;
    worker_monitor* monitor_;
    std::function<void()> end_pause_;
    executor_type executor_;
    runner_type runner_;
    worker_core<executor_type, observer_type> core_;
    std::string host_ = host_name();
    begin_step begin_step_ = begin_step::find_problems;
    fsm::start start_retries_{options_.connect_timeout};
    std::span<const lane_name> names_{};
    limiter_set limiters_{};
    std::vector<lane_id> lanes_;
    served_queues served_{};  // of a worker of many queue names
    fsm::paused_scopes paused_;
    bool reads_paused_ = false;  // the second step of refresh_leases is next
    deferred_count counted_{};
    sync_reply reply_;
    session_slot<session_type> session_;
    thread_signals signals_{};
    steady_time acted_at_{};  // when the present action was decided
    Heartbeat heartbeat_;     // the last: its thread uses the members above until it has ended
};

}  // namespace pgq::detail
