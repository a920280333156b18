#pragma once

#include <pgq/driver/memory/table/job.hpp>
#include <pgq/driver/memory/table/lease_table.hpp>
#include <pgq/driver/memory/table/match.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/found_job.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/tracked.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// Removes the jobs that wait. Asks the workers of those that run to stop them. `overlap`: because of the next tick of
/// their schedule.
inline cancel_reply cancel(tables& db, const std::vector<job_id>& ids, bool overlap = false) {
    cancel_reply reply{.removed = db.jobs.cancel(ids, db.clock.now())};
    db.leases.for_each_running(ids, [&](lease& l, std::size_t i) {
        if ((l.flags_of(i) & flag_stop) != 0) return;
        l.add_flags(i, overlap ? flag_stop | flag_overlap : flag_stop);
        ++reply.stopping;
        db.workers.request_stop(l.worker);
    });
    return reply;
}

/// `found` receives the ids in ascending order, at most `limit` of them.
inline void find(tables& db, const find_request& r, std::vector<job_id>& found) {
    const auto add_if_matching = [&](const job& j, job_state place) {
        const bool requested = std::find(r.lanes.begin(), r.lanes.end(), j.lane) != r.lanes.end();
        if (requested && includes(r.where, place) && matches(r.which, j)) found.push_back(j.id);
    };
    db.jobs.for_each(add_if_matching);
    for (const lane_id lane : r.lanes)
        db.leases.for_each_running(lane, [&](const job& j) { add_if_matching(j, job_state::leased); });
    std::sort(found.begin(), found.end());
    if (static_cast<std::int64_t>(found.size()) > r.limit) found.resize(static_cast<std::size_t>(r.limit));
}

/// Where a job is; none if nothing is known of it.
inline std::optional<found_job> find_one(tables& db, job_id id) {
    const auto named = [&](found_job f) {
        const lane_key& lane = db.lanes.key(f.lane);
        f.queue = lane.queue;
        f.entrypoint = lane.entrypoint;
        f.version = lane.version;
        return f;
    };
    if (const auto at = db.jobs.find(id); at.what != nullptr) {
        found_job f{stored_of(*at.what)};
        f.state = at.state;
        f.run_at = at.due;
        if (const auto held = db.jobs.held_reason(id)) f.reason = held->second;
        else if (const auto failed = db.jobs.failures(id); at.state == job_state::deferred && !failed.empty())
            f.reason = failed.back().reason;
        if (const tracked_job* const t = db.jobs.tracked().find(id); at.state == job_state::blocked && t != nullptr)
            f.blocked_by = static_cast<std::int64_t>(t->parents.size());
        return named(std::move(f));
    }
    std::optional<found_job> found;
    db.leases.for_each_running({&id, 1}, [&](const lease& l, std::size_t i) {
        found_job f{stored_of(l.current(i))};
        f.state = job_state::leased;
        const auto [host, pid] = db.workers.process_of(l.worker);
        f.holder = job_holder{.worker = l.worker, .host = host, .pid = pid, .since = l.claimed_at};
        found = named(std::move(f));
    });
    if (const ended_job* const e = db.jobs.tracked().outcome(id); !found && e != nullptr) {
        found_job f{stored_job{.id = id, .lane = db.jobs.tracked().lane_of_outcome(id), .attempts = e->attempts}};
        f.state = job_state::ended;
        f.end = e->kind;
        f.reason = e->reason;
        found = named(std::move(f));
    }
    return found;
}

/// Dead letters of `lanes[i]` go to `to[i]`. A lane without a counterpart in `to` holds its dead letters.
inline void set_dead_letter_routes(tables& db, std::span<const lane_id> lanes, std::span<const lane_id> to) {
    for (std::size_t i = 0; i < lanes.size(); ++i)
        db.jobs.set_dead_letter_route(lanes[i], i < to.size() ? std::optional{to[i]} : std::nullopt,
                                      db.lanes.key(lanes[i]).queue);
}

/// False if the queue has no such limit. Wakes the workers of its lanes, because a higher limit allows more jobs.
inline bool change_limit(tables& db, std::string_view queue, const lane_limit& limit) {
    if (!db.limits.change(queue, limit)) return false;
    for (const lane_id lane : db.lanes.find(queue, limit.entrypoint)) db.jobs.touch(lane);
    return true;
}

/// False if it was so before. The workers give back what they have not begun.
inline bool pause(tables& db, const pause_request& what) {
    const bool added = db.pauses.add(what, db.clock.now());
    db.workers.notify_paused(db.lanes.find(what.queue, what.entrypoint));
    return added;
}
/// False if there was nothing to end.
inline bool resume(tables& db, std::string_view queue, std::string_view entrypoint) {
    if (!db.pauses.remove(queue, entrypoint)) return false;
    db.workers.notify_paused(db.lanes.find(queue, entrypoint));
    return true;
}

/// Every lease of the worker, as the database has it.
inline std::vector<lease_update> lease_updates(const tables& db, worker_id worker) {
    auto all = db.leases.updates_of(worker);
    for (lease_update& u : all) u.paused = db.is_paused(db.leases.lane_of(u.ref.id));
    return all;
}

inline lane_counts counts(const tables& db, lane_id lane) {
    lane_counts c = db.jobs.counts(lane);
    c.leased = db.leases.count_running(lane);
    c.paused = db.is_paused(lane);
    c.draining = !db.check_open(lane);
    return c;
}

inline std::vector<capped_counts> counts_up_to(tables& db, std::span<const lane_id> lanes, std::int64_t most) {
    std::vector<capped_counts> out;
    const time_point now = db.clock.now();
    for (const lane_id lane : lanes) {
        const lane_counts n = counts(db, lane);
        capped_counts& c = out.emplace_back();
        c = {.lane = lane,
             .ready = capped_count::of(n.ready, most),
             .deferred = capped_count::of(n.deferred, most),
             .blocked = capped_count::of(n.blocked, most),
             .leased = {n.leased, false},
             .held = capped_count::of(n.held, most)};
        if (const auto oldest = db.jobs.oldest_ready(lane)) c.oldest_ready = std::max<duration>(now - *oldest, {});
    }
    return out;
}

}  // namespace pgq::driver::in_memory
