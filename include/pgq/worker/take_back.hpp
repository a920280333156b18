#pragma once

#include <pgq/concept/observer.hpp>
#include <pgq/event/events.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/held_leases.hpp>
#include <pgq/worker/limited_lanes.hpp>
#include <pgq/worker/names/served_lanes.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
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

template <class Observer>
void report_returned(Observer& to, const held_lease& s, std::uint32_t n, event::return_reason why) noexcept {
    if (n != 0) notify(to, event::jobs_returned{s.worker, s.queue, s.entrypoint, n, why});
}

/// Gives back all jobs that have not begun, or only those of paused lanes; their attempts do not count. Begins with the
/// last job. So if a thread begins a job at the same time, the jobs before that one have not been given back.
template <class Observer>
std::uint32_t take_back(held_leases& leases, limited_lanes& limited, steady_time now, Observer& to,
                        event::return_reason why) {
    const bool of_paused = why == event::return_reason::paused;
    std::vector<held_lease*> last_first;
    for (auto& s : leases)
        if (!s->lost && (!of_paused || s->paused)) last_first.push_back(s.get());
    std::sort(last_first.begin(), last_first.end(),
              [](const held_lease* a, const held_lease* b) { return a->claimed.id > b->claimed.id; });
    std::uint32_t n = 0;
    for (auto* s : last_first) {
        const std::uint32_t before = n;
        for (auto i = static_cast<std::uint32_t>(s->lease.jobs.size()); i-- > 0 && s->unfinished > 0;) {
            if (!take_job(*s, i, limited, now)) continue;
            s->finish(i, {.gone = false, .kind = settle_kind::release}, now);
            ++n;
        }
        report_returned(to, *s, n - before, why);
    }
    return n;
}

/// Fires the stop tokens of running jobs that should stop, and gives back those that have not begun.
template <class Observer>
std::uint32_t stop_flagged(held_lease& s, limited_lanes& limited, steady_time now, Observer& to) {
    std::uint32_t n = 0;
    for (std::uint32_t i = 0; i < s.lease.jobs.size(); ++i) {
        const job_record& job = s.lease.jobs[i];
        const std::uint32_t index = job.index;
        if (!s.has_flag(index, flag_stop) || held_lease::is_set(s.left, index)) continue;
        const auto why = s.has_flag(index, flag_overlap) ? stop_reason::schedule_overlap : stop_reason::cancelled;
        const bool is_new = s.cancel(i, why) && !s.is_unsettled(index);
        const bool running = s.unfinished == 0 || !take_job(s, i, limited, now);
        if (is_new) notify(to, event::job_cancelled{job.id, s.queue, s.entrypoint, job.attempt, running});
        if (running) continue;
        s.finish(i, {.gone = false, .kind = settle_kind::release}, now);
        ++n;
    }
    return n;
}

/// The worker stops, and gives back the leases of handlers that have not ended.
template <class Observer>
void report_abandoned(Observer& to, const held_leases& leases) noexcept {
    for (const auto& s : leases)
        if (!s->lost) report_returned(to, *s, s->unfinished, event::return_reason::stopping);
}

/// One event for each lane of a claim; leases of one lane follow each other.
template <class Observer>
void report_claimed(Observer& to, worker_id worker, const served_lanes& served,
                    const std::vector<claimed_lease>& leases) noexcept {
    if constexpr (observes<Observer, event::jobs_claimed>) {
        for (std::size_t i = 0; i < leases.size();) {
            const served_lane& lane = served[served.index_of(leases[i].lane)];
            std::size_t n = 0;
            for (const lane_id of = leases[i].lane; i < leases.size() && leases[i].lane == of; ++i)
                n += leases[i].jobs.size();
            if (n != 0) to.on(event::jobs_claimed{worker, n, lane.entrypoint, lane.queue, i == leases.size()});
        }
    }
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
