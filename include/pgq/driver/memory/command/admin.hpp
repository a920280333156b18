#pragma once

#include <pgq/driver/memory/table/job.hpp>
#include <pgq/driver/memory/table/lease_table.hpp>
#include <pgq/driver/memory/table/match.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/tracked.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pgq::driver::in_memory {

/// Removes the jobs that wait. Asks the workers of those that run to stop them.
inline cancel_reply cancel(tables& db, const std::vector<job_id>& ids) {
    cancel_reply reply{.removed = db.jobs.cancel(ids, db.clock.now())};
    db.leases.for_each_running(ids, [&](lease& l, std::size_t i) {
        if ((l.flags_of(i) & flag_stop) != 0) return;
        l.add_flags(i, flag_stop);
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

inline lane_counts counts(const tables& db, lane_id lane) {
    lane_counts c = db.jobs.counts(lane);
    c.leased = db.leases.count_running(lane);
    return c;
}

}  // namespace pgq::driver::in_memory
