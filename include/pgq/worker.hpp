#pragma once

#include <pgq/diagnostic/handlers.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/compose/engine.hpp>
#include <pgq/compose/handlers.hpp>
#include <pgq/compose/monitor.hpp>
#include <pgq/compose/run_job.hpp>
#include <pgq/compose/worker_options.hpp>
#include <pgq/compose/worker_setup.hpp>
#include <pgq/fsm/reconnect.hpp>
#include <pgq/queue.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace pgq {

/// Claims jobs of a queue, runs their handlers and acknowledges: `worker w{jobs, handler...}; w.run(stop);`
///
/// One handler for each job of the queue: `(const Job&)` or `(const Job&, context&)`, returning nothing, an outcome
/// (`done`, `retry_after`, `snooze`, `discard`, `hold`) or the job's `result`; with executor::coroutine also an awaitable of those.
/// A handler that throws has failed: the job runs again after the queue's backoff, and after `max_attempts` it is held
/// with the exception's text. Handlers run on the executor's threads, several at once.
///
/// Jobs run at least once. Delivered twice is what was running when a worker or the server died, or lost its lease.
template <class Queue, class... Handlers>
class worker {
    using composition = typename Queue::composition_type;
    using handlers_type = handler_set<composition, Handlers...>;
    using driver_type = typename Queue::driver_type;

public:
    worker(Queue& queue, worker_options options, Handlers... handlers)
        : queue_{&queue}, options_{options}, handlers_{std::move(handlers)...} {}
    worker(Queue& queue, Handlers... handlers) : worker{queue, worker_options{}, std::move(handlers)...} {}

    /// Works until told to stop, or as `options.until` says. Then claims nothing more, gives back what has not started, lets
    /// running handlers end within the grace time, fires their stop tokens and gives the rest back.
    ///
    /// Errors: what keeps it from starting (no connection, no schema, bad option). After the start it survives the
    /// database's troubles: it reconnects, and tells the observer. May be called again after it returned, not at the same time.
    result<void> run(std::stop_token stop = {}) {
        if constexpr (!handlers_type::valid) return errc::invalid_option;
        else {
            if (auto fine = detail::check(options_); !fine) return fine;
            shift now{*this, std::move(stop)};
            return now.work();
        }
    }

private:
    using clock = std::chrono::steady_clock;
    using runner_type = detail::job_runner<composition, handlers_type>;
    using session_type = typename driver_type::session;

    // One call of run().
    class shift {
    public:
        shift(worker& w, std::stop_token stop)
            : self_{w},
              stop_{std::move(stop)},
              executor_{w.queue_->executor()},
              runner_{w.handlers_, executor_, w.queue_->observer(), w.options_, [this] { wake(); }},
              engine_{runner_, detail::machine_options(w.options_, executor_.width())},
              monitor_{w.queue_->driver(), w.queue_->observer(), w.options_.lease_time, [this] {
                           lost_.store(true);
                           wake();
                       }} {}

        result<void> work() {
            auto lanes = self_.queue_->lanes();
            if (!lanes) return lanes.error();
            lanes_ = *lanes;
            if (auto opened = connect(); !opened) return opened;
            engine_.serve(lanes_, self_.options_.max_attempts);
            if (auto known = register_worker(); !known) return known;
            const std::stop_callback on_stop{stop_, [this] {
                                                 runner_.giving_back.store(true);
                                                 wake();
                                             }};
            executor_.start();
            monitor_.start(engine_.id());
            notify(observer(), event::worker_started{engine_.id()});
            loop();
            runner_.giving_back.store(true);
            executor_.stop();
            monitor_.stop();
            if (session_) (void)session_->retire(engine_.id());
            notify(observer(), event::worker_stopped{engine_.id()});
            return {};
        }

    private:
        auto& observer() noexcept { return self_.queue_->observer(); }

        void loop() {
            for (;;) {
                const auto now = clock::now();
                if (stop_.stop_requested()) engine_.stop_requested(now);
                if (engine_.stopping() && gave_up(now)) return;
                if (lost_.load() || !session_) recover();
                const auto a = engine_.next(now);
                switch (a.what) {
                case fsm::worker_do::exchange: exchange(a); break;
                case fsm::worker_do::wait: wait(a.timeout); break;
                case fsm::worker_do::count_deferred: count_deferred(); break;
                case fsm::worker_do::interrupt: engine_.interrupt(); break;
                case fsm::worker_do::abandon: abandon(); break;
                case fsm::worker_do::stop: return;
                }
            }
        }

