#pragma once

#include <pgq/diagnostic/calls.hpp>
#include <pgq/diagnostic/schedules.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/client/queue.hpp>
#include <pgq/cron/every.hpp>
#include <pgq/cron/expression.hpp>
#include <pgq/cron/refused.hpp>
#include <pgq/error/result.hpp>
#include <pgq/fsm/scheduler.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/schedule/cron.hpp>
#include <pgq/schedule/declared_schedule.hpp>
#include <pgq/schedule/schedule_loop.hpp>
#include <pgq/schedule/schedule_options.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq {

/// Enqueues jobs again and again, at the times of cron expressions:
///
///     pgq::scheduler nightly{jobs};
///     nightly.every<"0 3 * * *">(clean_up{}).value();
///     nightly.run(stop).value();
///
/// A schedule is stored in the database, under a name that is unique in its queue. It survives the program. As many
/// schedulers as you like may run, in any programs: each tick is fired once, by one of them, also the ticks of
/// schedules that another program has declared. A scheduler waits for the next tick; it does not poll.
///
/// `every` only keeps a schedule in this object. `run`, or `declare`, stores all of them. A stored schedule with the
/// same name is changed, but stays paused if it is paused. Schedules that this object does not name stay as they are.
///
/// One thread at a time calls `every`. Any thread may call the members below "Stored schedules"; they use the
/// connection of the queue object.
template <class Queue>
class scheduler {
    using composition = typename Queue::composition_type;
    using driver_type = typename Queue::driver_type;
    using core_type = typename Queue::core_type;
    using can_fire = diagnostic::require_schedules<driver_type>;
    static_assert(sizeof(can_fire) != 0);

public:
    explicit scheduler(const Queue& queue, scheduler_options options = {})
        : core_{queue.shared_core()}, options_{std::move(options)} {}

    /// Enqueues `job` at each time of a cron expression that the compiler checks.
    template <cron::literal Expression, class Job>
    result<void> every(const Job& job, schedule_options options = {}) {
        // As cron::valid. As a constraint it would make Clang print a second error.
        static constexpr auto error = cron::detail::read<Expression>.error;
        static_assert(sizeof(cron::refused<error.what, error.where, error.character>) != 0);
        return add(std::string{Expression.view()}, job, std::move(options));
    }
    /// The same with an expression that is known when the program runs. A wrong one is errc::invalid_cron.
    template <class Job>
    result<void> every(std::string_view expression, const Job& job, schedule_options options = {}) {
        if (auto read = cron::expression::parse(expression); !read) return std::move(read.error());
        return add(std::string{expression}, job, std::move(options));
    }
    /// The same at each multiple of an interval since 1970, in UTC: a whole number of seconds.
    template <class Rep, class Period, class Job>
    result<void> every(std::chrono::duration<Rep, Period> interval, const Job& job, schedule_options options = {}) {
        const auto whole = std::chrono::duration_cast<std::chrono::seconds>(interval);
        if (whole != interval)
            return error_info{errc::invalid_option, "the interval of a schedule is not a whole number of seconds"};
        return every("@every " + std::to_string(whole.count()) + "s", job, std::move(options));
    }

    /// Stores the schedules of this object. `run` does it, too. For a program that leaves the firing to others.
    result<void> declare() {
        return call([&](auto& session, const std::vector<lane_id>& lanes) -> result<void> {
            for (const auto& d : declared_)
                if (auto stored = session.declare_schedule(name(), d.definition(lanes)); !stored)
                    return std::move(stored.error());
            return {};
        });
    }

    /// Stores the schedules of this object, then fires all of the queue until a stop is requested.
    ///
    /// Returns an error only if it cannot start (no connection, no schema, bad option). If the connection breaks later,
    /// it reconnects and reports the error to the observer of the queue. It may be called again after it has returned.
    result<void> run(std::stop_token stop = {}) {
        if constexpr (!can_fire()) return errc::invalid_option;
        else {
            if (auto fine = detail::check(options_); !fine) return fine;
            const auto lanes = core_->connection.lane_names();
            if (!lanes) return lanes.error();
            detail::schedule_loop<driver_type, typename Queue::observer_type> loop{
                core_->connection.driver(), core_->observer, name(), *lanes, declared_, options_, std::move(stop)};
            return loop.work();
        }
    }

