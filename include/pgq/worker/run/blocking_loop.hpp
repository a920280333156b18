#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/error/result.hpp>
#include <pgq/fsm/worker_action.hpp>
#include <pgq/health/worker_monitor.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/worker/run/worker_run.hpp>
#include <pgq/worker/session_step.hpp>
#include <pgq/worker/worker_options.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

namespace pgq::detail {

/// One call of worker::run: a thread that waits in the session, or without one until it is time to connect again.
template <class Queue>
class blocking_loop {
    using clock = std::chrono::steady_clock;
    using session_type = typename Queue::driver_type::session;
    static constexpr bool overlap = can_overlap<session_type> && runs_in_place<typename Queue::executor_type>;

public:
    /// `functions` and `code`: see job_runner.
    blocking_loop(Queue& queue, const typename worker_run<Queue>::job_functions* functions, void* code,
                  const worker_options& options, worker_monitor& monitor, std::stop_token stop)
        : stop_{std::move(stop)}, run_{queue, functions, code, options, overlap, monitor, [this] { end_pause(); }} {}

    result<void> work() {
        const std::stop_callback on_stop{stop_, [this] { run_.request_stop(clock::now()); }};
        if (auto begun = begin(); !begun) return run_.stop_requested() ? result<void>{} : begun;
        for (;;) {
            const auto now = clock::now();
            const auto a = run_.next(now);
            if (a.what == fsm::worker_do::stop) break;
            perform(a, now);
        }
        end();
        return {};
    }

    /// When calls of its sessions return at the latest.
    const call_limit& limit() const noexcept { return run_.limit(); }

private:
    result<void> begin() {
        for (const auto first = clock::now();;) {
            auto begun = try_to_begin();
            if (begun) return begun;
            const auto delay = run_.begin_failed(begun.error(), first, clock::now());
            if (!delay) return begun;
            pause(clock::now() + *delay);
            if (run_.stop_requested()) return begun;
        }
    }
    result<void> try_to_begin() {
        auto opened = open_session();
        if (!opened) return opened.error();
        if (auto begun = run_.begin(std::move(*opened)); !begun) return begun;
        while (const auto step = run_.step_to_begin())
            if (auto begun = run_.begin_with(execute(*run_.session(), *step)); !begun) return begun;
        return {};
    }
    void end() {
        run_.interrupt_handlers();
        run_.end_threads();
        const auto step = run_.step_to_end();
        run_.ended(step ? execute(*run_.session(), *step) : step_value{});
    }

    void perform(const fsm::worker_action& a, steady_time now) {
        switch (a.what) {
        case fsm::worker_do::sync: return sync(a, now);
        case fsm::worker_do::wait: return wait(a.timeout);
        case fsm::worker_do::pause: return pause(now + a.timeout);
        case fsm::worker_do::run_claimed: return run_claimed();
        case fsm::worker_do::connect: return connect();
        default:
            while (run_.apply(a, execute(*run_.session(), run_.step(a)), clock::now())) {}
        }
    }

    void sync(const fsm::worker_action& a, steady_time now) {
        auto synced = exchange_with(*run_.session(), run_.request(a, now));
        if (synced) run_.synced(a, clock::now());
        else run_.failed(a, synced.error(), clock::now());
    }
    result<void> exchange_with(session_type& session, const sync_request& request) {
        if constexpr (!overlap) {
            return session.sync(request, run_.reply());
        } else {
            auto begun = session.begin_sync(request, run_.reply());
            if (!begun) return begun;
            run_claimed();
            return session.end_sync();
        }
    }
    void run_claimed() {
        const auto n = run_.run_claimed();
        run_.ran(n, clock::now());
    }

    void wait(duration timeout) {
        auto woken = run_.session()->wait(timeout);
        if (woken) run_.woken(*woken);
        else run_.broke(woken.error(), clock::now());
    }

    result<session_type> open_session() const {
        return connect_within(run_.driver(), session_role::worker, run_.limit());
    }
    void connect() {
        auto opened = open_session();
        if (opened) run_.connected(std::move(*opened));
        else run_.broke(opened.error(), clock::now());
    }

    void pause(steady_time until) {
        std::unique_lock lock{mutex_};
        (void)signal_.wait_until(lock, until, [this] { return signalled_; });
        signalled_ = false;
    }
    void end_pause() {
        {
            const std::lock_guard lock{mutex_};
            signalled_ = true;
        }
        signal_.notify_one();
    }

    std::stop_token stop_;
    std::mutex mutex_;  // for signalled_
    std::condition_variable signal_;
    bool signalled_ = false;
    worker_run<Queue> run_;
};

}  // namespace pgq::detail
