#pragma once

#include <pgq/compose/served_jobs.hpp>
#include <pgq/error/result.hpp>
#include <pgq/fsm/worker_action.hpp>
#include <pgq/handler/handler_set.hpp>
#include <pgq/handler/handler_table.hpp>
#include <pgq/health/worker_monitor.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/testing/simulation/driver.hpp>
#include <pgq/testing/simulation/executor.hpp>
#include <pgq/testing/simulation/heartbeat.hpp>
#include <pgq/testing/simulation/process.hpp>
#include <pgq/testing/simulation/sync_copy.hpp>
#include <pgq/worker/run/worker_run.hpp>
#include <pgq/worker/session_step.hpp>
#include <pgq/worker/worker_options.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace pgq::simulation {

/// A worker in the simulated world: detail::worker_run, with a loop that takes simulated time for each call and loses
/// some of them. `Queue` has simulation::driver and simulation::executor. Keep it until the world has no events left.
template <class Queue, class... Handlers>
class worker {
    using composition = typename Queue::composition_type;
    using handlers_type = basic_handler_set<composition, detail::served_jobs_t<Queue>, Handlers...>;
    using table_type = detail::handler_table<composition, handlers_type>;
    using run_type = detail::worker_run<Queue, heartbeat<typename Queue::driver_type, typename Queue::observer_type>>;

    static_assert(std::is_same_v<typename Queue::driver_type, driver> &&
                      std::is_same_v<typename Queue::executor_type, executor>,
                  "pgq: a simulated worker needs a queue with pgq::simulation::driver and pgq::simulation::executor");

public:
    worker(std::shared_ptr<process> where, Queue& queue, const worker_options& options, Handlers... handlers)
        : where_{std::move(where)},
          handlers_{std::move(handlers)...},
          table_{handlers_, queue, options.shared},
          run_{queue, table_.functions.data(), &table_, options, false, monitor_, [this] { end_pause(); }} {
        table_.obey(run_.limit());
        where_->in().after_each_event([this] { look_for_wake(); });
    }
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    void start() {
        first_attempt_at_ = where_->now();
        connect_to_begin();
    }
    void request_stop() {
        where_->note("is asked to stop");
        run_.request_stop(where_->now());
    }
    /// The process dies. What it has sent arrives.
    void crash() {
        where_->crash();
        waiting_ = pausing_ = 0;
        if (run_.session() != nullptr) run_.broke(connection_lost(), where_->now());  // the server closes the session
    }
    bool has_ended() const noexcept { return ended_; }

    /// Called when the database has performed a sync of this worker.
    std::function<void(const sync_reply&)> after_sync{};

private:
    static constexpr duration longest_delay = std::chrono::milliseconds{2};

    void connect_to_begin() {
        then([this] {
            auto opened = run_.driver().connect(session_role::worker);
            if (!opened) return begin_failed(opened.error());
            if (auto begun = run_.begin(std::move(*opened)); !begun) return begin_failed(begun.error());
            step_to_begin();
        });
    }
    void step_to_begin() {
        const auto step = run_.step_to_begin();
        if (!step) return turn();
        then([this, step = *step] {
            auto begun = run_.begin_with(perform(step));
            if (!begun) return begin_failed(begun.error());
            step_to_begin();
        });
    }
    void begin_failed(const error_info& why) {
        const auto rest = run_.begin_failed(why, first_attempt_at_, where_->now());
        if (!rest) return void(ended_ = true);
        where_->after(*rest, [this] {
            if (run_.stop_requested()) return void(ended_ = true);
            connect_to_begin();
        });
    }

    void turn() {
        const auto now = where_->now();
        const auto a = run_.next(now);
        switch (a.what) {
        case fsm::worker_do::sync: return sync(a);
        case fsm::worker_do::wait: return wait(a.timeout);
        case fsm::worker_do::pause: return pause(a.timeout);
        case fsm::worker_do::run_claimed:
            run_.ran(run_.run_claimed(), now);
            return where_->after({}, [this] { turn(); });
        case fsm::worker_do::connect: return connect();
        case fsm::worker_do::stop: return end();
        default: return take_steps(a);
        }
    }

