#pragma once

#include <pgq/driver/memory.hpp>
#include <pgq/fsm/reconnect.hpp>
#include <pgq/fsm/scheduler.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/schedule/declared_schedule.hpp>
#include <pgq/schedule/schedule_options.hpp>
#include <pgq/testing/simulation/process.hpp>
#include <pgq/time/call_limit.hpp>

#include "jobs.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace simulated {

/// A scheduler in simulated time: fsm::scheduler decides as in detail::schedule_loop. The faults of its process delay
/// and lose its calls. It declares that a `tick` is enqueued each twenty seconds, also for all ticks that were missed.
class scheduler {
    using process = pgq::simulation::process;
    using session = pgq::driver::memory::session;

public:
    scheduler(std::shared_ptr<process> where, pgq::driver::memory database, std::vector<pgq::lane_id> lanes)
        : where_{std::move(where)}, database_{std::move(database)}, lanes_{std::move(lanes)} {
        where_->in().after_each_event([this] { look_for_wake(); });
    }
    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;

    void start() { turn(); }
    void request_stop() { machine_.stop(); }

private:
    void turn() {
        if (!session_) return connect();
        const auto a = machine_.next(where_->now());
        switch (a.what) {
        case pgq::fsm::scheduler_do::load: return load();
        case pgq::fsm::scheduler_do::fire: return fire();
        case pgq::fsm::scheduler_do::wait: return wait(a.timeout);
        case pgq::fsm::scheduler_do::stop: return;
        }
    }

    void connect() {
        where_->after(delay(), [this] {
            if (where_->is_cut_off()) return failed();
            session_ = std::make_shared<session>(database_.connect(pgq::session_role::client).value());
            machine_.changed();
            if (declared_) return turn();
            call([this](session& s) { return s.declare_schedule("default", schedule_.definition(lanes_)); },
                 [this](const auto&) { declared_ = true; });
        });
    }
    void load() {
        call([this](session& s) { return s.schedules("default", names_); },
             [this](const pgq::result<pgq::schedule_list>& list) { (void)machine_.loaded(*list, where_->now()); });
    }
    void fire() {
        const std::vector all(machine_.firings().begin(), machine_.firings().end());
        call([all](session& s) { return s.fire_schedules("default", all); },
             [this](const pgq::result<pgq::fire_reply>& reply) { machine_.fired(*reply, where_->now()); });
    }
    void wait(pgq::duration timeout) {
        waiting_ = ++waits_;
        where_->after(timeout, [this, number = waits_] {
            if (waiting_ == number) end_wait();
        });
    }
    void look_for_wake() {
        if (waiting_ == 0 || where_->has_crashed() || where_->is_frozen() || !session_->would_wake()) return;
        (void)session_->wait({});
        machine_.changed();
        end_wait();
    }
    void end_wait() {
        waiting_ = 0;
        turn();
    }

    template <class Verb, class Then>
    void call(Verb verb, Then then) {
        auto& world = where_->in();
        const auto& rates = where_->rates();
        if (where_->is_cut_off() || world.chance(rates.lost_request)) return fail_later();
        if (world.chance(rates.late_request)) {
            world.after(world.between({}, 2 * pgq::simulation::response_timeout),
                        [verb, s = session_] { (void)verb(*s); });
            return fail_later();
        }
        const bool answered = !world.chance(rates.lost_answer);
        world.after(delay(), [this, verb, then, answered, s = session_] {
            auto reply = verb(*s);
            if (!answered) return fail_later();
            where_->after(delay(), [this, then, reply = std::move(reply)] {
                if (!reply) return failed();
                retry_.succeeded();
                then(reply);
                turn();
            });
        });
    }
    void fail_later() {
        where_->when_given_up(limit_, [this] { failed(); });
    }
    void failed() {
        machine_.failed();
        session_.reset();
        where_->after(retry_.failed(static_cast<double>(where_->in().below(1001)) / 1000), [this] { turn(); });
    }
    pgq::duration delay() { return where_->in().between({}, std::chrono::milliseconds{2}); }

    static pgq::detail::declared_schedule each_twenty_seconds() {
        return pgq::detail::declared_schedule::make<queue::composition_type>(
                   "*/20 * * * * *", tick{}, {.name = "tick", .missed = pgq::missed::all(pgq::most_missed_ticks)}, {})
            .value();
    }

    std::shared_ptr<process> where_;
    pgq::driver::memory database_;
    std::vector<pgq::lane_id> lanes_;
    pgq::detail::declared_schedule schedule_ = each_twenty_seconds();
    std::vector<std::string> names_{schedule_.name()};
    pgq::fsm::scheduler machine_{[](std::string_view) -> pgq::result<pgq::cron::any_zone> {
        return pgq::error_info{pgq::errc::invalid_option, "no zones are needed"};
    }};
    pgq::fsm::reconnect retry_{};
    pgq::call_limit limit_{};
    std::shared_ptr<session> session_{};
    bool declared_ = false;
    std::uint64_t waits_ = 0, waiting_ = 0;  // the number of the wait, or 0
};

}  // namespace simulated