    // Stored schedules

    /// All schedules of the queue, in the order of their names. `next_at` is the next tick, if this program can read
    /// the expression and the zone; it is empty if there is none.
    result<std::vector<stored_schedule>> list() {
        return call([&](auto& session, auto&) -> result<std::vector<stored_schedule>> {
            auto found = session.schedules(name(), {});
            if (!found) return std::move(found.error());
            for (auto& s : found->all) {
                const auto when = cron::expression::parse(s.expression);
                const auto zone = detail::find_zone(options_, s.zone);
                if (when && zone && s.next_at) s.next_at = fsm::first_tick(*when, *zone, *s.next_at, s.ends_at);
            }
            return std::move(found->all);
        });
    }
    /// Fires no more ticks of it until `resume`. False if there is no such schedule, or if it is paused.
    result<bool> pause(std::string_view schedule, std::string_view reason = {}) {
        if (!detail::is_storable_text(reason))
            return error_info{errc::invalid_text, "the reason of a pause is not UTF-8, or holds a zero byte"};
        return change(schedule, schedule_change::pause, reason);
    }
    /// Ticks of the pause are not fired. False if there is no such schedule, or if it is not paused.
    result<bool> resume(std::string_view schedule) { return change(schedule, schedule_change::resume); }
    /// False if there is no such schedule. A program that declares it stores it again when it starts.
    result<bool> remove(std::string_view schedule) { return change(schedule, schedule_change::remove); }
    /// Enqueues its job now, beside its ticks, even if it is paused. Empty if its `overlap` or its unique key forbids
    /// it. errc::invalid_option if there is no such schedule, or if the job cannot be enqueued.
    result<std::optional<job_id>> fire_now(std::string_view schedule) {
        auto reply = changed(schedule, schedule_change::fire_now, {});
        if (!reply) return std::move(reply.error());
        if (!reply->changed)
            return error_info{errc::invalid_option, "there is no schedule \"" + std::string{schedule} + "\""};
        if (!reply->fired.reason.empty())
            return error_info{errc::invalid_option, "the job cannot be enqueued: " + reply->fired.reason};
        return reply->fired.job;
    }
    /// Removes the schedules of the queue that no program has declared for so long. Returns how many. A program that
    /// runs declares its schedules again each half hour.
    result<std::int64_t> prune(duration unused_for) {
        return call([&](auto& session, auto&) { return session.prune_schedules(name(), unused_for); });
    }

private:
    const std::string& name() const noexcept { return core_->connection.name(); }

    template <class Job>
    result<void> add(std::string expression, const Job& job, schedule_options options) {
        if constexpr (!diagnostic::require_known_job<composition, Job>()) return errc::invalid_option;
        else {
            if (options.name.empty()) options.name = entrypoint_of<Job>;
            if (auto fine = detail::check(options, options_); !fine) return fine;
            if (std::ranges::any_of(declared_, [&](const auto& d) { return d.name() == options.name; }))
                return error_info{errc::invalid_option, "two schedules have the name \"" + options.name + "\"",
                                  "give each a name: {.name = ...}"};
            auto made = detail::declared_schedule::make<composition>(std::move(expression), job, std::move(options),
                                                                     core_->keep_results);
            if (!made) return std::move(made.error());
            declared_.push_back(std::move(*made));
            return {};
        }
    }

    // Calls `use(session, lanes)` at the connection of the queue object.
    template <class Use>
    auto call(Use use) {
        return core_->connection.with(std::move(use));
    }

    result<schedule_change_reply> changed(std::string_view schedule, schedule_change what, std::string_view reason) {
        return call([&](auto& session, auto&) { return session.change_schedule(name(), schedule, what, reason); });
    }
    result<bool> change(std::string_view schedule, schedule_change what, std::string_view reason = {}) {
        auto reply = changed(schedule, what, reason);
        return reply ? result<bool>{reply->changed} : result<bool>{std::move(reply.error())};
    }

    std::shared_ptr<core_type> core_;
    scheduler_options options_;
    std::vector<detail::declared_schedule> declared_{};
};

template <class Queue>
scheduler(const Queue&, scheduler_options) -> scheduler<Queue>;
template <class Queue>
scheduler(const Queue&) -> scheduler<Queue>;

}  // namespace pgq
