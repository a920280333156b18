#pragma once

#include <pgq/admin/overview.hpp>
#include <pgq/admin/selection.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/action.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/tracked.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What the screen wants of the database, and the answers.
namespace pgq::cli::top {

/// What a row shows: an entrypoint, a job, a worker or a schedule.
struct target {
    std::string queue{};
    std::string entrypoint{};
    std::optional<job_id> job{};
    std::string other{};  ///< the name of a schedule, the id of a worker

    /// "job 7", "mail/send"
    std::string text() const {
        if (job) return "job " + std::to_string(job->value);
        return queue + '/' + (other.empty() ? entrypoint : other);
    }
    friend bool operator==(const target&, const target&) = default;
};

enum class ask : std::uint8_t {
    sample,  ///< an overview
    jobs,    ///< a page of the jobs of an entrypoint
    job,     ///< a job and its failed attempts
    payload,
    count,  ///< how many jobs the action would take
    act,
    pause,
    resume,
    pause_schedule,
    resume_schedule,
    stop,  ///< the running action, behind its present batch
    quit,
};

struct request {
    ask what = ask::sample;
    target of{};
    job_action action = job_action::cancel;  ///< of `count` and `act`
    job_id after = before_all_jobs;          ///< of `jobs`
};

struct reply {
    request to{};
    std::optional<error_info> error{};
    pgq::overview overview{};
    job_page page{};
    std::optional<listed_job> job{};  ///< empty: the job has ended or was never there
    std::vector<failed_attempt> attempts{};
    std::optional<std::string> payload{};
    capped_count count{};
    bulk_reply done{};
    bool more = false;     ///< an action that goes on: another reply follows
    bool changed = false;  ///< of pause and resume
};

/// "cancel", "requeue"
inline std::string verb_of(job_action a) { return a == job_action::requeue ? "requeue" : "cancel"; }

}  // namespace pgq::cli::top
