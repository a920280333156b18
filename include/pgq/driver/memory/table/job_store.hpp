#pragma once

#include <pgq/driver/memory/table/clock.hpp>
#include <pgq/driver/memory/table/failure_table.hpp>
#include <pgq/driver/memory/table/job.hpp>
#include <pgq/driver/memory/table/minute_table.hpp>
#include <pgq/driver/memory/table/tracked_job.hpp>
#include <pgq/driver/memory/table/tracked_table.hpp>
#include <pgq/driver/memory/table/waiting_jobs.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/protocol/own_settings.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// The waiting jobs together with the table of tracked jobs. When a job ends, this class applies the consequences: the
/// outcome, the jobs that depend on it, the dead letter route.
class job_store : public waiting_jobs {
public:
    tracked_table& tracked() noexcept { return tracked_; }

    /// The lanes that changed in the current step: a worker that sleeps on them must be woken. The caller clears them.
    std::vector<lane_id>& touched() noexcept { return touched_; }
    void touch(lane_id lane) { touched_.push_back(lane); }

    /// Makes deferred jobs that are due ready. Returns how many there were.
    std::uint32_t promote(time_point now) {
        (void)expire(now);
        return waiting_jobs::promote(now, touched_);
    }
    /// The time until the next deferred job is due or the next job expires; none if there is neither.
    std::optional<duration> next_due(time_point now) const {
        const auto due = waiting_jobs::next_due(now);
        const auto expiry = tracked_.next_expiry();
        if (!expiry) return due;
        const duration left = time_until(*expiry, now);
        return due ? std::min(*due, left) : left;
    }

    /// The job has ended. The caller has already removed it from its lease or from the waiting jobs.
    void end(const job& j, end_kind how, time_point now, std::string_view reason = {},
             std::optional<std::string_view> result = {}) {
        if ((j.flags & flag_tracked) == 0) return;
        ended_job e{.id = j.id, .kind = how, .attempts = j.attempts, .reason = std::string{reason}};
        e.has_result = result.has_value();
        e.result = result.value_or(std::string_view{});
        apply(tracked_.end(std::move(e), now), now);
    }
    /// A worker reports what becomes of a job that it ran.
    void settle(job j, const settlement& s, time_point now) {
        if (s.kind == settle_kind::expire) return settle_expired(std::move(j), now);
        if (s.kind == settle_kind::release) uncount_attempt(j);
        const bool failed = s.kind == settle_kind::hold || (s.kind == settle_kind::retry && !is_stop_requested(j));
        if (failed && !s.reason.empty()) add_failure(j, now, s.reason);
        if (s.kind == settle_kind::done) return end(j, end_kind::done, now, s.reason, s.result);
        if (s.kind == settle_kind::discard) return end(j, end_kind::discarded, now, s.reason, s.result);
        if (s.kind == settle_kind::hold) {
            hold_or_route(j, s.reason, now);
            return end(j, end_kind::held, now, s.reason, s.result);
        }
        if (is_stop_requested(j)) return end(j, end_kind::cancelled, now, s.reason, s.result);
        touch(j.lane);
        watch_expiry(j);
        j.flags = s.kind == settle_kind::retry ? static_cast<std::int16_t>(j.flags & flag_tracked)
                                               : flags_without_run(j.flags);
        if (s.delay <= duration::zero()) return add_ready(std::move(j));
        j.since = now;
        defer(detached_copy(j), add_saturated(now, std::chrono::ceil<std::chrono::microseconds>(s.delay)));
    }
    /// Returns a job that its worker did not run. The attempt does not count.
    void give_back(job j, time_point now) {
        uncount_attempt(j);
        if (is_stop_requested(j)) minutes_.count(j.lane, end_kind::cancelled, now);
        give_back_uncounted(std::move(j), now);
    }
    static constexpr const char* worker_died = "its worker died";  ///< why a rescue holds a job

    /// Returns a job of a dead worker; `max_attempts` is that of its lease, `open` and `marked` are as for
    /// judge_crash(). The result tells what became of
    /// it: `retry`, `hold`, or `discard` if it was cancelled.
    settle_kind rescue(job j, std::int16_t max_attempts, std::int64_t open, bool marked, time_point now) {
        constexpr std::string_view reason = worker_died;
        touch(j.lane);  // the limits of the lane allow more jobs now
        const std::int16_t most = rescued_attempts_of(j.headers, max_attempts);
        const crash_decision decision = judge_crash(j.attempts, j.flags, most, open, marked);
        j.attempts = decision.attempts;
        if (is_stop_requested(j)) {
            minutes_.count(j.lane, end_kind::cancelled, now);
            return end(j, end_kind::cancelled, now), settle_kind::discard;
        }
        j.flags = decision.flags;
        if (!decision.counts || j.attempts < most) return watch_expiry(j), add_ready(std::move(j)), settle_kind::retry;
        add_failure(j, now, reason);
        minutes_.count(j.lane, end_kind::held, now);
        hold_or_route(j, reason, now);
        end(j, end_kind::held, now, reason);
        return settle_kind::hold;
    }

