#pragma once

#include <pgq/driver/memory/table/job.hpp>
#include <pgq/driver/memory/table/job_store.hpp>
#include <pgq/driver/memory/table/match.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/driver/memory/table/undo_log.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/header.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// Makes all jobs ready again but the first `count`.
inline void return_all_but(job_store& store, std::vector<job>& jobs, std::size_t count) {
    for (; jobs.size() > count; jobs.pop_back()) store.add_ready(std::move(jobs.back()));
}

/// Removes the first ready jobs that match the request from the store.
inline std::vector<job> take_ready(job_store& store, const take_request& r) {
    std::vector<job> jobs;
    if (r.where == nullptr || r.where->is_everything()) {
        std::vector<claim_lane> lanes;
        for (const lane_id lane : r.lanes) lanes.push_back({.lane = lane});
        for (auto& batch : store.take(lanes, r.limit))
            std::move(batch.jobs.begin(), batch.jobs.end(), std::back_inserter(jobs));
    } else {
        for (const lane_id lane : r.lanes)
            for (job& j : store.take_if(lane, r.limit, [&](const job& c) { return matches(r.where, c); }))
                jobs.push_back(std::move(j));
    }
    std::sort(jobs.begin(), jobs.end(), runs_before);
    return_all_but(store, jobs, r.limit);
    return jobs;
}

/// Merges the jobs that the transaction itself has enqueued into `jobs`, in order, up to the request's limit. Records
/// in the undo log what was taken.
inline void merge_pending(job_store& store, const take_request& r, std::vector<job>& jobs, undo_log& log) {
    std::vector<job> own;
    for (const auto& p : log.pending()) {
        const bool requested = std::find(r.lanes.begin(), r.lanes.end(), p.what.lane) != r.lanes.end();
        if (requested && !p.due && matches(r.where, p.what)) own.push_back(p.what);
    }
    std::sort(own.begin(), own.end(), runs_before);
    std::vector<job> merged;
    std::size_t from_own = 0, from_store = 0;
    while (merged.size() < r.limit && (from_own < own.size() || from_store < jobs.size())) {
        const bool is_own =
            from_store == jobs.size() || (from_own < own.size() && runs_before(own[from_own], jobs[from_store]));
        merged.push_back(is_own ? own[from_own++] : jobs[from_store++]);
        is_own ? log.take_pending(merged.back().id) : log.record_take(merged.back());
    }
    return_all_but(store, jobs, from_store);
    jobs = std::move(merged);
}

/// The lanes that are not paused.
inline std::vector<lane_id> not_paused(const tables& db, std::span<const lane_id> lanes) {
    std::vector<lane_id> open{lanes.begin(), lanes.end()};
    std::erase_if(open, [&](lane_id lane) { return db.is_paused(lane); });
    return open;
}

/// Without an undo log, a taken job is done at once. With one, it is done when the transaction commits.
inline void take(tables& db, take_request r, take_reply& reply, undo_log* log) {
    const time_point now = db.clock.now();
    const auto open = not_paused(db, r.lanes);
    r.lanes = open;
    if (r.promote && log == nullptr) db.jobs.promote(now);
    db.jobs.expire(now);
    auto jobs = take_ready(db.jobs, r);
    if (log != nullptr) merge_pending(db.jobs, r, jobs, *log);
    for (const job& j : jobs) {
        reply.jobs.push_back(stored_of(j));
        if (log == nullptr) db.jobs.end(j, end_kind::done, now);
    }
    if (r.peek_next_due) reply.next_due = db.jobs.next_due(now);
}

/// Holds a job that was taken. It stays visible, with its reason.
inline void hold_taken(tables& db, const taken_record& t, std::string_view reason, undo_log* log) {
    std::vector<header> headers;
    job view = view_of(t, headers);
    view.since = db.clock.now();
    if (log != nullptr) log->record_hold(view, reason);
    else db.jobs.tracked().change_to_held(t.id, reason);
    db.jobs.hold(detached_copy(view), reason);
}

}  // namespace pgq::driver::in_memory
