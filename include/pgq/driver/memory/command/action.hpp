#pragma once

#include <pgq/driver/memory/command/admin.hpp>
#include <pgq/driver/memory/command/workers.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/action.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/tracked.hpp>

#include <algorithm>
#include <vector>

/// How an operator changes jobs and workers; see concept/admin.hpp.
namespace pgq::driver::in_memory {

inline result<action_reply> act(tables& db, const action_request& r) {
    std::vector<job_id> ids;
    for (const job_place& j : r.jobs) ids.push_back(j.id);
    std::sort(ids.begin(), ids.end());
    switch (r.what) {
    case job_action::requeue: return action_reply{.done = db.jobs.requeue(ids, db.clock.now())};
    case job_action::run_now: return action_reply{.done = db.jobs.run_now(ids)};
    case job_action::drop: return action_reply{.done = db.jobs.drop(ids, db.clock.now())};
    case job_action::move:
        if (!db.jobs.has_lane(r.to)) return no_such_lane();
        if (auto open = db.check_open(r.to); !open) return std::move(open.error());
        return action_reply{.done = db.jobs.move(ids, r.to)};
    case job_action::cancel: break;
    }
    const cancel_reply c = cancel(db, ids);
    return action_reply{.done = c.removed + c.stopping, .stopping = c.stopping};
}

inline forget_reply forget_worker(tables& db, worker_id id, bool forced) {
    const auto dead = db.workers.dead(db.clock.steady_now());
    forget_reply reply{.known = db.workers.contains(id)};
    reply.alive = reply.known && std::find(dead.begin(), dead.end(), id) == dead.end();
    reply.forgotten = reply.known && (forced || !reply.alive);
    if (!reply.forgotten) return reply;
    db.workers.remove(id);
    db.jobs.minutes().forget(id);
    rescue_reply back;
    rescue_worker(db, id, db.clock.now(), back);
    reply.returned = back.returned;
    reply.held = back.held;
    return reply;
}

}  // namespace pgq::driver::in_memory
