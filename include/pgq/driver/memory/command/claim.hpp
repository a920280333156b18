#pragma once

#include <pgq/driver/memory/command/take.hpp>
#include <pgq/driver/memory/table/job.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// As claimed_lease::expires_in.
inline std::vector<duration> expiries_of(tables& db, const std::vector<job>& jobs, time_point now) {
    std::vector<duration> left;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if ((jobs[i].flags & flag_tracked) == 0 || jobs[i].attempts > 1) continue;
        const auto at = db.jobs.tracked().expiry_of(jobs[i].id);
        if (!at) continue;
        left.resize(jobs.size(), never_expires);
        left[i] = time_until(*at, now);
    }
    return left;
}

/// Creates a lease with these jobs and counts their attempts.
inline void add_lease(tables& db, worker_id worker, lane_id lane, std::int16_t max_attempts, std::vector<job> jobs,
                      sync_reply& reply) {
    for (job& j : jobs)
        if (j.attempts < std::numeric_limits<std::int16_t>::max()) ++j.attempts;
    auto expires_in = expiries_of(db, jobs, db.clock.now());
    reply.leases.push_back(db.leases.add({
        .worker = worker,
        .lane = lane,
        .max_attempts = std::max(max_attempts, std::int16_t{1}),
        .claimed_at = db.clock.now(),
        .jobs = std::make_shared<const std::vector<job>>(std::move(jobs)),
    }));
    reply.leases.back().expires_in = std::move(expires_in);
}
inline void add_lease_of_one(tables& db, worker_id worker, std::int16_t max_attempts, job j, sync_reply& reply) {
    const lane_id lane = j.lane;
    std::vector<job> jobs;
    jobs.push_back(std::move(j));
    add_lease(db, worker, lane, max_attempts, std::move(jobs), reply);
}

/// Claims only jobs that match a filter. Each job gets a lease of its own.
inline void claim_filtered(tables& db, const sync_request& r, sync_reply& reply) {
    std::vector<lane_id> lanes;
    for (const claim_lane& l : r.lanes)
        if (!db.is_paused(l.lane)) lanes.push_back(l.lane);
    for (job& j : take_ready(db.jobs, {.lanes = lanes, .limit = r.limit, .where = r.claim_filter}))
        add_lease_of_one(db, r.worker, r.lanes[0].max_attempts, std::move(j), reply);
}

/// Claims from lanes without limits.
inline void claim(tables& db, const sync_request& r, sync_reply& reply) {
    if (r.claim_filter != nullptr) return claim_filtered(db, r, reply);
    std::vector<claim_lane> open;
    if (!db.pauses.empty())
        std::copy_if(r.lanes.begin(), r.lanes.end(), std::back_inserter(open),
                     [&](const claim_lane& l) { return !db.is_paused(l.lane); });
    const std::span<const claim_lane> lanes = db.pauses.empty() ? r.lanes : open;
    for (auto& batch : db.jobs.take(lanes, r.limit, r.max_bytes, &reply.cut)) {
        const claim_lane& request = batch.request;
        if (!request.lease_per_job) {
            add_lease(db, r.worker, request.lane, request.max_attempts, std::move(batch.jobs), reply);
            continue;
        }
        for (job& j : batch.jobs) add_lease_of_one(db, r.worker, request.max_attempts, std::move(j), reply);
    }
}

inline std::int64_t count_running(const tables& db, const stored_limit& l) {
    std::int64_t n = 0;
    for (const lane_id lane : db.lanes.find(l.queue, l.declared.entrypoint)) n += db.leases.count_running(lane);
    return n;
}
inline std::map<std::string_view, std::int64_t> count_running_by_key(const tables& db, const stored_limit& l) {
    std::map<std::string_view, std::int64_t> n;
    for (const lane_id lane : db.lanes.find(l.queue, l.declared.entrypoint))
        db.leases.for_each_running(lane, [&](const job& j) {
            if (j.key) ++n[*j.key];
        });
    return n;
}

