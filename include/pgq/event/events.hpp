#pragma once

#include <pgq/error/error_info.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/limit.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

/// What happened, as plain structs for observers. Views are valid during the call.
namespace pgq::event {

struct worker_started {
    worker_id worker{};
};
struct worker_stopped {
    worker_id worker{};
};
struct jobs_claimed {
    worker_id worker{};
    std::size_t count = 0;
};
struct job_started {
    job_id id{};
    std::string_view entrypoint{};
    std::int16_t attempt = 0;
};
/// The handler has returned or thrown; the outcome is not yet in the database.
struct job_finished {
    job_id id{};
    std::string_view entrypoint{};
    std::int16_t attempt = 0;
    outcome::kind what = outcome::kind::done;
    std::string_view reason{};
    duration run_time{};
};
/// A lease was taken away while its jobs ran; whatever they did will be done again by another worker.
struct lease_lost {
    std::int64_t lease = 0;
    std::size_t unfinished = 0;
};
/// A limiter of this program says something else than the database, where it was declared or changed before: that wins.
struct limit_differs {
    const lane_limit& declared;
    const lane_limit& stored;
};
struct connection_failed {
    error_info error{};
    duration next_try{};
};
struct connection_restored {};
struct jobs_rescued {
    std::int64_t workers = 0;
    std::int64_t returned = 0;
    std::int64_t held = 0;
};
/// Something went wrong that the worker survived.
struct trouble {
    error_info error{};
};

}  // namespace pgq::event
