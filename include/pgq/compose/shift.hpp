#pragma once

#include <pgq/compose/engine.hpp>
#include <pgq/compose/monitor.hpp>
#include <pgq/compose/runner.hpp>
#include <pgq/compose/worker_desk.hpp>
#include <pgq/compose/worker_options.hpp>
#include <pgq/compose/worker_setup.hpp>
#include <pgq/detail/unit_random.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/event/events.hpp>
#include <pgq/fsm/reconnect.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace pgq::detail {

/// One run of a worker, but for its waiting: what the shells (worker, async_worker) have in common.
///
///     begin(); until is_hopeless(): recover() if needs_recovery(), and then what next() says: an exchange or a wait on
///     session(), by the shell, anything else by perform(); end()
///
/// `begin`, `recover`, `perform` and `end` block, so an asynchronous shell calls them on another thread. One thread at a time,
/// except `wake()` and `ask_to_stop()`.
template <class Queue>
class shift {
    using clock = std::chrono::steady_clock;
    using driver_type = typename Queue::driver_type;
    using executor_type = typename Queue::executor_type;
    using observer_type = typename Queue::observer_type;
    using runner_type = runner<executor_type, observer_type>;

public:
    using session_type = typename driver_type::session;

    using job_functions = typename runner_type::job_functions;

    /// `functions` and `code` as for the runner. `wake_shell` ends the shell's pause; it is called from any thread, but not
    /// when there is a session to interrupt.
    /// `overlap`: the shell calls `run_claimed` itself.
    shift(Queue& queue, const job_functions* functions, void* code, const worker_options& options, bool overlap,
          std::function<void()> wake_shell)
        : queue_{&queue},
          options_{options},
          wake_shell_{std::move(wake_shell)},
          executor_{queue.executor()},
          runner_{functions, code, executor_, queue.observer(), options_, [this] { wake(); }},
          engine_{runner_, machine_options(options_, executor_.width(), overlap)},
          monitor_{queue.driver(), queue.observer(), options_.lease_time,
                   [this] {
                       lost_.store(true);
                       wake();
                   },
                   [this] {
                       stop_asked_of_jobs_.store(true);
                       wake();
                   }} {
        runner_.desk = &desk_;
    }

    result<void> begin() {
        auto lanes = queue_->lanes();
        if (!lanes) return lanes.error();
        lanes_ = std::move(*lanes);
        if (auto opened = connect(); !opened) return opened;
        if (auto served = serve(); !served) return served;
        if (auto known = register_worker(); !known) return known;
        executor_.start();
        monitor_.start(engine_.id());
        notify(observer(), event::worker_started{engine_.id()});
        return {};
    }

    /// When nothing is in hand any more.
    void end() {
        runner_.giving_back.request_stop();
        (void)engine_.run_claimed();
        engine_.interrupt();  // without a database some may still run, and wait for this
        executor_.stop();
        monitor_.stop();
        if (session_) (void)session_->retire(engine_.id());
        notify(observer(), event::worker_stopped{engine_.id()});
    }

    /// After the connection broke, or the worker was declared dead, and when it is time to try again.
    bool needs_recovery() noexcept {
        if (!session_) return clock::now() >= next_try_;
        if (session_->stop_asked()) stop_asked_of_jobs_.store(true);
        return engine_.astray() || stop_asked_of_jobs_.load() || lost_.load() || reconnected_ ||
               clock::now() >= next_check_;
    }
    void recover() {
        if (!session_) {
            if (auto opened = connect(); !opened) {
                next_try_ = clock::now() + tell_failed(opened.error());
                return;
            }
        }
        if (lost_.exchange(false)) {
            engine_.lose_all();
            if (auto known = register_worker(); !known) return lost_.store(true), drop(known.error());
            monitor_.follow(engine_.id());
        }
        if (reconnected_) settle_leases();
        if (!session_) return;  // lost once more
        if (stop_asked_of_jobs_.exchange(false) || engine_.astray()) hear_news();
        else if (clock::now() >= next_check_) look_for_late_claims();
    }

    /// Whether there is nobody to tell what is left: it is to stop, and has had no database for the whole grace time.
    bool is_hopeless() {
        const auto now = clock::now();
        if (stop_asked_.load()) engine_.stop_requested(now);
        if (!engine_.stopping()) return false;
        if (session_ || without_session_ == steady_time::max()) without_session_ = now;
        return now - without_session_ > options_.grace;
    }

    fsm::worker_action next() {
        const auto now = clock::now();
        auto a = engine_.next(now);
        if (a.what == fsm::worker_do::wait && next_check_ - now < a.timeout)
            a.timeout = std::max<duration>(next_check_ - now, std::chrono::milliseconds{1});
        return a;
    }

    /// What to send for an exchange, and what the answer goes into; then exchanged() or failed().
    const exchange_request& request(const fsm::worker_action& a) { return engine_.request(a, clock::now()); }
    exchange_reply& reply() noexcept { return reply_; }
    void exchanged(const fsm::worker_action& a) { engine_.exchanged(a, reply_, clock::now()); }
    void failed(const fsm::worker_action& a, const error_info& why) {
        if (ends_session(why)) return drop(why);
        if (why == errc::worker_lost) lost_.store(true);
        engine_.refused(a, why, clock::now());
    }
    void woken(wake_reason why) noexcept {
        if (why == wake_reason::notified) engine_.notified();
    }
    bool has_claimed() const noexcept { return engine_.has_claimed(); }
    void run_claimed() {
        const auto n = engine_.run_claimed();
        engine_.ran(n, clock::now());
    }
    /// The connection is of no more use.
    void drop(const error_info& why) {
        set_session(std::nullopt);
        next_check_ = steady_time::max();  // the next connection begins with it
        next_try_ = clock::now() + tell_failed(why);
    }