/// What the limits of a lane allow now.
struct allowance {
    std::int64_t jobs = 0;
    std::optional<duration> wait{};         ///< set if a rate limit is the tightest: when to claim again
    const stored_limit* per_key = nullptr;  ///< the limit that each job's key must also satisfy
};

inline allowance allowance_of(const tables& db, const std::vector<stored_limit*>& limits, std::int64_t most,
                              steady_time now) {
    allowance a{.jobs = most};
    for (const stored_limit* l : limits) {
        if (l->declared.limit.kind == limit_kind::running) {
            a.jobs = std::min(a.jobs, l->declared.limit.amount - count_running(db, *l));
        } else if (l->declared.limit.kind == limit_kind::running_by_key) {
            a.per_key = l;
        } else if (const auto tokens = static_cast<std::int64_t>(l->available(now)); tokens < a.jobs) {
            a.jobs = tokens;
            a.wait = l->wait_after(static_cast<double>(tokens), now);
        }
    }
    return a;
}

/// Claims from a lane that has limits. Returns how many jobs it claimed.
inline std::uint32_t claim_limited(tables& db, worker_id worker, const limited_lane& lane, std::size_t& max_bytes,
                                   steady_time now, sync_reply& reply) {
    if (!db.jobs.has_ready(lane.lane) || db.is_paused(lane.lane)) return 0;
    const auto& name = db.lanes.key(lane.lane);
    const auto limits = db.limits.of(name.queue, name.entrypoint);
    const allowance allowed = allowance_of(db, limits, lane.most, now);
    std::map<std::string_view, std::int64_t> by_key;
    if (allowed.per_key != nullptr) by_key = count_running_by_key(db, *allowed.per_key);
    const auto most = allowed.jobs > 0 ? static_cast<std::size_t>(allowed.jobs) : 0;
    std::size_t bytes = 0;
    bool cut = most > 0 && max_bytes == 0;
    auto jobs = db.jobs.take_if(lane.lane, most, [&](const job& j) {
        cut = cut || (bytes > 0 && bytes + j.body.size() > max_bytes);
        if (cut) return false;
        const bool fits =
            allowed.per_key == nullptr || !j.key || by_key[*j.key]++ < allowed.per_key->declared.limit.amount;
        bytes += fits ? j.body.size() : 0;
        return fits;
    });
    max_bytes -= std::min(max_bytes, bytes);
    const auto taken = static_cast<std::int64_t>(jobs.size());
    for (stored_limit* l : limits)
        if (taken > 0 && l->declared.limit.kind == limit_kind::rate) l->spend(static_cast<double>(taken), now);
    if (taken > 0) add_lease(db, worker, lane.lane, lane.max_attempts, std::move(jobs), reply);
    if (!db.jobs.has_ready(lane.lane)) return static_cast<std::uint32_t>(taken);
    if (taken == lane.most || cut) reply.peers_can_claim_limited = true;
    else if (allowed.wait && taken >= allowed.jobs)
        reply.again = reply.again ? std::min(*reply.again, *allowed.wait) : *allowed.wait;
    return static_cast<std::uint32_t>(taken);
}

/// See lane_search.
inline void search(tables& db, const lane_search& s, found_lanes& out) {
    std::uint32_t read = 0;
    for (auto n = s.behind.value + 1; static_cast<std::size_t>(n) <= db.lanes.size(); ++n) {
        const lane_id lane{n};
        if (!db.jobs.has_ready(lane)) continue;
        const lane_key& key = db.lanes.key(lane);
        if (const auto name = db.lanes.number_in(*s.served, lane); name && !db.is_paused(lane))
            out.lanes.push_back({.lane = lane,
                                 .queue = key.queue,
                                 .name = *name,
                                 .limited = !db.limits.of(key.queue, key.entrypoint).empty()});
        if (++read == s.most) {
            out.continues_behind = lane;
            return;
        }
    }
}

}  // namespace pgq::driver::in_memory
