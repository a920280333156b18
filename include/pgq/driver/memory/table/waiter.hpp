#pragma once

#include <pgq/time/clock.hpp>

#include <condition_variable>
#include <optional>

namespace pgq::driver::in_memory {

/// The wake-up state of one session. The mutex of the database guards it.
struct waiter {
    std::condition_variable changed{};
    bool work_ready = false;      // the session's worker may find jobs; cleared when the worker (un)subscribes to wakes
    bool job_changed = false;     // a job that the session watches ended, or a job that it runs must stop
    bool stop_requested = false;  // a job that the session runs must stop; cleared when the session reads it
    bool interrupted = false;
    bool follows_schedules = false;          // a schedule that changes sets job_changed
    std::optional<time_point> clock_seen{};  // a scheduler's: when it began to follow, or its latest wait ended

    bool must_return() const noexcept { return work_ready || job_changed || interrupted; }
    void notify_job_changed() noexcept {
        job_changed = true;
        changed.notify_one();
    }
};

}  // namespace pgq::driver::in_memory
