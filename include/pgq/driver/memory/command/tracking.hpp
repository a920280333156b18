#pragma once

#include <pgq/driver/memory/table/job.hpp>
#include <pgq/driver/memory/table/lease_table.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/driver/memory/table/tracked_job.hpp>
#include <pgq/driver/memory/table/waiter.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// Makes these jobs tracked, whether they wait or run. `ids` must be sorted.
inline void track(tables& db, const std::vector<job_id>& ids) {
    std::vector<job_id> missing;
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(missing),
                 [&](job_id id) { return !db.jobs.tracked().contains(id); });
    if (missing.empty()) return;
    db.jobs.for_each([&](job& j, job_state place) {
        if (!std::binary_search(missing.begin(), missing.end(), j.id)) return;
        j.flags = static_cast<std::int16_t>(j.flags | flag_tracked);
        db.jobs.tracked().add(j.id, {.lane = j.lane, .rank = j.rank, .held = place == job_state::held});
    });
    db.leases.for_each_running(missing, [&](lease& l, std::size_t i) {
        l.add_flags(i, flag_tracked);
        const job& j = (*l.jobs)[i];
        db.jobs.tracked().add(j.id, {.lane = j.lane, .rank = j.rank});
    });
}

/// Reports the jobs that have ended. The others notify `session` when they end.
inline void watch(tables& db, std::span<const job_id> ids, duration keep, std::vector<ended_job>& ended,
                  const std::shared_ptr<waiter>& session) {
    track(db, sorted(ids));
    for (const job_id id : ids) {
        if (auto how = db.jobs.outcome(id)) ended.push_back(std::move(*how));
        else db.jobs.tracked().watch(id, keep, session);
    }
}

/// Replaces the payload or the progress of a job that the worker runs.
inline result<void> revise(tables& db, const revision& r) {
    lease* const l = db.leases.find(r.lease, r.worker);
    const auto index = l == nullptr ? std::nullopt : l->index_of(r.job);
    if (!index) return errc::lease_lost;
    if (r.body) l->replace_body(*index, *r.body);
    if (!r.progress) return {};
    if (tracked_job* const known = db.jobs.tracked().find(r.job)) return known->progress = *r.progress, result<void>{};
    l->add_flags(*index, flag_tracked);
    const pgq::rank rank = (*l->jobs)[*index].rank;
    db.jobs.tracked().add(r.job, {.lane = l->lane, .rank = rank, .progress = std::string{*r.progress}});
    return {};
}

inline std::optional<std::string> progress_of(tables& db, job_id id) {
    const tracked_job* const known = db.jobs.tracked().find(id);
    return known == nullptr || known->held ? std::nullopt : known->progress;
}

}  // namespace pgq::driver::in_memory
