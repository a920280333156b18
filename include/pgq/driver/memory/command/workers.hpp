#pragma once

#include <pgq/driver/memory/table/lease_table.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/driver/memory/table/waiter.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace pgq::driver::in_memory {

inline result<worker_id> register_worker(tables& db, const worker_info& info, const std::shared_ptr<waiter>& session) {
    if (info.lease_time <= duration::zero())
        return error_info{errc::invalid_option, "a worker's lease time must be above zero"};
    if (info.queues == nullptr) return db.workers.add(info, db.clock.steady_now(), session);
    // A worker that dies leaves its entry: it refers to nothing of the worker.
    auto serves = [&lanes = db.lanes,
                   names = std::vector<std::string>{info.queues->names.begin(), info.queues->names.end()},
                   prefix = std::string{info.queues->prefix},
                   kinds = std::vector<lane_name>{info.queues->lanes.begin(), info.queues->lanes.end()}](lane_id lane) {
        return lanes.number_in({.names = names, .prefix = prefix, .lanes = kinds}, lane).has_value();
    };
    return db.workers.add(info, db.clock.steady_now(), session, std::move(serves));
}

inline beat_reply record_beat(tables& db, worker_id id) {
    beat_reply reply = db.workers.record_beat(id, db.clock.steady_now());
    reply.jobs_to_stop = db.leases.has_stop_request(id);
    if (!db.pauses.empty())
        for (const lease_ref& ref : db.leases.of(id))
            reply.jobs_to_stop = reply.jobs_to_stop || db.is_paused(db.leases.lane_of(ref.id));
    return reply;
}

/// The same with what the worker has counted. Only a registered worker's report is stored.
inline beat_reply record_beat(tables& db, worker_id id, const minute_report& report) {
    if (db.workers.contains(id)) db.jobs.minutes().store(id, report, db.clock.now());
    return record_beat(db, id);
}

/// Removes a dead worker and returns its jobs to the queue.
inline void rescue_worker(tables& db, worker_id dead, time_point now, rescue_reply& reply) {
    std::int64_t open = 0;
    bool marked = false;
    std::vector<lease> leases;
    for (const auto& ref : db.leases.of(dead)) leases.push_back(db.leases.remove(ref.id));
    for (const lease& l : leases)
        l.for_each_running([&](std::size_t i) {
            ++open;
            marked = marked || (l.flags_of(i) & flag_runs_alone) != 0;
        });
    for (const lease& l : leases)
        l.for_each_running([&](std::size_t i) {
            const settle_kind how = db.jobs.rescue(l.current(i), l.max_attempts, open, marked, now);
            if (how == settle_kind::hold) ++reply.held;
            if (how == settle_kind::hold) reply.held_jobs.push_back({(*l.jobs)[i].id, job_store::worker_died});
            if (how == settle_kind::retry) ++reply.returned;
        });
}

/// Removes the dead workers and returns their jobs to the queue.
inline rescue_reply rescue(tables& db) {
    rescue_reply reply;
    const time_point now = db.clock.now();
    for (const worker_id dead : db.workers.dead(db.clock.steady_now())) {
        db.workers.remove(dead);
        db.jobs.minutes().forget(dead);
        ++reply.workers;
        rescue_worker(db, dead, now, reply);
    }
    const auto by_id = [](const held_by_rescue& a, const held_by_rescue& b) { return a.id < b.id; };
    std::sort(reply.held_jobs.begin(), reply.held_jobs.end(), by_id);
    return reply;
}

/// Returns the jobs of these leases to the queue. Their attempts do not count.
inline void give_back(tables& db, std::span<const lease_ref> refs) {
    for (const auto& ref : refs) {
        const lease l = db.leases.remove(ref.id);
        const time_point now = db.clock.now();
        l.for_each_running([&](std::size_t i) { db.jobs.give_back(l.current(i), now); });
    }
}

/// The worker leaves: its jobs return to the queue.
inline void retire(tables& db, worker_id id, const minute_report& report) {
    if (db.workers.contains(id)) db.jobs.minutes().store(id, report, db.clock.now());
    db.workers.remove(id);
    db.jobs.minutes().forget(id);
    give_back(db, db.leases.of(id));
}

}  // namespace pgq::driver::in_memory
