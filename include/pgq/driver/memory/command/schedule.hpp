#pragma once

#include <pgq/driver/memory/command/admin.hpp>
#include <pgq/driver/memory/command/enqueue.hpp>
#include <pgq/driver/memory/table/clock.hpp>
#include <pgq/driver/memory/table/schedule_table.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/scheduled_at.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

namespace detail {

inline bool same_job(const enqueue_batch& one, const enqueue_batch& two) {
    const enqueue_request a = one.request({}), b = two.request({});
    const enqueue_options &x = a.options[0], &y = b.options[0];
    const auto numbers = [](const enqueue_options& o) {
        return std::tuple{std::int16_t{o.priority}, o.run_at.how(),         o.run_at.micros(),
                          o.expected_at.how(),      o.expected_at.micros(), o.expires_at.how(),
                          o.expires_at.micros(),    o.if_expired,           o.keep_outcome};
    };
    const auto key = [](const enqueue_options& o) {
        const unique& u = o.unique_key;
        return std::tuple{u.key(), u.scope(), u.period(), u.then()};
    };
    const auto text = [](const enqueue_request& r) {
        return std::pair{(*r.bodies)[0], r.has_keys() ? (*r.keys)[0] : std::string_view{}};
    };
    return text(a) == text(b) && numbers(x) == numbers(y) && key(x) == key(y) &&
           std::ranges::equal(x.headers, y.headers);
}

// Enqueues the job of a tick.
inline fired_tick fire(tables& db, schedule& s, time_point tick) {
    if (s.rule.overlap == overlap::cancel_running && s.rule.fired_job) (void)cancel(db, {*s.rule.fired_job}, true);
    const enqueue_request job = s.job.request(s.rule.lane);
    const std::string at = pgq::detail::format_tick(tick);
    std::vector<header> headers{job.options[0].headers.begin(), job.options[0].headers.end()};
    headers.push_back({pgq::detail::schedule_header, s.rule.name});
    headers.push_back({pgq::detail::scheduled_at_header, at});
    enqueue_options options = job.options[0];
    options.headers = headers;
    std::vector<enqueued_job> put;
    auto done = enqueue_tracked(
        db, {.lanes = {&job.lane, 1}, .bodies = job.bodies, .options = {&options, 1}, .keys = job.keys}, put);
    if (!done) return {.reason = done.error().message};
    if (!put[0].is_new) return {};
    s.rule.fired_job = put[0].id;
    db.workers.wake_one(job.lane, {});
    return {.job = put[0].id};
}

}  // namespace detail

/// False if it is stored already as it is. If its times change, it begins anew.
inline bool declare_schedule(tables& db, std::string_view queue, const schedule_definition& d) {
    const time_point now = db.clock.now();
    schedule made;
    made.rule = {.name = std::string{d.name},
                 .entrypoint = db.lanes.key(d.job.lane).entrypoint,
                 .lane = d.job.lane,
                 .expression = std::string{d.expression},
                 .zone = std::string{d.zone},
                 .jitter = d.jitter,
                 .starts_at = d.starts_at,
                 .ends_at = d.ends_at,
                 .missed_count = d.missed_count,
                 .missed_age = d.missed_age,
                 .overlap = d.overlap,
                 .next_at = std::max(now, d.starts_at.value_or(now)),
                 .declared_at = now};
    made.job.written().bytes() += (*d.job.bodies)[0];
    made.job.written().close();
    if (d.job.has_keys()) {
        made.job.keys().bytes() += (*d.job.keys)[0];
        made.job.keys().close();
    }
    made.job.add_options(d.job.option(0));
    auto [at, is_new] = db.schedules.all().try_emplace({std::string{queue}, made.rule.name});
    schedule& stored = at->second;
    if (!is_new) {
        const auto times = [](const stored_schedule& s) {
            return std::tie(s.expression, s.zone, s.jitter, s.starts_at, s.ends_at);
        };
        const auto others = [](const stored_schedule& s) {
            return std::tie(s.lane, s.missed_count, s.missed_age, s.overlap);
        };
        const bool same_times = times(stored.rule) == times(made.rule);
        stored.rule.declared_at = now;
        if (same_times && others(stored.rule) == others(made.rule) && detail::same_job(stored.job, made.job))
            return false;
        if (same_times) made.rule.next_at = stored.rule.next_at;
        made.rule.fired_at = stored.rule.fired_at;
        made.rule.fired_job = stored.rule.fired_job;
        made.rule.paused_at = stored.rule.paused_at;
        made.rule.pause_reason = stored.rule.pause_reason;
    }
    stored = std::move(made);
    db.schedules.notify();
    return true;
}

