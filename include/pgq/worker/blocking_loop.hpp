#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/error/result.hpp>
#include <pgq/fsm/worker.hpp>
#include <pgq/worker/worker_options.hpp>
#include <pgq/worker/worker_run.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

namespace pgq::detail {

/// One call of worker::run: a thread that waits in the session, or without one for the time to connect again.
template <class Queue>
class blocking_loop {
    using session_type = typename Queue::driver_type::session;
    static constexpr bool overlap = can_overlap<session_type> && runs_in_place<typename Queue::executor_type>;

public:
    /// `functions` and `code` as for the runner.
    blocking_loop(Queue& queue, const typename worker_run<Queue>::job_functions* functions, void* code,
                  const worker_options& options, std::stop_token stop)
        : stop_{std::move(stop)}, shift_{queue, functions, code, options, overlap, [this] { end_pause(); }} {}

    result<void> work() {
        if (auto begun = shift_.begin(); !begun) return begun;
        const std::stop_callback on_stop{stop_, [this] { shift_.ask_to_stop(); }};
        while (!shift_.is_hopeless()) {
            if (shift_.needs_recovery()) shift_.recover();
            const auto a = shift_.next();
            if (a.what == fsm::worker_do::stop) break;
            const bool flies = a.what == fsm::worker_do::exchange && shift_.session() != nullptr;
            if (shift_.has_claimed() && !flies) shift_.run_claimed();  // and then see what is to be done
            else step(a);
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
        auto went = ask(session, shift_.request(a));
        if (went) shift_.exchanged(a);
        else shift_.failed(a, went.error());
    }

    result<void> ask(session_type& session, const exchange_request& request) {
        if constexpr (!overlap) {
            return session.exchange(request, shift_.reply());
        } else {
            auto begun = session.begin_exchange(request, shift_.reply());
            if (!begun) return begun;
            shift_.run_claimed();
            return session.end_exchange();
        }
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
    worker_run<Queue> shift_;
};

}  // namespace pgq::detail
