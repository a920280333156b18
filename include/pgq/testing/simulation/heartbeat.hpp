#pragma once

#include <pgq/concept/observer.hpp>
#include <pgq/error/result.hpp>
#include <pgq/event/events.hpp>
#include <pgq/fsm/heartbeat.hpp>
#include <pgq/health/worker_monitor.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/testing/simulation/driver.hpp>
#include <pgq/testing/simulation/process.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/worker/counter_reports.hpp>
#include <pgq/worker/job_counters.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace pgq::simulation {

/// The heartbeat of a worker in simulated time: fsm::heartbeat decides as in detail::heartbeat. Its process's faults
/// delay and lose its calls.
template <class Driver, class Observer>
class heartbeat {
public:
    heartbeat(const Driver& driver, Observer& observer, duration lease_time, std::function<void()> lost,
              std::function<void()> stop_jobs, const call_limit& limit)
        : state_{std::make_shared<state>(driver, observer, lease_time, std::move(lost), std::move(stop_jobs), limit)} {}
    heartbeat(const heartbeat&) = delete;
    heartbeat& operator=(const heartbeat&) = delete;
    ~heartbeat() { stop(); }

    void report_to(detail::worker_monitor&, const detail::job_counters& counters,
                   std::atomic<steady_time>& leases_end_at) {
        state_->reports.emplace(counters);
        state_->leases_end_at = &leases_end_at;
    }
    minute_report last_report(worker_id id) { return state_->reports->next(id); }
    void start(worker_id id) {
        state_->worker = id;
        state_->machine.emplace(state_->lease_time, state_->where->now());
        state_->leases_end_at->store(state_->machine->lost_at());
        state_->rest(state_->machine->first_rest());
    }
    void follow(worker_id id, steady_time asked_at) noexcept {
        state_->worker = id;
        if (!state_->machine) return;
        state_->machine->registered(asked_at);
        state_->leases_end_at->store(state_->machine->lost_at());
    }
    void stop() noexcept { state_->ended = true; }
    void request_stop(std::function<void()> ended) {
        stop();
        ended();
    }

private:
    struct state : std::enable_shared_from_this<state> {
        state(const Driver& d, Observer& o, duration t, std::function<void()> on_lost, std::function<void()> on_stop,
              const call_limit& outer)
            : where{d.owner().shared_from_this()},
              from{&d},
              observer{&o},
              lease_time{t},
              lost{std::move(on_lost)},
              stop_jobs{std::move(on_stop)},
              limit{&outer} {}

        void rest(duration d) {
            where->after(d, [s = this->shared_from_this()] {
                if (!s->ended) s->beat();
            });
        }
        // The request is under way, then its answer.
        void beat() {
            const auto sent = where->now();
            const worker_id id = worker;
            if (machine->is_overdue(id, sent)) report_lost(id);
            limit.set(machine->calls_end(id, sent));
            auto& world = where->in();
            if (where->is_cut_off() || world.chance(where->rates().lost_request)) return fails_later(id);
            const bool answered = !world.chance(where->rates().lost_answer);
            world.after(delay(), [s = this->shared_from_this(), id, sent, answered] {
                auto reply = s->perform(id);
                if (!answered) return s->fails_later(id);
                s->where->after(s->delay(), [s, id, sent, reply = std::move(reply)] {
                    if (s->ended) return;
                    if (!reply) return s->follow(s->machine->failed(id, s->unit_random(), s->where->now()), id);
                    if (reply->alive) s->reports->stored();
                    s->follow(s->machine->answered(id, *reply, sent), id);
                });
            });
        }
        result<beat_reply> perform(worker_id id) {
            if (!session) {
                auto opened = from->database().connect(session_role::monitor);
                if (!opened) return opened.error();
                session.emplace(std::move(*opened));
            }
            return session->beat(id, reports->next(id));
        }
        void fails_later(worker_id id) {
            where->when_given_up(limit, [s = this->shared_from_this(), id] {
                s->reports->in_doubt();
                if (!s->ended) s->follow(s->machine->failed(id, s->unit_random(), s->where->now()), id);
            });
        }
        void follow(const fsm::heartbeat_action& next, worker_id id) {
            if (next.declare_lost) report_lost(id);
            if (id == worker) leases_end_at->store(machine->lost_at());
            limit.set(machine->calls_end(id, where->now()));
            if (next.jobs_to_stop) stop_jobs();
            const bool rescues = next.rescue && !where->is_cut_off();
            const duration pause = rescues ? machine->rest_after_rescue(rescue(), next.rest) : next.rest;
            if (next.expire_and_purge && session) (void)session->expire_and_purge();
            rest(pause);
        }
        void report_lost(worker_id id) {
            if (id != worker) return;
            where->note("counts as lost");
            lost();
        }
        rescue_reply rescue() {
            auto rescued = session->rescue();
            if (!rescued || rescued->workers == 0) return {};
            where->note("rescues " + std::to_string(rescued->returned) + " jobs");
            notify(*observer, event::jobs_rescued{rescued->workers, rescued->returned, rescued->held});
            return std::move(*rescued);
        }
        duration delay() { return where->in().between({}, std::chrono::milliseconds{2}); }
        double unit_random() { return static_cast<double>(where->in().below(1001)) / 1000; }

        std::shared_ptr<process> where;
        const Driver* from;
        Observer* observer;
        duration lease_time;
        std::function<void()> lost, stop_jobs;
        call_limit limit;
        std::atomic<steady_time>* leases_end_at = nullptr;
        std::optional<detail::counter_reports> reports{};
        std::optional<fsm::heartbeat> machine{};
        std::optional<pgq::driver::memory::session> session{};
        worker_id worker{};
        bool ended = false;
    };

    std::shared_ptr<state> state_;
};

}  // namespace pgq::simulation
