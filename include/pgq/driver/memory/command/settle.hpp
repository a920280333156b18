#pragma once

#include <pgq/driver/memory/table/job.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace pgq::driver::in_memory {

/// Whether every job of the lease is settled after this progress.
inline bool settles_all(const lease& l, const lease_progress& p) {
    lease after{.jobs = l.jobs, .settled = l.settled};
    after.mark_settled(p.mask);
    for (const auto& item : p.items) after.mark_settled(std::size_t{item.index});
    bool all = true;
    after.for_each_running([&](std::size_t) { all = false; });
    return all;
}

/// Checks the settlements of a request before any of them is applied. A lease that is unknown, or has another mask, is
/// no error: the reply reports it as lost.
inline result<void> check_settlements(tables& db, const sync_request& r) {
    for (const auto& p : r.progressed) {
        const lease* l = db.leases.find(p.ref.id, r.worker);
        if (!l) continue;
        for (const auto& item : p.items)
            if (item.index >= l->jobs->size())
                return error_info{errc::invalid_option, "a settlement names a job that its lease does not have"};
        if (p.last && !settles_all(*l, p))
            return error_info{errc::invalid_option, "a lease cannot end before all its jobs are settled"};
    }
    return {};
}

/// Ends the jobs that the worker reports as done without a settlement although they have flags. The flags were set
/// after the claim, so the worker did not know them.
template <class Predicate>
void end_flagged(tables& db, const lease& l, time_point now, Predicate is_done) {
    if (l.flags.empty()) return;
    l.for_each_running([&](std::size_t i) {
        if (is_done(i)) db.jobs.end(l.current(i), end_kind::done, now);
    });
}

/// All jobs of the lease that are not settled yet are done. `dropped` receives the job array, so that the caller can
/// free it after it has released the mutex.
inline void finish_lease(tables& db, const lease_ref& ref, worker_id worker, time_point now, sync_reply& reply,
                         std::vector<job_array>& dropped) {
    const lease* l = db.leases.find(ref.id, worker);
    if (!l) return reply.lost.push_back(ref.id);
    end_flagged(db, *l, now, [](std::size_t) { return true; });
    dropped.push_back(db.leases.remove(ref.id).jobs);
}

/// Some jobs of the lease are settled. `dropped` is as in `finish_lease`.
inline void settle_lease(tables& db, const lease_progress& p, worker_id worker, time_point now, sync_reply& reply,
                         std::vector<job_array>& dropped) {
    lease* l = db.leases.find(p.ref.id, worker);
    if (!l || !l->has_settled(p.left)) return reply.lost.push_back(p.ref.id);
    for (const auto& item : p.items) {
        if (l->is_settled(item.index)) continue;
        l->mark_settled(std::size_t{item.index});
        db.jobs.settle(l->current(item.index), item, now);
    }
    const lease done{.settled = std::string{p.mask}};
    end_flagged(db, *l, now, [&](std::size_t i) { return done.is_settled(i); });
    l->mark_settled(p.mask);
    if (!p.last) return reply.moved.push_back({.id = p.ref.id});
    dropped.push_back(db.leases.remove(p.ref.id).jobs);
}

}  // namespace pgq::driver::in_memory
