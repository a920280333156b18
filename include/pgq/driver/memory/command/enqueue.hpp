#pragma once

#include <pgq/driver/memory/command/tracked_enqueue.hpp>
#include <pgq/driver/memory/command/tracking.hpp>
#include <pgq/driver/memory/table/job.hpp>
#include <pgq/driver/memory/table/lane_table.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/driver/memory/table/undo_log.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// Checks what can be wrong with the request alone.
inline result<void> check(const enqueue_request& r) {
    if (r.options.size() != 1 && r.options.size() != r.bodies->size())
        return error_info{errc::invalid_option, "there must be one set of options for all jobs or one for each"};
    for (const enqueue_options& o : r.options)
        if (auto ok = check_headers(o.headers); !ok) return ok;
    return {};
}

/// Enqueues jobs that are not tracked. `bytes` is the copy of the request's payloads. With an undo log, the jobs stay
/// in the log until the transaction commits.
inline result<void> enqueue(tables& db, const enqueue_request& r, const std::shared_ptr<const shared_bytes>& bytes,
                            std::vector<job_id>& ids, undo_log* log) {
    if (!db.jobs.has_lane(r.lane)) return no_such_lane();
    if (auto ok = db.check_open(r.lane); !ok) return ok;
    const time_point now = db.clock.now();
    std::span<const header> headers{bytes->headers};
    for (std::size_t i = 0; i < r.bodies->size(); ++i) {
        const enqueue_options& o = r.option(i);
        if (i > 0 && r.options.size() > 1) headers = headers.subspan(r.option(i - 1).headers.size());
        ids.push_back({++db.last_job_id});
        job j = new_job(ids.back(), o, now);
        j.lane = r.lane;
        j.body = bytes->bodies[i];
        j.headers = headers.first(o.headers.size());
        if (r.has_keys()) j.key = bytes->keys[i];
        j.owner = bytes;
        const time_point due = o.run_at.is_set() ? resolve(o.run_at, now) : now;
        if (log != nullptr) log->record_enqueue(std::move(j), due > now ? std::optional{due} : std::nullopt);
        else due > now ? db.jobs.defer(std::move(j), due) : db.jobs.add_ready(std::move(j));
    }
    if (log != nullptr) return {};
    db.workers.wake_one(r.lane, {});  // also for a deferred job: the worker must set its timer
    return {};
}

/// Checks `enqueue_options::at_most` of every new job.
inline result<void> check_at_most(const tables& db, const tracked_request& r, const std::vector<enqueued_job>& jobs) {
    struct added {
        std::int64_t jobs = 0;
        std::int64_t at_most = 0;  // 0: no bound
    };
    std::map<lane_id, added> by_lane;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (!jobs[i].is_new) continue;
        auto& [n, at_most] = by_lane[r.lane(i)];
        ++n;
        if (const auto bound = r.option(i).at_most; bound > 0)
            at_most = at_most == 0 ? bound : std::min(at_most, bound);
    }
    for (const auto& [lane, a] : by_lane)
        if (a.at_most > 0 && db.count_open(lane) + a.jobs > a.at_most)
            return error_info{errc::lane_full,
                              "the lane is full: it may have at most " + std::to_string(a.at_most) + " jobs"};
    return {};
}

/// Enqueues jobs with unique keys, parents, results or an expiry, or of a call with a request id. If it returns an
/// error, no job is enqueued.
inline result<void> enqueue_tracked(tables& db, const tracked_request& r, std::vector<enqueued_job>& jobs) {
    const request_id request = pgq::detail::request_id_of(r.options).value();
    std::string name;
    if (request.is_set() && r.bodies && !r.bodies->empty()) {
        if (!db.jobs.has_lane(r.lane(0))) return no_such_lane();
        name.append(db.lanes.key(r.lane(0)).queue).append(1, '\0').append(request.text());
        if (const auto* const before = db.jobs.tracked().find_request(name, db.clock.now())) {
            if (before->size() != r.bodies->size()) return pgq::detail::other_request(r.bodies->size(), before->size());
            jobs = *before;
            return {};
        }
    }
    std::vector<std::string> names(r.bodies ? r.bodies->size() : 0);
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!db.jobs.has_lane(r.lane(i))) return no_such_lane();
        if (auto ok = db.check_open(r.lane(i)); !ok) return ok;
        const lane_key& lane = db.lanes.key(r.lane(i));
        if (r.option(i).unique_key.is_set()) names[i].append(lane.queue).append(1, '\0').append(lane.entrypoint);
    }
    tracked_enqueue call{db.jobs, r, std::move(names), db.clock.now()};
    if (auto ok = call.plan(db.last_job_id); !ok) return ok;
    if (auto ok = check_at_most(db, r, call.jobs()); !ok) return ok;
    std::vector<job_id> parents;
    for (const enqueue_options& o : r.options) parents.insert(parents.end(), o.after.begin(), o.after.end());
    track(db, sorted(parents));
    call.perform();
    jobs = call.jobs();
    if (!name.empty()) db.jobs.tracked().set_request(name, jobs, add_saturated(db.clock.now(), request_retention));
    return {};
}

}  // namespace pgq::driver::in_memory
