#pragma once

#include <pgq/driver/memory/command/claim.hpp>
#include <pgq/driver/memory/command/settle.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/driver/memory/table/undo_log.hpp>
#include <pgq/driver/memory/table/waiter.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace pgq::driver::in_memory {

/// See sync_request::begin_alone.
inline void begin_alone(tables& db, const leased_job& job, worker_id worker, sync_reply& reply) {
    lease* const l = db.leases.find(job.lease, worker);
    if (l == nullptr) return;
    l->add_flags(job.index, flag_runs_alone);
    reply.begins_alone = true;
    reply.moved.push_back({.id = job.lease});
}

inline bool needs_registered_worker(const sync_request& r) noexcept {
    return (r.limit > 0 && !r.lanes.empty()) || !r.limited.empty() || r.subscribe_wakes;
}

inline void clear(sync_reply& reply) {
    reply.leases.clear(), reply.moved.clear(), reply.lost.clear();
    reply.next_due.reset(), reply.promoted = 0;
    reply.begins_alone = reply.cut = false;
    reply.again.reset(), reply.peers_can_claim_limited = false;
    reply.found = {};
}

/// One round trip of a worker: settles jobs, then claims others. If the request is refused, nothing of it happens.
/// `dropped` is as in `finish_lease`.
inline result<void> sync_worker(tables& db, const sync_request& r, sync_reply& reply,
                                const std::shared_ptr<waiter>& session, std::vector<job_array>& dropped) {
    if (needs_registered_worker(r) && !db.workers.contains(r.worker)) return errc::worker_lost;
    if (auto ok = check_settlements(db, r); !ok) return ok;
    const time_point now = db.clock.now();
    (void)db.jobs.take_unblocked();
    for (const auto& ref : r.finished) finish_lease(db, ref, r.worker, now, reply, dropped);
    for (const auto& p : r.progressed) settle_lease(db, p, r.worker, now, reply, dropped);
    if (r.begin_alone) begin_alone(db, *r.begin_alone, r.worker, reply);
    reply.promoted = db.jobs.take_unblocked();
    if (r.promote) reply.promoted += db.jobs.promote(now);
    db.wake_touched(r.worker);
    if (r.unsubscribe_wakes) db.workers.unsubscribe(r.worker, session);
    if (r.subscribe_wakes) db.workers.subscribe(r.worker, session);
    if (r.limit > 0 || !r.limited.empty()) db.jobs.expire(now);
    std::uint32_t capacity = r.limited_capacity;
    std::size_t bytes = r.max_bytes;
    for (limited_lane lane : r.limited) {
        lane.most = std::min(lane.most, capacity);
        capacity -= claim_limited(db, r.worker, lane, bytes, db.clock.steady_now(), reply);
    }
    if (r.limit > 0) claim(db, r, reply);
    if (r.peek_next_due) reply.next_due = db.jobs.next_due(now);
    if (r.search != nullptr) search(db, *r.search, reply.found);
    if (r.wake_peer) db.workers.wake_peer(r.worker, r.lanes);
    for (const lane_id lane : r.lanes_with_capacity) db.workers.wake_one(lane, r.worker);
    return {};
}

/// Commits the transaction and acknowledges the single job of the lease in one step. If the worker has lost the lease,
/// rolls back and returns false.
inline bool commit_and_acknowledge(tables& db, undo_log& log, worker_id worker, const lease_ref& ref,
                                   std::optional<std::string_view> result, std::vector<job_array>& dropped) {
    const settlement done{.kind = settle_kind::done, .result = result};
    sync_reply reply;
    const time_point now = db.clock.now();
    settle_lease(db, {.ref = ref, .last = true, .mask = "\1", .items = {&done, 1}}, worker, now, reply, dropped);
    const bool owned = reply.lost.empty();
    if (owned) log.commit(db.jobs, now);
    else log.rollback(db.jobs);
    return owned;
}

}  // namespace pgq::driver::in_memory
