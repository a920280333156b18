#pragma once

#include <pgq/detail/type_list.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

/// Events of a worker, as plain structs for observers. Views in an event are valid only during the call. Logs and
/// metrics use `name`, which is stable.
namespace pgq::event {

/// A worker has registered and starts to claim jobs.
struct worker_started {
    static constexpr std::string_view name = "worker_started";
    worker_id worker{};
    std::size_t slots = 0;  ///< how many jobs its executor runs at once
};
/// A run of a worker has ended.
struct worker_stopped {
    static constexpr std::string_view name = "worker_stopped";
    worker_id worker{};
    std::size_t slots = 0;  ///< as in worker_started
};
/// A worker has claimed `count` jobs of one entrypoint. A sync that claims from several lanes sends one event for each.
struct jobs_claimed {
    static constexpr std::string_view name = "jobs_claimed";
    worker_id worker{};
    std::size_t count = 0;
    std::string_view entrypoint{};
    std::string_view queue{};
    bool last = true;  ///< of the events of its sync
};
/// An attempt begins: the handler is called next.
struct job_started {
    static constexpr std::string_view name = "job_started";
    job_id id{};
    std::string_view entrypoint{};
    std::int16_t attempt = 0;
    std::string_view queue{};
    /// From the enqueue of the job to the claim of this attempt, both by the database's clock: with the delay that was
    /// asked for and, from the second attempt on, with the attempts before.
    duration waited{};
};
/// The handler has returned or thrown. The outcome is not in the database yet.
struct job_finished {
    static constexpr std::string_view name = "job_finished";
    job_id id{};
    std::string_view entrypoint{};
    std::int16_t attempt = 0;
    outcome::kind what = outcome::kind::done;
    std::string_view reason{};
    duration run_time{};
    std::string_view queue{};
    bool started = true;  ///< false: no job_started came before: its payload could not be read, or the job was lost
};
/// A try of `executor::retrying` failed. The handler is called again after `pause`, unless the worker stops or the stop
/// token fires before. The database does not record such a try.
struct try_failed {
    static constexpr std::string_view name = "try_failed";
    job_id id{};
    std::string_view entrypoint{};
    std::int16_t attempt = 0;
    int try_number = 0;
    std::string_view reason{};
    duration pause{};
    std::string_view queue{};
};
/// The stop token of a handler fired because of its `executor::timeout`, and the handler still runs when the grace time
/// of that timeout is over. When it ends, the attempt fails.
struct handler_exceeded_timeout {
    static constexpr std::string_view name = "handler_exceeded_timeout";
    job_id id{};
    std::string_view entrypoint{};
    std::int16_t attempt = 0;
    duration run_time{};
    std::string_view queue{};
};
/// A worker lost a lease while its jobs ran. Another worker runs the `unfinished` jobs again.
struct lease_lost {
    static constexpr std::string_view name = "lease_lost";
    std::int64_t lease = 0;
    std::size_t unfinished = 0;
};
/// A limiter of this program has other settings than the database, which stored that limit before. The stored one is
/// used.
struct limit_differs {
    static constexpr std::string_view name = "limit_differs";
    std::string_view entrypoint{};  ///< empty: it is a limit of the whole queue
    limit_spec declared{};
    limit_spec stored{};
};
/// The worker has lost its connection, or could not open one. It tries again after `next_try`.
struct connection_failed {
    static constexpr std::string_view name = "connection_failed";
    error_info error{};
    duration next_try{};
};
/// The worker is connected again.
struct connection_restored {
    static constexpr std::string_view name = "connection_restored";
};
/// This worker declared other workers dead. Their jobs are claimable again (`returned`), or held if they had no attempt
/// left.
struct jobs_rescued {
    static constexpr std::string_view name = "jobs_rescued";
    std::int64_t workers = 0;
    std::int64_t returned = 0;
    std::int64_t held = 0;
};
/// An error after which the worker goes on.
struct error {
    static constexpr std::string_view name = "error";
    error_info error{};
};

/// A rescue by this worker held this job: its workers died in all of its attempts, or its row in the database was
/// malformed. It follows jobs_rescued. A worker that gives back a job with a malformed row sends it, too.
struct held_by_rescue {
    static constexpr std::string_view name = "held_by_rescue";
    job_id id{};
    std::string_view reason{};
};

/// A scheduler has fired a tick: it has enqueued the job of a schedule.
struct schedule_fired {
    static constexpr std::string_view name = "schedule_fired";
    std::string_view schedule{};
    time_point scheduled_at{};  ///< the tick
    job_id job{};
    duration late{};  ///< how long after the tick, by the clock of the database
};
/// The tick of a schedule has enqueued no job: another one has its unique key (`reason` is empty), or there was an
/// error.
struct schedule_skipped {
    static constexpr std::string_view name = "schedule_skipped";
    std::string_view schedule{};
    time_point scheduled_at{};
    std::string_view reason{};
};
/// Ticks of a schedule, from the first to the last one, were not fired and will not be: no scheduler ran.
struct schedule_missed {
    static constexpr std::string_view name = "schedule_missed";
    std::string_view schedule{};
    time_point from{};
    time_point to{};
};
/// When it starts, a worker finds something about the database that makes jobs fail or wait without a message. If it
/// `prevents_work`, run() returns errc::unfit_database.
struct database_problem_found {
    static constexpr std::string_view name = "database_problem_found";
    std::string_view problem{};  ///< database_problem::name
    std::string_view message{};
    std::string_view remedy{};
    bool prevents_work = false;
};
/// A worker has learned that jobs which it serves are paused, or that they are draining. It begins no more jobs of what
/// is paused.
struct paused {
    static constexpr std::string_view name = "paused";
    worker_id worker{};
    std::string_view queue{};       ///< empty: everything in the schema
    std::string_view entrypoint{};  ///< empty: the whole queue
    pause_kind kind = pause_kind::paused;
    std::string_view reason{};
};
/// A worker has learned that somebody has resumed this.
struct resumed {
    static constexpr std::string_view name = "resumed";
    worker_id worker{};
    std::string_view queue{};
    std::string_view entrypoint{};
    pause_kind kind = pause_kind::paused;
};

/// A call of a queue object has enqueued `count` jobs of one entrypoint. They are durable, unless `committed` is false.
/// A job whose unique key another job has is not in `count`, except in a transaction and with async_enqueue. The calls
/// `enqueue`, `enqueue_stream`, `async_enqueue`, flows, and transactions when they have committed send it. Schedules
/// send schedule_fired instead, and SQL functions nothing.
struct jobs_enqueued {
    static constexpr std::string_view name = "jobs_enqueued";
    std::string_view queue{};
    std::string_view entrypoint{};
    std::size_t count = 0;
    bool committed = true;  ///< false: inside of a transaction of the caller (pgq::within), which may still roll back
};
/// Why a worker gives jobs back.
enum class return_reason : std::uint8_t {
    stopping,   ///< the worker stops
    paused,     ///< their lane is paused
    long_jobs,  ///< they waited for jobs that take long; another worker may begin them sooner
};
constexpr std::string_view name_of(return_reason r) noexcept {
    constexpr std::string_view names[] = {"stopping", "paused", "long_jobs"};
    return names[static_cast<std::size_t>(r)];
}
/// A worker gives back `count` jobs of one lease. They are claimable again after its next sync, and their attempts do
/// not count. Their handlers have not begun, or have not ended in the grace time of a worker that stops.
struct jobs_returned {
    static constexpr std::string_view name = "jobs_returned";
    worker_id worker{};
    std::string_view queue{};
    std::string_view entrypoint{};
    std::size_t count = 0;
    return_reason why = return_reason::stopping;
};
/// A worker has learned that somebody cancelled a job which it has. If the handler runs (`running`), its stop token
/// fires, and job_finished follows. If not, the job does not start.
struct job_cancelled {
    static constexpr std::string_view name = "job_cancelled";
    job_id id{};
    std::string_view queue{};
    std::string_view entrypoint{};
    std::int16_t attempt = 0;
    bool running = false;
};
/// A queue object, or a handle of it, has cancelled jobs: `removed` jobs that waited are gone, and the workers of
/// `stopping` jobs are told.
struct cancel_requested {
    static constexpr std::string_view name = "cancel_requested";
    std::string_view queue{};  ///< of the queue object; the jobs may be of any queue
    std::int64_t removed = 0;
    std::int64_t stopping = 0;
};

/// All events. Add a new event at the end: observer::counters counts them by position.
using all = detail::type_list<worker_started, worker_stopped, jobs_claimed, job_started, job_finished, lease_lost,
                              connection_failed, connection_restored, jobs_rescued, error, try_failed,
                              handler_exceeded_timeout, limit_differs, held_by_rescue, schedule_fired, schedule_skipped,
                              schedule_missed, database_problem_found, paused, resumed, jobs_enqueued, jobs_returned,
                              job_cancelled, cancel_requested>;

}  // namespace pgq::event