        // There is no database to tell what is left, and there has been none for the whole grace time.
        bool gave_up(steady_time now) {
            if (session_ || without_session_ == steady_time::max()) without_session_ = now;
            return now - without_session_ > self_.options_.grace;
        }

        void exchange(const fsm::worker_action& a) {
            if (!session_) return pause();
            auto went = session_->exchange(engine_.request(a, clock::now()), reply_);
            if (went) return engine_.exchanged(a, reply_, clock::now());
            if (went.error() == errc::connection_lost || detail::session_is_over(went.error())) return drop(went.error());
            if (went.error() == errc::worker_lost) lost_.store(true);
            engine_.refused(a, went.error(), clock::now());
        }

        void wait(duration timeout) {
            if (!session_) return pause(timeout);
            auto woken = session_->wait(timeout);
            if (!woken) return drop(woken.error());
            if (*woken == wake_reason::notified) engine_.notified();
        }

        void count_deferred() {
            std::int64_t sum = 0;
            for (const lane_id l : lanes_) {
                auto n = session_ ? session_->counts(l) : result<lane_counts>{errc::connection_lost};
                if (!n) return session_ ? drop(n.error()) : pause();
                sum += n->deferred;
            }
            engine_.deferred_left(sum, clock::now());
        }

        void abandon() {
            std::vector<lease_ref> leases;
            engine_.abandon(leases);
            if (session_ && !leases.empty()) (void)session_->give_back(leases);
        }

        void drop(const error_info& why) {
            set_session(std::nullopt);
            next_try_ = clock::now() + tell_failed(why);
        }
        duration tell_failed(const error_info& why) {
            const duration delay = retry_.failed(detail::unit_random());
            notify(observer(), event::connection_failed{why, delay});
            return delay;
        }

        // Waits for the next try to connect, or for a handler that ends, without a session to wait in.
        void pause(duration longest = std::chrono::seconds{1}) {
            std::unique_lock lock{mutex_};
            const auto now = clock::now();
            const auto until = std::max<steady_time>(std::min<steady_time>(next_try_, now + longest),
                                                     now + std::chrono::milliseconds{1});
            (void)signal_.wait_until(lock, until, [this] { return signalled_; });
            signalled_ = false;
        }

        // After the connection broke, or the worker was declared dead.
        void recover() {
            if (!session_) {
                if (clock::now() < next_try_) return;
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
            if (!reconnected_) return;
            auto held = session_->leases_of(engine_.id());
            if (!held) return drop(held.error());
            std::vector<lease_ref> unknown;
            engine_.reconnected(*held, unknown, clock::now());
            if (!unknown.empty())
                if (auto gave = session_->give_back(unknown); !gave) return drop(gave.error());
            reconnected_ = false;
            retry_.succeeded();
            notify(observer(), event::connection_restored{});
        }

        result<void> connect() {
            auto opened = self_.queue_->driver().connect(session_role::worker);
            if (!opened) return opened.error();
            reconnected_ = started_;
            started_ = true;
            set_session(std::move(*opened));
            return {};
        }

        result<void> register_worker() {
            const auto host = detail::host_name();
            auto id = session_->register_worker(detail::worker_facts(host, self_.options_, lanes_));
            if (!id) return id.error();
            engine_.become(*id);
            return {};
        }

        void set_session(std::optional<session_type> s) {
            const std::lock_guard lock{mutex_};
            session_ = std::move(s);
        }

        // From any thread.
        void wake() {
            {
                const std::lock_guard lock{mutex_};
                signalled_ = true;
                if (session_) session_->interrupt();
            }
            signal_.notify_one();
        }

        worker& self_;
        std::stop_token stop_;
        typename Queue::executor_type executor_;
        runner_type runner_;
        detail::engine<runner_type> engine_;
        detail::monitor<driver_type, typename Queue::observer_type> monitor_;
        fsm::reconnect retry_{};
        std::vector<lane_id> lanes_;
        exchange_reply reply_;
        std::mutex mutex_;  // for session_ as far as wake() sees it, and for signalled_
        std::condition_variable signal_;
        bool signalled_ = false;
        std::optional<session_type> session_;
        std::atomic<bool> lost_{false};
        bool started_ = false;
        bool reconnected_ = false;
        steady_time next_try_{};
        steady_time without_session_ = steady_time::max();  // while stopping: since when
    };

    Queue* queue_;
    worker_options options_;
    handlers_type handlers_;
};

template <class Queue, class... Handlers>
worker(Queue&, worker_options, Handlers...) -> worker<Queue, Handlers...>;
template <class Queue, class... Handlers>
worker(Queue&, Handlers...) -> worker<Queue, Handlers...>;

}  // namespace pgq