    /// The actions that are neither an exchange, a wait nor the end.
    void perform(const fsm::worker_action& a) {
        if (a.what == fsm::worker_do::count_deferred) count_deferred();
        if (a.what == fsm::worker_do::interrupt) engine_.interrupt();
        if (a.what == fsm::worker_do::abandon) abandon();
    }

    /// Null while there is no connection; the shell then pauses instead, unless it is woken.
    session_type* session() noexcept { return session_ ? &*session_ : nullptr; }
    /// The end of a pause that an action asked for.
    steady_time pause_until(duration longest) const noexcept {
        const auto now = clock::now();
        return std::max<steady_time>(std::min<steady_time>(next_try_, now + longest),
                                     now + std::chrono::milliseconds{1});
    }

    /// There is news: ends the wait of the shell, the present one or else the next.
    void wake() {
        {
            const std::lock_guard lock{mutex_};
            if (session_) return session_->interrupt();
        }
        wake_shell_();
    }
    void ask_to_stop() {
        stop_asked_.store(true);
        runner_.giving_back.request_stop();
        wake();
    }

private:
    auto& observer() noexcept { return queue_->observer(); }

    void count_deferred() {
        std::int64_t sum = 0;
        for (const lane_id l : lanes_) {
            auto n = session_->counts(l);
            if (!n) return drop(n.error());
            sum += n->deferred + n->ready;  // whoever promotes does it for all lanes, not only its own
        }
        engine_.deferred_left(sum, clock::now());
    }

    void abandon() {
        std::vector<lease_ref> leases;
        engine_.abandon(leases);
        if (session_ && !leases.empty()) (void)session_->give_back(leases);
    }

    // A new connection of the same worker: which leases are still ours, and which were claimed without our having heard of it.
    void settle_leases() {
        auto held = session_->leases_of(engine_.id());
        if (!held) return drop(held.error());
        std::vector<lease_ref> unknown;
        engine_.reconnected(*held, unknown, clock::now());
        if (!unknown.empty())
            if (auto gave = session_->give_back(unknown); !gave) return drop(gave.error());
        reconnected_ = false;
        stop_asked_of_jobs_.store(true);  // what was said meanwhile was not heard
        retry_.succeeded();
        check_later(options_.lease_time);
        notify(observer(), event::connection_restored{});
    }

    // Somebody has changed leases of ours, or ended them.
    void hear_news() {
        auto news = session_->leases_now(engine_.id());
        if (!news) return stop_asked_of_jobs_.store(true), drop(news.error());
        engine_.heard(*news, clock::now());
    }

    // A session that was given up may live on at the server, and what it waits for there, say a lock, it gets at last: its claim
    // then belongs to this worker, which has not heard of it. So ask again, less and less often.
    void look_for_late_claims() {
        auto held = session_->leases_of(engine_.id());
        if (!held) return drop(held.error());
        std::vector<lease_ref> unknown;
        engine_.compare(*held, unknown);
        if (!unknown.empty())
            if (auto gave = session_->give_back(unknown); !gave) return drop(gave.error());
        check_later(check_after_ * 2);
    }
    void check_later(duration after) noexcept {
        check_after_ = std::min<duration>(after, std::chrono::hours{1});
        next_check_ = clock::now() + check_after_;
    }

    duration tell_failed(const error_info& why) {
        const duration delay = retry_.failed(unit_random());
        notify(observer(), event::connection_failed{why, delay});
        return delay;
    }

    // What the limiters of the queue declare is made where it is missing; what is there wins.
    result<void> serve() {
        auto book = queue_->limiter_book();
        auto found = session_->limits(queue_->name(), book.declared);
        if (!found) return found.error();
        for (const auto& mine : book.declared)
            for (const auto& theirs : *found)
                if (same_limit(mine, theirs) && mine != theirs)
                    notify(observer(), event::limit_differs{mine.entrypoint, mine.limit, theirs.limit});
        engine_.serve(lanes_, Queue::composition_type::lanes, options_.max_attempts, std::move(book), *found);
        return {};
    }

    result<void> connect() {
        auto opened = queue_->driver().connect(session_role::worker);
        if (!opened) return opened.error();
        reconnected_ = started_;
        started_ = true;
        set_session(std::move(*opened));
        return {};
    }

    result<void> register_worker() {
        const auto host = host_name();
        auto id = session_->register_worker(worker_facts(host, options_, lanes_));
        if (!id) return id.error();
        desk_.become(*id);
        engine_.become(*id);
        return {};
    }

    void set_session(std::optional<session_type> s) {
        const std::lock_guard lock{mutex_};
        session_ = std::move(s);
    }

    Queue* queue_;
    worker_desk<Queue> desk_{*queue_};
    worker_options options_;
    std::function<void()> wake_shell_;
    executor_type executor_;
    runner_type runner_;
    engine<executor_type, observer_type> engine_;
    monitor<driver_type, observer_type> monitor_;
    fsm::reconnect retry_{};
    std::vector<lane_id> lanes_;
    exchange_reply reply_;
    std::mutex mutex_;  // for session_ as far as wake() sees it
    std::optional<session_type> session_;
    std::atomic<bool> lost_{false};
    std::atomic<bool> stop_asked_{false};
    std::atomic<bool> stop_asked_of_jobs_{false};
    bool started_ = false;
    bool reconnected_ = false;
    steady_time next_try_{};
    steady_time next_check_ = steady_time::max();
    duration check_after_{};
    steady_time without_session_ = steady_time::max();  // while stopping: since when
};

}  // namespace pgq::detail
