#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/detail/unit_random.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/error/result.hpp>
#include <pgq/event/events.hpp>
#include <pgq/fsm/reconnect.hpp>
#include <pgq/fsm/scheduler.hpp>
#include <pgq/fsm/start.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/schedule/declared_schedule.hpp>
#include <pgq/schedule/schedule_options.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

/// One call of scheduler::run: a session and the calling thread, for the machine fsm::scheduler.
template <class Driver, class Observer>
class schedule_loop {
    using clock = std::chrono::steady_clock;
    using session_type = typename Driver::session;

public:
    /// All must outlive the loop. `lanes` are the names of the queue's lanes.
    schedule_loop(const Driver& driver, Observer& observer, std::string_view queue, std::span<const lane_name> lanes,
                  const std::vector<declared_schedule>& declared, const scheduler_options& options,
                  std::stop_token stop)
        : driver_{&driver},
          observer_{&observer},
          queue_{queue},
          lane_names_{lanes},
          declared_{&declared},
          options_{&options},
          machine_{[&options](std::string_view name) { return find_zone(options, name); }, options.poll_interval},
          stop_{std::move(stop)},
          on_stop_{stop_, wait_ender{this}} {
        for (const auto& d : declared) names_.push_back(d.name());
    }

    result<void> work() {
        if (auto begun = begin(); !begun) return stop_.stop_requested() ? result<void>{} : begun;
        fire_ticks();
        return {};
    }

    /// Declares, and loads for the first time. Tries again while that may help.
    result<void> begin() {
        fsm::start retries{options_->connect_timeout};
        for (const auto first = clock::now();;) {
            auto begun = try_to_begin();
            if (begun) return begun;
            set_session(std::nullopt);
            if (stop_.stop_requested()) return begun;
            const auto delay = retries.failed(begun.error().code, unit_random(), first, clock::now());
            if (!delay) return begun;
            notify(*observer_, event::connection_failed{begun.error(), *delay});
            pause(*delay);
        }
    }
    /// After begin(): fires until a stop is requested.
    void fire_ticks() {
        for (;;) {
            if (stop_.stop_requested()) machine_.stop();
            const auto a = machine_.next(clock::now());
            if (a.what == fsm::scheduler_do::stop) return;
            if (auto done = session_ ? perform(a) : connect(); !done) failed(done.error());
        }
    }

private:
    struct wait_ender {
        schedule_loop* loop;
        void operator()() const { loop->end_wait(); }
    };

    result<void> try_to_begin() {
        if (auto opened = connect(); !opened) return opened;
        auto lanes = session_->lanes(queue_, lane_names_);
        if (!lanes) return std::move(lanes.error());
        for (const auto& d : *declared_)
            if (auto stored = session_->declare_schedule(queue_, d.definition(*lanes)); !stored)
                return std::move(stored.error());
        if (options_->prune_after)
            if (auto pruned = session_->prune_schedules(queue_, *options_->prune_after); !pruned)
                return std::move(pruned.error());
        return load();
    }

    result<void> connect() {
        auto opened = connect_within(*driver_, session_role::client, limit_);
        if (!opened) return std::move(opened.error());
        set_session(std::move(*opened));
        machine_.changed();  // what was changed meanwhile was not received
        return {};
    }
    result<void> perform(const fsm::scheduler_action& a) {
        auto done = a.what == fsm::scheduler_do::load   ? load()
                    : a.what == fsm::scheduler_do::fire ? fire()
                                                        : wait(a.timeout);
        if (!done) return done;
        if (retry_.tries() > 0) notify(*observer_, event::connection_restored{});
        retry_.succeeded();
        return done;
    }
    void failed(const error_info& why) {
        machine_.failed();
        if (ends_session(why)) set_session(std::nullopt);
        const duration delay = retry_.failed(unit_random());
        notify(*observer_, event::connection_failed{why, delay});
        pause(delay);
    }

    result<void> load() {
        auto list = session_->schedules(queue_, names_);
        if (!list) return std::move(list.error());
        for (const auto& e : machine_.loaded(*list, clock::now())) notify(*observer_, event::error{e});
        return {};
    }
    result<void> fire() {
        const auto all = machine_.firings();
        auto reply = session_->fire_schedules(queue_, all);
        if (!reply) return std::move(reply.error());
        for (std::size_t i = 0; i < all.size() && i < reply->all.size(); ++i) report(all[i], i, *reply);
        machine_.fired(*reply, clock::now());
        return {};
    }
    result<void> wait(duration timeout) {
        auto woken = session_->wait(timeout);
        if (!woken) return std::move(woken.error());
        if (*woken == wake_reason::notified) machine_.changed();
        return {};
    }

    void report(const schedule_firing& f, std::size_t i, const fire_reply& reply) {
        const fire_answer& a = reply.all[i];
        if (a.outcome != fire_outcome::fired) return;
        if (const auto& gap = machine_.missed(i))
            notify(*observer_, event::schedule_missed{.schedule = f.name, .from = gap->from, .to = gap->to});
        for (std::size_t k = 0; k < a.ticks.size() && k < f.ticks.size(); ++k) {
            const fired_tick& t = a.ticks[k];
            if (t.job)
                notify(
                    *observer_,
                    event::schedule_fired{
                        .schedule = f.name, .scheduled_at = f.ticks[k], .job = *t.job, .late = reply.now - f.ticks[k]});
            else
                notify(*observer_,
                       event::schedule_skipped{.schedule = f.name, .scheduled_at = f.ticks[k], .reason = t.reason});
        }
    }

    void set_session(std::optional<session_type> s) {
        const std::lock_guard lock{mutex_};
        session_ = std::move(s);
    }
    // Without a session, or with one that the server gives no answer.
    void pause(duration d) {
        std::unique_lock lock{mutex_};
        (void)changed_.wait_for(lock, d, [this] { return stopping_; });
    }
    // May be called from any thread. A call of the session that waits for the server ends within a second.
    void end_wait() {
        limit_.bring_forward(clock::now() + std::chrono::seconds{1});
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
            if (session_) session_->interrupt();
        }
        changed_.notify_all();
    }

    const Driver* driver_;
    Observer* observer_;
    std::string_view queue_;
    std::span<const lane_name> lane_names_;
    const std::vector<declared_schedule>* declared_;
    const scheduler_options* options_;
    std::vector<std::string> names_{};
    fsm::scheduler machine_;
    fsm::reconnect retry_{};
    call_limit limit_{};
    std::mutex mutex_;  // for session_, which end_wait() reads, and stopping_
    std::condition_variable changed_;
    bool stopping_ = false;
    std::optional<session_type> session_;
    std::stop_token stop_;
    std::stop_callback<wait_ender> on_stop_;  // the last member: it uses the others
};

}  // namespace pgq::detail