    void sync(const fsm::worker_action& a) {
        auto& world = where_->in();
        const auto sent = std::make_shared<sync_copy>(run_.request(a, where_->now()));
        const auto& rates = where_->rates();
        if (where_->is_cut_off() || world.chance(rates.lost_request)) return fail_later(a);
        if (world.chance(rates.late_request)) {
            where_->note("sends a sync that arrives late");
            // Half of them while the jobs of this worker may still run.
            const duration longest = world.chance(0.5) ? std::chrono::seconds{10} : 2 * response_timeout;
            world.after(world.between({}, longest), [this, sent] {
                where_->note("(its late sync arrives)");
                sync_reply nobody_reads;
                (void)deliver(0, *sent, nobody_reads);
                if (after_sync) after_sync(nobody_reads);
            });
            return fail_later(a);
        }
        const bool answered = !world.chance(rates.lost_answer);
        world.after(delay(), [this, a, sent, answered, on = connection_] {
            const auto reply = std::make_shared<sync_reply>();
            auto went = deliver(on, *sent, *reply);
            if (after_sync) after_sync(*reply);
            if (where_->in().keeps_trace()) note(a, *sent, *reply);
            if (!answered) {
                where_->note("(the answer to its sync is lost)");
                return fail_later(a);
            }
            then([this, a, reply, went = std::move(went)] {
                run_.reply() = std::move(*reply);
                if (went) run_.synced(a, where_->now());
                else run_.failed(a, went.error(), where_->now());
                turn();
            });
        });
    }
    // What happens at the server. The session that sent it may be gone.
    result<void> deliver(std::uint64_t on, const sync_copy& sent, sync_reply& reply) {
        if (on == connection_ && run_.session() != nullptr) return run_.session()->sync(sent.get(), reply);
        auto former = run_.driver().database().connect(session_role::worker);
        return former->sync(sent.get(), reply);
    }
    void fail_later(const fsm::worker_action& a) {
        where_->when_given_up(run_.limit(), [this, a] {
            ++connection_;
            run_.failed(a, connection_lost(), where_->now());
            turn();
        });
    }
    void note(const fsm::worker_action& a, const sync_copy& sent, const sync_reply& reply) const {
        const auto& r = sent.get();
        std::string text = "syncs:";
        for (const auto& f : r.finished) text += " ends " + std::to_string(f.id);
        for (const auto& p : r.progressed) text += (p.last ? " ends " : " continues ") + std::to_string(p.ref.id);
        for (const auto id : reply.lost) text += ", has lost " + std::to_string(id);
        for (const auto& l : reply.leases) {
            text += ", claims " + std::to_string(l.ref.id) + " of";
            for (const auto& j : l.jobs) text += " job " + std::to_string(j.id.value);
        }
        if (a.subscribe_wakes) text += ", sleeps";
        where_->note(text);
    }

    // Waits in the session: until a notification, or an interruption by wake().
    void wait(duration timeout) { rest(waiting_, timeout); }
    void look_for_wake() {
        if (waiting_ == 0 || where_->has_crashed() || where_->is_frozen()) return;
        if (!run_.session()->would_wake()) return;
        waiting_ = 0;
        run_.woken(run_.session()->wait({}).value());
        then([this] { turn(); });
    }
    void pause(duration timeout) { rest(pausing_, timeout); }
    void rest(std::uint64_t& kind, duration timeout) {
        kind = ++waits_;
        where_->after(timeout, [this, &kind, number = kind] {
            if (kind != number) return;
            kind = 0;
            turn();
        });
    }
    void end_pause() {
        if (std::exchange(pausing_, 0) == 0) return;
        where_->after({}, [this] { turn(); });
    }

    void connect() {
        then([this] {
            auto opened = run_.driver().connect(session_role::worker);
            ++connection_;
            if (opened) run_.connected(std::move(*opened));
            else run_.broke(opened.error(), where_->now());
            turn();
        });
    }
    void take_steps(const fsm::worker_action& a) {
        then([this, a] {
            if (run_.apply(a, perform(run_.step(a)), where_->now())) take_steps(a);
            else turn();
        });
    }
    detail::step_reply perform(const detail::session_step& step) {
        const auto& rates = where_->rates();
        auto& world = where_->in();
        if (where_->is_cut_off() || world.chance(rates.lost_request)) return connection_lost();
        auto reply = detail::execute(*run_.session(), step);
        if (world.chance(rates.lost_answer)) return connection_lost();
        return reply;
    }

    void end() {
        run_.interrupt_handlers();
        wait_for_handlers();
    }
    void wait_for_handlers() {
        if (run_.handlers_run(where_->now()))
            return where_->after(std::chrono::milliseconds{1}, [this] { wait_for_handlers(); });
        run_.when_executor_idle([this] {
            where_->after({}, [this] {
                run_.when_heartbeat_ended([] {});
                run_.end_threads();
                const auto step = run_.step_to_end();
                run_.ended(step ? perform(*step) : detail::step_value{});
                ended_ = true;
                where_->note("has ended");
            });
        });
    }

    template <class F>
    void then(F f) {
        where_->after(delay(), std::move(f));
    }
    duration delay() { return where_->in().between({}, longest_delay); }

    std::shared_ptr<process> where_;
    handlers_type handlers_;
    table_type table_;
    detail::worker_monitor monitor_{};
    run_type run_;
    steady_time first_attempt_at_{};
    std::uint64_t connection_ = 1;  // the number of the present one
    std::uint64_t waits_ = 0;
    std::uint64_t waiting_ = 0, pausing_ = 0;  // the number of the wait, or 0
    bool ended_ = false;
};

}  // namespace pgq::simulation
