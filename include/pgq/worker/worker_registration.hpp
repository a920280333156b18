#pragma once

#include <pgq/concept/observer.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/error/result.hpp>
#include <pgq/event/events.hpp>
#include <pgq/fsm/paused_scopes.hpp>
#include <pgq/fsm/worker.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/version.hpp>
#include <pgq/worker/session_step.hpp>
#include <pgq/worker/worker_options.hpp>

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace pgq::detail {

inline result<void> check(const worker_options& o) {
    using namespace std::chrono_literals;
    if (o.max_attempts < 1)
        return error_info{errc::invalid_option, "max_attempts is less than 1", "1 means: no second attempt"};
    if (o.lease_time < 100ms || o.lease_time > 24h)
        return error_info{errc::invalid_option, "lease_time is not between 100 ms and a day",
                          "some seconds are right for most: it is beaten three times in each"};
    if (o.poll_interval < 1ms || o.poll_interval > 24h)
        return error_info{errc::invalid_option, "poll_interval is not between 1 ms and a day"};
    if (o.max_batch < 1 || o.max_batch > 1'000'000)
        return error_info{errc::invalid_option, "max_batch is not between 1 and a million"};
    if (o.grace < duration{}) return error_info{errc::invalid_option, "grace is negative"};
    if (o.connect_timeout < duration{}) return error_info{errc::invalid_option, "connect_timeout is negative"};
    if (o.queues == nullptr) return {};
    if (o.until == run_until::drained)
        return error_info{errc::invalid_option, "a worker of many queue names cannot run until they are drained",
                          "run_until::empty ends when no job is claimable"};
    return o.queues->check();
}

inline error_info many_names_with_limits() {
    return {errc::invalid_option, "a worker of many queue names has a queue type with limits",
            "give each of these names a worker of its own, or use a queue type without limits"};
}

inline fsm::worker_options machine_options(const worker_options& o, std::size_t width, bool overlap) {
    fsm::worker_options m;
    m.window.slots = static_cast<std::uint32_t>(width);
    m.window.max_prefetch = o.max_prefetch;
    m.poll_interval = o.poll_interval;
    m.grace = o.grace;
    m.lease_time = o.lease_time;
    m.until = o.until;
    m.overlap = overlap;
    return m;
}

inline std::string host_name() {
    char name[256] = "";
    if (::gethostname(name, sizeof name - 1) != 0) return "?";
    return name;
}

inline worker_info registration_of(const std::string& host, const worker_options& o, std::span<const lane_id> lanes) {
    return {.host = host,
            .pid = static_cast<std::int32_t>(::getpid()),
            .version = PGQ_VERSION,
            .lease_time = o.lease_time,
            .lanes = lanes};
}

/// Tells the observer what a worker has found about the database when it starts. An error if it could run no job, and
/// if the session has ended. Any other error of the search is an event: the worker begins without an answer.
template <class Observer>
result<void> report_problems(Observer& observer, const step_reply& reply) {
    if (!reply) {
        if (ends_session(reply.error())) return reply.error();
        notify(observer, event::error{reply.error()});
        return {};
    }
    result<void> fine;
    if (const auto* found = std::get_if<std::vector<database_problem>>(&*reply))
        for (const auto& p : *found) {
            notify(observer, event::database_problem_found{p.name, p.message, p.remedy, p.prevents_work});
            if (fine && p.prevents_work) fine = error_info{errc::unfit_database, p.message, p.remedy};
        }
    return fine;
}

/// Names the jobs that a step has held because their rows are malformed.
template <class Observer>
void report_held(Observer& observer, const step_value& v) {
    if (const auto* held = std::get_if<std::vector<held_by_rescue>>(&v))
        for (const auto& job : *held) notify(observer, event::held_by_rescue{job.id, job.reason});
}

/// Events about what has been paused and resumed since the worker last looked.
template <class Observer>
void report_pauses(Observer& observer, worker_id id, const fsm::paused_scopes::changes& c) {
    for (const auto& p : c.ended) notify(observer, event::resumed{id, p.queue, p.entrypoint, p.kind});
    for (const auto& p : c.begun) notify(observer, event::paused{id, p.queue, p.entrypoint, p.kind, p.reason});
}

/// Events about limits in the database that differ from those that this program declares. The database's limits hold.
template <class Observer, class Declared>
void report_differing_limits(Observer& observer, const Declared& declared, std::span<const lane_limit> found) {
    for (const lane_limit& mine : declared)
        for (const lane_limit& theirs : found)
            if (same_limit(mine, theirs) && mine != theirs)
                notify(observer, event::limit_differs{mine.entrypoint, mine.limit, theirs.limit});
}

}  // namespace pgq::detail