/// The schedules of a queue, or of all if its name is empty. Subscribes the session to their changes.
inline schedule_list schedules(tables& db, std::string_view queue, std::span<const std::string> kept,
                               const std::shared_ptr<waiter>& session) {
    db.schedules.subscribe(session, db.clock.now());
    schedule_list list{.now = db.clock.now(), .notifies = true};
    for (auto& [key, s] : db.schedules.all()) {
        if (!queue.empty() && key.first != queue) continue;
        if (std::find(kept.begin(), kept.end(), key.second) != kept.end()) s.rule.declared_at = list.now;
        list.all.push_back(s.rule);
    }
    return list;
}

inline fire_reply fire_schedules(tables& db, std::string_view queue, std::span<const schedule_firing> all) {
    fire_reply reply{.now = db.clock.now()};
    for (const schedule_firing& f : all) {
        fire_answer& a = reply.all.emplace_back();
        schedule* const s = db.schedules.find({std::string{queue}, std::string{f.name}});
        if (s == nullptr) continue;
        if (s->rule.next_at != f.expected) {
            a.outcome = fire_outcome::not_expected;
            a.next_at = s->rule.next_at;
        } else if (s->rule.paused_at) {
            a.outcome = fire_outcome::paused;
        } else if (std::any_of(f.ticks.begin(), f.ticks.end(), [&](time_point t) { return t > reply.now; })) {
            a.outcome = fire_outcome::early;
        } else {
            a.outcome = fire_outcome::fired;
            a.next_at = f.next;
            for (const time_point tick : f.ticks) {
                a.ticks.push_back(detail::fire(db, *s, tick));
                s->rule.fired_at = tick;
            }
            s->rule.next_at = f.next;
        }
    }
    return reply;
}

inline schedule_change_reply change_schedule(tables& db, std::string_view queue, std::string_view name,
                                             schedule_change change, std::string_view reason) {
    const schedule_table::key key{std::string{queue}, std::string{name}};
    schedule* const s = db.schedules.find(key);
    if (s == nullptr) return {};
    stored_schedule& r = s->rule;
    const time_point now = db.clock.now();
    switch (change) {
    case schedule_change::fire_now: return {.changed = true, .fired = detail::fire(db, *s, now)};
    case schedule_change::remove: db.schedules.all().erase(key); break;
    case schedule_change::pause:
        if (r.paused_at) return {};
        r.paused_at = now;
        r.pause_reason = reason;
        break;
    case schedule_change::resume:
        if (!r.paused_at) return {};
        r.paused_at.reset();
        r.pause_reason.clear();
        if (r.next_at) r.next_at = std::max(*r.next_at, now);
    }
    db.schedules.notify();
    return {.changed = true};
}

inline std::int64_t prune_schedules(tables& db, std::string_view queue, duration unused_for) {
    const time_point before = db.clock.now() - std::chrono::floor<std::chrono::microseconds>(unused_for);
    const auto n = std::erase_if(db.schedules.all(), [&](const auto& entry) {
        return entry.first.first == queue && entry.second.rule.declared_at < before;
    });
    if (n > 0) db.schedules.notify();
    return static_cast<std::int64_t>(n);
}

}  // namespace pgq::driver::in_memory
