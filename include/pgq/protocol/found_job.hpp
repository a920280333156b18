#pragma once

#include <pgq/error/error_info.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace pgq {

/// The worker that has a job.
struct job_holder {
    worker_id worker{};
    std::string host{};  ///< empty if the worker has been declared dead
    std::int32_t pid = 0;
    time_point since{};  ///< when it claimed the job, by the database's clock
};

/// Where a job is, and what the database knows of it. `attempts` counts the present delivery. A job that has ended has
/// no payload, headers, rank and enqueue time any more.
struct found_job : stored_job {
    std::string queue{};
    std::string entrypoint{};
    std::string version{};               ///< of the payload; empty without `serializer::versioned`
    job_state state = job_state::ready;  ///< one state; `ended` if the end of the job is kept
    std::optional<time_point> run_at{};  ///< a deferred job: when it becomes ready
    std::int64_t blocked_by = 0;         ///< a blocked job: how many jobs it waits for
    std::optional<job_holder> holder{};  ///< a leased job
    std::optional<end_kind> end{};       ///< a job that has ended
    std::string reason{};                ///< why it failed last, is held, or has ended

    std::int16_t priority() const noexcept { return rank.priority(); }
};

/// Where a job of a known type is, with its payload.
template <class Job>
struct found : found_job {
    std::optional<Job> payload{};               ///< empty if the job has ended, or if it cannot be read
    std::optional<error_info> payload_error{};  ///< why it cannot be read
};

}  // namespace pgq
