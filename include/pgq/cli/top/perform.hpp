#pragma once

#include <pgq/cli/top/request.hpp>

#include <pgq/admin/overview.hpp>
#include <pgq/admin/selection.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/time/clock.hpp>

#include <array>
#include <functional>
#include <string>
#include <utility>

/// Does what the screen wants, by pgq::admin.
namespace pgq::cli::top {

/// How many jobs a page shows.
inline constexpr std::int64_t jobs_on_page = 200;

struct performing {
    duration last{};                        ///< the window of the statistics
    std::string queue{};                    ///< empty: all
    std::string reason{};                   ///< of a pause
    std::function<bool(reply)> progress{};  ///< gets what an action has done so far; false ends it
};

namespace detail {

template <class T>
void set(reply& r, T reply::*member, result<T> answer) {
    if (answer) r.*member = std::move(*answer);
    else r.error = std::move(answer.error());
}

template <class Admin>
void find_job(Admin& ops, job_id id, reply& r) {
    auto page = ops.jobs({.after = {id.value - 1}, .last = id}, {.most = 1});
    if (!page) return void(r.error = std::move(page.error()));
    if (!page->jobs.empty()) r.job = std::move(page->jobs.front());
    set(r, &reply::attempts, ops.failures(id));
}

template <class Admin>
result<bulk_reply> act(Admin& ops, const request& q, const performing& with) {
    if (q.of.job) {
        const std::array ids{*q.of.job};
        return q.action == job_action::requeue ? ops.requeue(ids) : ops.cancel(ids);
    }
    const job_selection all{.queue = q.of.queue, .entrypoint = q.of.entrypoint};
    const bulk_options options{.progress = [&](const bulk_reply& so_far) {
        return !with.progress || with.progress({.to = q, .done = so_far, .more = true});
    }};
    return q.action == job_action::requeue ? ops.requeue(all, options) : ops.cancel(all, options);
}

template <class Admin>
void change_schedule(Admin& ops, const request& q, const performing& with, reply& r) {
    const auto change = q.what == ask::pause_schedule ? schedule_change::pause : schedule_change::resume;
    auto done = ops.change_schedule(q.of.queue, q.of.other, change, with.reason);
    if (done) r.changed = done->changed;
    else r.error = std::move(done.error());
}

}  // namespace detail

template <class Admin>
reply perform(Admin& ops, const request& q, const performing& with) {
    reply r{.to = q};
    const target& of = q.of;
    switch (q.what) {
    case ask::sample:
        detail::set(r, &reply::overview, ops.overview({.queue = with.queue, .last = with.last, .failures = 100}));
        break;
    case ask::jobs:
        detail::set(
            r, &reply::page,
            ops.jobs({.queue = of.queue, .entrypoint = of.entrypoint}, {.after = q.after, .most = jobs_on_page}));
        break;
    case ask::job: detail::find_job(ops, *of.job, r); break;
    case ask::payload: detail::set(r, &reply::payload, ops.payload_of(*of.job)); break;
    case ask::count:
        detail::set(r, &reply::count, ops.preview(q.action, {.queue = of.queue, .entrypoint = of.entrypoint}));
        break;
    case ask::act: detail::set(r, &reply::done, detail::act(ops, q, with)); break;
    case ask::pause: detail::set(r, &reply::changed, ops.pause(of.queue, of.entrypoint, with.reason)); break;
    case ask::resume: detail::set(r, &reply::changed, ops.resume(of.queue, of.entrypoint)); break;
    case ask::pause_schedule:
    case ask::resume_schedule: detail::change_schedule(ops, q, with, r); break;
    case ask::stop:
    case ask::quit: break;
    }
    return r;
}

}  // namespace pgq::cli::top