    /// Removes waiting jobs. Returns how many there were. `ids` must be sorted.
    std::int64_t cancel(std::span<const job_id> ids, time_point now) {
        const auto removed = remove(ids);
        for (const job& j : removed) tracked_.remove_parents(j.id);
        for (const job& j : removed) minutes_.count(j.lane, end_kind::cancelled, now);
        for (const job& j : removed) end(j, end_kind::cancelled, now);
        return static_cast<std::int64_t>(removed.size());
    }
    /// Makes held jobs ready, with no attempts counted. Returns how many there were.
    std::int64_t requeue(std::span<const job_id> ids, time_point now) {
        std::int64_t n = 0;
        for (const job_id id : ids) {
            if (!is_held(id) || !tracked_.restart(id, now)) continue;
            job j = *remove_held(id);
            j.attempts = 0;
            j.flags = static_cast<std::int16_t>(j.flags & flag_tracked);
            touch(j.lane);
            add_ready(std::move(j));
            ++n;
        }
        return n;
    }
    /// Makes deferred jobs ready before their time. Returns how many there were.
    std::int64_t run_now(std::span<const job_id> ids) {
        std::int64_t n = 0;
        for (const job_id id : ids) {
            auto j = remove_deferred(id);
            if (!j) continue;
            touch(j->lane);
            add_ready(std::move(*j));
            ++n;
        }
        return n;
    }
    /// Deletes held jobs. Returns how many there were.
    std::int64_t drop(std::span<const job_id> ids, time_point now) {
        std::int64_t n = 0;
        for (const job_id id : ids) {
            const auto why = held_reason(id);
            if (!why) continue;
            const std::string reason{why->second};
            end(*remove_held(id), end_kind::discarded, now, reason);
            ++n;
        }
        return n;
    }
    /// Moves ready, deferred and held jobs to another lane. Returns how many were elsewhere. `ids` must be sorted.
    std::int64_t move(std::span<const job_id> ids, lane_id to) {
        const auto moved = change_lane(ids, to);
        for (const job_id id : moved) tracked_.change_lane(id, to);
        if (!moved.empty()) touch(to);
        return static_cast<std::int64_t>(moved.size());
    }
    /// Ends the waiting jobs that have expired and have not begun. Returns how many there were.
    std::int64_t expire(time_point now) {
        const auto expired = tracked_.take_expired(now);
        if (expired.empty()) return 0;
        for (const job_id id : begun_among(expired)) tracked_.clear_expiry(id);
        std::vector<job_id> waiting;
        for (const job_id id : expired)
            if (tracked_.expiry_of(id)) waiting.push_back(id);
        auto removed = remove(waiting);
        // A child of several of them names the first one, as in PostgreSQL.
        std::sort(removed.begin(), removed.end(), [](const job& a, const job& b) { return a.id < b.id; });
        for (const job& j : removed) tracked_.remove_parents(j.id);
        for (const job& j : removed) end_expired(j, now);
        return static_cast<std::int64_t>(removed.size());
    }
    /// Expires, and removes outcomes and unique keys whose time has passed.
    purge_reply expire_and_purge(time_point now) {
        purge_reply reply{.expired = expire(now)};
        reply.purged = tracked_.purge(now) + failures_.purge(now);
        minutes_.prune(now);
        return reply;
    }

    /// The lane of the dead letters of a lane; nothing if they are held.
    std::optional<lane_id> dead_letters_of(lane_id lane) const {
        const auto route = dead_letter_routes_.find(lane);
        return route == dead_letter_routes_.end() ? std::nullopt : std::optional{route->second.to};
    }

    /// How many blocked jobs have become ready or deferred since the last call.
    std::uint32_t take_unblocked() noexcept { return std::exchange(unblocked_, 0); }

    std::vector<failed_attempt> failures(job_id id) const { return failures_.of(id); }
    failure_table& all_failures() noexcept { return failures_; }
    /// What ended without a worker is counted there, too.
    minute_table& minutes() noexcept { return minutes_; }
    /// From now on, jobs of `lane` that would be held go to the lane `to`. Without `to`, they are held. `queue` is the
    /// name of the queue of `lane`.
    void set_dead_letter_route(lane_id lane, std::optional<lane_id> to, std::string queue) {
        tracked_.set_dead_letter_route(lane, to.has_value());
        if (to) dead_letter_routes_.insert_or_assign(lane, dead_letter_route{*to, std::move(queue)});
        else dead_letter_routes_.erase(lane);
    }

