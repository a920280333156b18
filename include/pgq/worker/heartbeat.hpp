#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/concept/statistics.hpp>
#include <pgq/detail/unit_random.hpp>
#include <pgq/event/events.hpp>
#include <pgq/fsm/heartbeat.hpp>
#include <pgq/health/worker_monitor.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/worker/counter_reports.hpp>
#include <pgq/worker/job_counters.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace pgq::detail {

/// The heartbeat of a worker: a thread and a session of its own, so that no handler delays it. It does what
/// fsm::heartbeat decides. It also gives the jobs of dead workers back.
///
/// It calls `lost` when the worker's leases are lost, and `stop_jobs` when jobs of the worker should stop, in case the
/// notification got lost. Both are called from its own thread. Its calls to the server obey `limit`, which outlives it,
/// and end when the worker counts as lost.
template <class Driver, class Observer>
class heartbeat {
public:
    heartbeat(const Driver& driver, Observer& observer, duration lease_time, std::function<void()> lost,
              std::function<void()> stop_jobs, const call_limit& limit)
        : driver_{&driver},
          observer_{&observer},
          lease_time_{lease_time},
          lost_{std::move(lost)},
          stop_jobs_{std::move(stop_jobs)},
          limit_{&limit} {}
    ~heartbeat() { stop(); }

    /// `monitor` learns of each heartbeat that the database has answered, and heartbeats store what is in `counters`.
    /// `leases_end_at` is when the leases count as lost if no heartbeat follows. All outlive this. Before start().
    void report_to(worker_monitor& monitor, const job_counters& counters, std::atomic<steady_time>& leases_end_at) {
        monitor_ = &monitor;
        leases_end_at_ = &leases_end_at;
        reports_.emplace(counters);
    }
    /// What no heartbeat has stored. After stop(); valid until this ends.
    minute_report last_report(worker_id id) { return reports_ ? reports_->next(id) : minute_report{}; }
    void start(worker_id id) {
        stop();
        stopping_ = false;
        worker_.store(id);
        set_leases_end(id, fsm::heartbeat{lease_time_, clock::now()});
        thread_ = std::thread{[this] { run(); }};
    }
    /// The worker has registered again. It asked for that at `asked_at`.
    void follow(worker_id id, steady_time asked_at) noexcept {
        registered_at_.store(asked_at);
        worker_.store(id);
        set_leases_end(id, fsm::heartbeat{lease_time_, asked_at});
    }
    /// Blocks until the thread has ended: after a beat that is under way.
    void stop() noexcept {
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
        }
        changed_.notify_all();
        if (thread_.joinable()) thread_.join();
    }
    /// Returns at once. `ended` is called as the last thing that the thread does, or now if there is no thread; after
    /// that stop() has nothing to wait for.
    void request_stop(std::function<void()> ended) {
        if (!thread_.joinable()) return ended();
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
            ended_ = std::move(ended);
        }
        changed_.notify_all();
    }

private:
    using clock = std::chrono::steady_clock;
    using session_type = typename Driver::session;

    void run() noexcept {
        fsm::heartbeat machine{lease_time_, clock::now()};
        duration pause = machine.first_rest();
        worker_id known = worker_.load();
        while (rest(pause)) {
            const worker_id id = worker_.load();
            if (std::exchange(known, id) != id) machine.registered(registered_at_.load());
            const auto sent = clock::now();
            if (machine.is_overdue(id, sent)) report_lost(id);
            limit_.set(machine.calls_end(id, sent));
            if (monitor_ != nullptr) monitor_->look(sent);
            auto reply = beat(id);
            const auto next =
                reply ? machine.answered(id, *reply, sent) : machine.failed(id, unit_random(), clock::now());
            if (reply && reply->alive && monitor_ != nullptr) monitor_->beaten(sent);
            if (reply) report_once(std::move(reply->compact_error), compact_error_);
            if (reply) report_once(std::move(reply->report_error), report_error_);
            if (next.declare_lost) report_lost(id);
            set_leases_end(id, machine);
            limit_.set(machine.calls_end(id, clock::now()));
            if (next.jobs_to_stop) stop_jobs_();
            pause = next.rescue ? machine.rest_after_rescue(rescue(), next.rest) : next.rest;
            if (next.expire_and_purge) expire_and_purge();
        }
        std::function<void()> ended;
        {
            const std::lock_guard lock{mutex_};
            ended.swap(ended_);
        }
        if (ended) ended();
    }

    void set_leases_end(worker_id id, const fsm::heartbeat& machine) noexcept {
        if (leases_end_at_ != nullptr && id == worker_.load()) leases_end_at_->store(machine.lost_at());
    }
    void report_lost(worker_id id) {
        if (id == worker_.load()) lost_();  // else it has registered again meanwhile
    }

    /// False when it is time to stop.
    bool rest(duration d) {
        std::unique_lock lock{mutex_};
        return !changed_.wait_for(lock, d, [this] { return stopping_; });
    }

    result<beat_reply> beat(worker_id id) {
        if (!session_) {
            auto opened = connect_within(*driver_, session_role::monitor, limit_);
            if (!opened) return report(std::move(opened.error()));
            session_.emplace(std::move(*opened));
        }
        auto reply = beat_at(*session_, id);
        if (!reply) {
            session_.reset();
            return report(std::move(reply.error()));
        }
        return reply;
    }

    // With a report, if the driver keeps statistics.
    result<beat_reply> beat_at(session_type& session, worker_id id) {
        if constexpr (can_keep_statistics<session_type>) {
            if (reports_) {
                auto reply = session.beat(id, reports_->next(id));
                if (!reply) reports_->in_doubt();
                else if (reply->alive && !reply->report_error) reports_->stored();
                return reply;
            }
        }
        return session.beat(id);
    }

    rescue_reply rescue() {
        auto rescued = session_->rescue();
        if (!rescued) return report(std::move(rescued.error())), rescue_reply{};
        if (rescued->workers != 0 || rescued->returned != 0 || rescued->held != 0)
            notify(*observer_, event::jobs_rescued{rescued->workers, rescued->returned, rescued->held});
        for (const auto& job : rescued->held_jobs) notify(*observer_, event::held_by_rescue{job.id, job.reason});
        return std::move(*rescued);
    }

    void expire_and_purge() {
        if (auto swept = session_->expire_and_purge(); !swept) (void)report(std::move(swept.error()));
    }

    // Each beat tries to compact and to store a report again; the observer receives the same error once.
    void report_once(std::optional<error_info> e, std::string& last) {
        if (e && e->message != last) notify(*observer_, event::error{*e});
        last = e ? std::move(e->message) : std::string{};
    }

    error_info report(error_info e) {
        notify(*observer_, event::error{e});
        return e;
    }

    const Driver* driver_;
    Observer* observer_;
    duration lease_time_;
    std::function<void()> lost_;
    std::function<void()> stop_jobs_;
    call_limit limit_;
    worker_monitor* monitor_ = nullptr;
    std::atomic<steady_time>* leases_end_at_ = nullptr;
    std::string compact_error_{}, report_error_{};
    std::optional<counter_reports> reports_{};
    std::optional<session_type> session_;
    std::atomic<worker_id> worker_{worker_id{}};
    std::atomic<steady_time> registered_at_{steady_time{}};  // written before worker_
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::function<void()> ended_;
    std::thread thread_;
};

}  // namespace pgq::detail
