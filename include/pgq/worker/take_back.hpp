#pragma once

#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/held_leases.hpp>
#include <pgq/worker/limited_lanes.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

namespace pgq::detail {

// Jobs that leave a worker without having run. Each function returns how many; no thread has begun them, and none will.

/// False when a thread has begun the job, or it has left before.
inline bool take_job(held_lease& s, std::uint32_t position, limited_lanes& limited, steady_time now) {
    if (!s.take(position)) return false;
    s.revoked_tasks.fetch_add(1, std::memory_order_relaxed);
    limited.ended(s.lane_index, 1, now);
    return true;
}

/// Gives back all jobs that have not begun, or only those of paused lanes; their attempts do not count. Begins with the
/// last job. So if a thread begins a job at the same time, the jobs before that one have not been given back.
inline std::uint32_t take_back(held_leases& leases, limited_lanes& limited, steady_time now, bool of_paused = false) {
    std::vector<held_lease*> last_first;
    for (auto& s : leases)
        if (!s->lost && (!of_paused || s->paused)) last_first.push_back(s.get());
    std::sort(last_first.begin(), last_first.end(),
              [](const held_lease* a, const held_lease* b) { return a->claimed.id > b->claimed.id; });
    std::uint32_t n = 0;
    for (auto* s : last_first) {
        for (auto i = static_cast<std::uint32_t>(s->lease.jobs.size()); i-- > 0 && s->unfinished > 0;) {
            if (!take_job(*s, i, limited, now)) continue;
            s->finish(i, {.gone = false, .kind = settle_kind::release}, now);
            ++n;
        }
    }
    return n;
}

/// Fires the stop tokens of running jobs that should stop, and gives back those that have not begun.
inline std::uint32_t stop_flagged(held_lease& s, limited_lanes& limited, steady_time now) {
    std::uint32_t n = 0;
    for (std::uint32_t i = 0; i < s.lease.jobs.size(); ++i) {
        const std::uint32_t index = s.lease.jobs[i].index;
        if (!s.has_flag(index, flag_stop) || held_lease::is_set(s.left, index)) continue;
        s.cancel(i, s.has_flag(index, flag_overlap) ? stop_reason::schedule_overlap : stop_reason::cancelled);
        if (s.unfinished == 0 || !take_job(s, i, limited, now)) continue;
        s.finish(i, {.gone = false, .kind = settle_kind::release}, now);
        ++n;
    }
    return n;
}

/// The lease belongs to another worker now: nothing of it is acknowledged, and its handlers should stop.
inline std::uint32_t lose(held_lease& s, limited_lanes& limited, steady_time now) {
    std::uint32_t n = 0;
    for (auto i = static_cast<std::uint32_t>(s.lease.jobs.size()); i-- > 0 && s.unfinished > 0;) {
        if (!take_job(s, i, limited, now)) continue;
        --s.unfinished;
        ++n;
    }
    s.lost = true;
    s.dirty = false;
    s.unsettled.clear();
    s.unlocated = false;
    return n;
}

}  // namespace pgq::detail
