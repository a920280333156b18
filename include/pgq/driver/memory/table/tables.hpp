#pragma once

#include <pgq/driver/memory/table/clock.hpp>
#include <pgq/driver/memory/table/job_store.hpp>
#include <pgq/driver/memory/table/lane_table.hpp>
#include <pgq/driver/memory/table/lease_table.hpp>
#include <pgq/driver/memory/table/limit_table.hpp>
#include <pgq/driver/memory/table/pause_table.hpp>
#include <pgq/driver/memory/table/schedule_table.hpp>
#include <pgq/driver/memory/table/worker_registry.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace pgq::driver::in_memory {

/// The whole state of an in-memory database. The driver's verbs are functions on it; `database` has the mutex.
struct tables {
    in_memory::clock clock{};
    lane_table lanes{};
    limit_table limits{};
    pause_table pauses{};
    job_store jobs{};
    lease_table leases{};
    worker_registry workers{};
    schedule_table schedules{};
    std::int64_t last_job_id = 0;

    /// Wakes a sleeping worker for each lane that has changed, but never `except`.
    void wake_touched(worker_id except = {}) {
        workers.wake(jobs.touched(), except);
        jobs.touched().clear();
    }
    bool is_paused(lane_id lane) const {
        return !pauses.empty() && pauses.find(pause_kind::paused, lanes.key(lane)) != nullptr;
    }
    /// Whether the lane takes new jobs.
    result<void> check_open(lane_id lane) const {
        if (pauses.empty()) return {};
        const lane_key& key = lanes.key(lane);
        const paused_scope* const p = pauses.find(pause_kind::draining, key);
        return p == nullptr ? result<void>{} : refusal(*p, key);
    }
    /// How many jobs of the lane have not ended and are not held.
    std::int64_t count_open(lane_id lane) const {
        const auto c = jobs.counts(lane);
        return c.ready + c.deferred + c.blocked + leases.count_running(lane);
    }
};

inline error_info no_such_lane() { return error_info{errc::invalid_option, "there is no lane with this number"}; }

inline std::vector<job_id> sorted(std::span<const job_id> ids) {
    std::vector<job_id> out{ids.begin(), ids.end()};
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace pgq::driver::in_memory
