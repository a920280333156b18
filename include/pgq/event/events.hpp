#pragma once

#include <pgq/detail/type_list.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/limit.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

/// What happened, as plain structs for observers. Views are valid during the call. `name` is for people and metrics; it is
/// stable.
namespace pgq::event {

struct worker_started {
    static constexpr std::string_view name = "worker_started";
    worker_id worker{};
};
struct worker_stopped {
    static constexpr std::string_view name = "worker_stopped";
    worker_id worker{};
};
struct jobs_claimed {
    static constexpr std::string_view name = "jobs_claimed";
    worker_id worker{};
    std::size_t count = 0;
};
struct job_started {
    static constexpr std::string_view name = "job_started";
    job_id id{};
    std::string_view entrypoint{};
    std::int16_t attempt = 0;
};
/// The handler has returned or thrown; the outcome is not yet in the database.
struct job_finished {
    static constexpr std::string_view name = "job_finished";
    job_id id{};
    std::string_view entrypoint{};
    std::int16_t attempt = 0;
    outcome::kind what = outcome::kind::done;
    std::string_view reason{};
    duration run_time{};
};
/// A try of `executor::retrying` failed; the handler is called again after `pause`, unless that is cut short. The database does not
/// hear of it.
struct try_failed {
    static constexpr std::string_view name = "try_failed";
    job_id id{};
    std::string_view entrypoint{};
    std::int16_t attempt = 0;
    int try_number = 0;
    std::string_view reason{};
    duration pause{};
};
/// A handler went on for longer than the grace of its `executor::timeout` after its stop token had fired. It still runs; if it ever
/// ends, the attempt has failed.
struct handler_overran {
    static constexpr std::string_view name = "handler_overran";
    job_id id{};
    std::string_view entrypoint{};
    std::int16_t attempt = 0;
    duration run_time{};
};
/// A lease was taken away while its jobs ran; whatever they did will be done again by another worker.
struct lease_lost {
    static constexpr std::string_view name = "lease_lost";
    std::int64_t lease = 0;
    std::size_t unfinished = 0;
};
/// A limiter of this program says something else than the database, where it was declared or changed before: that wins.
struct limit_differs {
    static constexpr std::string_view name = "limit_differs";
    std::string_view entrypoint{};  ///< empty: a limit of the whole queue
    limit_spec declared{};
    limit_spec stored{};
};
struct connection_failed {
    static constexpr std::string_view name = "connection_failed";
    error_info error{};
    duration next_try{};
};
struct connection_restored {
    static constexpr std::string_view name = "connection_restored";
};
struct jobs_rescued {
    static constexpr std::string_view name = "jobs_rescued";
    std::int64_t workers = 0;
    std::int64_t returned = 0;
    std::int64_t held = 0;
};
/// Something went wrong that the worker survived.
struct trouble {
    static constexpr std::string_view name = "trouble";
    error_info error{};
};

/// Each of them. A new event goes to the end: what is counted by position stays where it was.
using all = detail::type_list<worker_started, worker_stopped, jobs_claimed, job_started, job_finished, lease_lost,
                              connection_failed, connection_restored, jobs_rescued, trouble, try_failed,
                              handler_overran, limit_differs>;

}  // namespace pgq::event