    /// How the job ended. None while the job is open; `end_kind::unknown` if nothing is known of it.
    std::optional<ended_job> outcome(job_id id) {
        if (const ended_job* const how = tracked_.outcome(id)) return *how;
        const tracked_job* const known = tracked_.find(id);
        if (known == nullptr) return ended_job{.id = id};
        if (!known->held) return std::nullopt;
        ended_job e{.id = id, .kind = end_kind::held};
        if (const auto why = held_reason(id)) e.attempts = why->first, e.reason = why->second;
        return e;
    }

    /// Moves blocked jobs as their actions say.
    void apply(const std::vector<unblock_action>& actions, time_point now) {
        for (const unblock_action& action : actions) {
            auto j = remove_blocked(action.id);
            if (!j) continue;
            const bool cancelled = action.what == unblock_action::kind::cancel;
            if (cancelled || action.what == unblock_action::kind::hold)
                minutes_.count(j->lane, cancelled ? end_kind::cancelled : end_kind::held, now);
            if (cancelled) continue;
            if (action.what == unblock_action::kind::hold) {
                hold_or_route(*j, action.reason, now);
                continue;
            }
            touch(j->lane);
            ++unblocked_;
            j->since = now;
            if (action.run_at && *action.run_at > now) defer(std::move(*j), *action.run_at);
            else add_ready(std::move(*j));
        }
    }

private:
    struct dead_letter_route {
        lane_id to{};
        std::string from_queue{};
    };

    void add_failure(const job& j, time_point now, std::string_view reason) {
        failures_.add({.id = j.id, .lane = j.lane, .attempt = j.attempts, .at = now, .reason = std::string{reason}});
    }
    static bool is_stop_requested(const job& j) noexcept { return (j.flags & flag_stop) != 0; }
    static void uncount_attempt(job& j) noexcept {
        if (j.attempts > 0) --j.attempts;
    }
    // The waiting jobs among these that have begun before.
    std::vector<job_id> begun_among(const std::vector<job_id>& ids) {
        std::vector<job_id> begun;
        for_each([&](const job& j, job_state) {
            if (j.attempts > 0 && std::binary_search(ids.begin(), ids.end(), j.id)) begun.push_back(j.id);
        });
        return begun;
    }
    void watch_expiry(const job& j) {
        if ((j.flags & flag_tracked) == 0) return;
        j.attempts == 0 ? tracked_.watch_expiry(j.id) : tracked_.clear_expiry(j.id);
    }
    void end_expired(const job& j, time_point now) {
        constexpr std::string_view reason = "it expired";
        const tracked_job* const known = tracked_.find(j.id);
        const bool held = known != nullptr && known->if_expired == on_expiry::hold;
        minutes_.count(j.lane, held ? end_kind::held : end_kind::expired, now);
        if (held) hold_or_route(j, reason, now);
        end(j, held ? end_kind::held : end_kind::expired, now, reason);
    }
    // A worker found the job expired before it began. The clock of this store decides.
    void settle_expired(job j, time_point now) {
        uncount_attempt(j);
        const auto at = tracked_.expiry_of(j.id);
        if (is_stop_requested(j) || !at || *at > now) return give_back_uncounted(std::move(j), now);
        end_expired(j, now);
    }
    void give_back_uncounted(job j, time_point now) {
        touch(j.lane);
        if (is_stop_requested(j)) return end(j, end_kind::cancelled, now);
        watch_expiry(j);
        j.flags = flags_without_run(j.flags);
        add_ready(std::move(j));
    }
    /// Holds the job. If its lane has a dead letter route, sends it there instead.
    void hold_or_route(const job& j, std::string_view reason, time_point now) {
        const auto route = dead_letter_routes_.find(j.lane);
        if (route != dead_letter_routes_.end()) return send_dead_letter(j, route->second, reason);
        job copy = detached_copy(j);
        copy.since = now;
        copy.flags = static_cast<std::int16_t>(copy.flags & flag_tracked);  // a stop request ends here
        hold(std::move(copy), reason);
    }
    void send_dead_letter(const job& j, const dead_letter_route& route, std::string_view reason) {
        const std::string attempts = std::to_string(j.attempts);
        std::vector<header> headers{j.headers.begin(), j.headers.end()};
        std::erase_if(headers, [](const header& h) {
            return h.name == "pgq-died-in" || h.name == "pgq-died-of" || h.name == "pgq-attempts";
        });
        headers.insert(headers.end(),
                       {{"pgq-died-in", route.from_queue}, {"pgq-died-of", reason}, {"pgq-attempts", attempts}});
        job copy = j;
        copy.headers = headers;
        copy = detached_copy(copy);
        copy.lane = route.to;
        copy.attempts = copy.flags = 0;
        touch(copy.lane);
        add_ready(std::move(copy));
    }

    std::map<lane_id, dead_letter_route> dead_letter_routes_{};
    failure_table failures_{};
    minute_table minutes_{};
    tracked_table tracked_{};
    std::vector<lane_id> touched_{};
    std::uint32_t unblocked_ = 0;
};

}  // namespace pgq::driver::in_memory
