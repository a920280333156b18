#pragma once

#include <pgq/diagnostic/handlers.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/compose/handlers.hpp>
#include <pgq/compose/shift.hpp>
#include <pgq/compose/worker_options.hpp>
#include <pgq/compose/worker_setup.hpp>
#include <pgq/queue.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

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
    using session_type = typename Queue::driver_type::session;

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
            shell now{*this, std::move(stop)};
            return now.work();
        }
    }

private:
    // One call of run(): waits in the session, or without one for the time to connect again.
    class shell {
    public:
        shell(worker& w, std::stop_token stop)
            : stop_{std::move(stop)}, shift_{*w.queue_, w.handlers_, w.options_, [this] { end_pause(); }} {}

        result<void> work() {
            if (auto begun = shift_.begin(); !begun) return begun;
            const std::stop_callback on_stop{stop_, [this] { shift_.ask_to_stop(); }};
            while (!shift_.is_hopeless()) {
                if (shift_.needs_recovery()) shift_.recover();
                const auto a = shift_.next();
                if (a.what == fsm::worker_do::stop) break;
                step(a);
            }
            shift_.end();
            return {};
        }

    private:
        void step(const fsm::worker_action& a) {
            auto* const session = shift_.session();
            switch (a.what) {
            case fsm::worker_do::exchange: return session ? exchange(*session, a) : pause(a_second);
            case fsm::worker_do::wait: return session ? wait(*session, a.timeout) : pause(a.timeout);
            case fsm::worker_do::count_deferred: return session ? shift_.perform(a) : pause(a_second);
            default: return shift_.perform(a);
            }
        }

        void exchange(session_type& session, const fsm::worker_action& a) {
            auto went = session.exchange(shift_.request(a), shift_.reply());
            if (went) shift_.exchanged(a);
            else shift_.failed(a, went.error());
        }

        void wait(session_type& session, duration timeout) {
            auto woken = session.wait(timeout);
            if (woken) shift_.woken(*woken);
            else shift_.drop(woken.error());
        }

        void pause(duration longest) {
            std::unique_lock lock{mutex_};
            (void)signal_.wait_until(lock, shift_.pause_until(longest), [this] { return signalled_; });
            signalled_ = false;
        }
        void end_pause() {
            {
                const std::lock_guard lock{mutex_};
                signalled_ = true;
            }
            signal_.notify_one();
        }

        static constexpr std::chrono::seconds a_second{1};

        std::stop_token stop_;
        std::mutex mutex_;  // for signalled_
        std::condition_variable signal_;
        bool signalled_ = false;
        detail::shift<Queue, handlers_type> shift_;
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
