#pragma once

#include <pgq/cli/output/exit_code.hpp>
#include <pgq/cli/top/conditions.hpp>
#include <pgq/cli/top/model.hpp>
#include <pgq/cli/top/payload.hpp>
#include <pgq/cli/top/request.hpp>

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

/// What answers of the database change in the state of the screen.
namespace pgq::cli::top {

inline void say(model& m, std::string_view text, look how, steady_time now) {
    const std::chrono::seconds time{how == look::plain ? 6 : 20};
    m.said = message{m.with.glyphs.safe(text), how, now + time};
}

inline bool is_paused(const model& m, const target& of) {
    const auto& all = m.sample->entrypoints;
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& e) { return e.queue == of.queue && e.entrypoint == of.entrypoint && e.paused; });
}
inline bool is_paused_schedule(const model& m, const target& of) {
    const auto& all = m.sample->schedules;
    return std::any_of(all.begin(), all.end(), [&](const stored_schedule& s) {
        const auto* e = m.find(s.lane);
        return s.name == of.other && s.paused_at && e != nullptr && e->queue == of.queue;
    });
}

inline void apply_sample(model& m, reply r, steady_time now) {
    if (r.error) {
        const auto since = m.failing ? m.failing->since : now;
        m.failing = outage{explain(std::move(*r.error)), since};
        return;
    }
    m.failing.reset();
    m.sample = std::move(r.overview);
    m.found = examine(*m.sample);
    m.sampled_at = now;
    m.rates.add(*m.sample, m.with.last);
}

namespace detail {

inline std::string jobs_text(std::int64_t n) { return capped_count{n, false}.text() + (n == 1 ? " job" : " jobs"); }

/// "cancelled 3 jobs, 1 of them runs and is asked to stop"
inline std::string done_text(const reply& r) {
    const bool requeues = r.to.action == job_action::requeue;
    const bulk_reply& d = r.done;
    std::string text = (requeues ? "requeued " : "cancelled ") + jobs_text(d.done);
    if (d.stopping > 0) text += ", " + std::to_string(d.stopping) + " of them run and were asked to stop";
    if (r.more) return text + " so far; Esc ends it";
    if (d.done == 0)
        return "nothing was changed: " + r.to.of.text() + (requeues ? " has no held job" : " has no such job");
    return d.complete || r.to.of.job ? text : text + "; stopped before the end";
}

inline void apply_count(model& m, const reply& r, steady_time now) {
    if (!m.counting) return;
    const std::string verb = verb_of(r.to.action), of = r.to.of.text();
    m.counting = false;
    m.said.reset();
    if (r.count.value == 0)
        return say(m, of + (r.to.action == job_action::requeue ? " has no held job" : " has no job"), look::plain, now);
    const bool one = r.count.value == 1 && !r.count.capped;
    m.question = request{.what = ask::act, .of = r.to.of, .action = r.to.action};
    m.question_text = verb + (one ? " " : " all ") + r.count.text() + (one ? " job of " : " jobs of ") + of;
}
inline void apply_change(model& m, const reply& r, steady_time now) {
    const bool pauses = r.to.what == ask::pause || r.to.what == ask::pause_schedule;
    if (r.changed) return say(m, (pauses ? "paused " : "resumed ") + r.to.of.text(), look::plain, now);
    if (r.to.what == ask::resume)
        return say(m, "nothing was changed: the pause is for the queue or for everything; see pgq resume",
                   look::warning, now);
    say(m, "nothing was changed: it was so before", look::plain, now);
}

}  // namespace detail

/// Every answer but a sample. True: it has changed something in the database.
inline bool apply(model& m, reply r, steady_time now) {
    if (r.error) {
        say(m, explain(std::move(*r.error)).text(), look::warning, now);
        return false;
    }
    switch (r.to.what) {
    case ask::jobs:
        if (m.lane == r.to.of && r.to.after == m.pages.back()) m.page = std::move(r.page);
        return false;
    case ask::job:
        if (r.to.of.job != m.job.id) return false;
        m.job.loaded = true;
        m.job.job = std::move(r.job);
        m.job.attempts = std::move(r.attempts);
        return false;
    case ask::payload:
        if (r.to.of.job != m.job.id) return false;
        m.job.payload = payload_of(r.payload);
        if (m.now == view::job) m.list().first = SIZE_MAX;  // the payload comes last; the machine finds the last line
        return false;
    case ask::count: detail::apply_count(m, r, now); return false;
    case ask::act: say(m, detail::done_text(r), look::plain, now); return !r.more;
    default: detail::apply_change(m, r, now); return true;
    }
}

}  // namespace pgq::cli::top
