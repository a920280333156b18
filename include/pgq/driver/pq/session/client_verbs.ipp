#pragma once

#include <pgq/driver/pq/command/admin/cancel.hpp>
#include <pgq/driver/pq/command/admin/find.hpp>
#include <pgq/driver/pq/command/admin/find_one.hpp>
#include <pgq/driver/pq/command/admin/inspect.hpp>
#include <pgq/driver/pq/command/admin/limits.hpp>
#include <pgq/driver/pq/command/admin/pause.hpp>
#include <pgq/driver/pq/command/admin/problems.hpp>
#include <pgq/driver/pq/command/admin/revise.hpp>
#include <pgq/driver/pq/command/admin/schedule.hpp>
#include <pgq/driver/pq/command/admin/schedule_fire.hpp>
#include <pgq/driver/pq/command/admin/statistics.hpp>
#include <pgq/driver/pq/command/enqueue.hpp>
#include <pgq/driver/pq/command/lanes.hpp>
#include <pgq/driver/pq/command/take.hpp>
#include <pgq/driver/pq/session/client_verbs.hpp>

namespace pgq::driver::pq {

template <class Session>
result<std::vector<lane_id>> client_verbs<Session>::lanes(std::string_view queue, std::span<const lane_name> names) {
    return run(command::lanes{queue, names});
}

template <class Session>
result<std::vector<lane_limit>> client_verbs<Session>::limits(std::string_view queue,
                                                              std::span<const lane_limit> declared) {
    return run(command::admin::limits{queue, declared});
}

template <class Session>
result<bool> client_verbs<Session>::change_limit(std::string_view queue, const lane_limit& l) {
    return run(command::admin::change_limit{queue, l});
}

template <class Session>
result<bool> client_verbs<Session>::pause(const pause_request& what) {
    return run(command::admin::pause{what});
}

template <class Session>
result<bool> client_verbs<Session>::resume(std::string_view queue, std::string_view entrypoint) {
    return run(command::admin::resume{queue, entrypoint});
}

template <class Session>
result<std::vector<paused_scope>> client_verbs<Session>::paused(std::string_view queue) {
    return run(command::admin::paused{queue});
}

template <class Session>
result<void> client_verbs<Session>::enqueue_tracked(const tracked_request& r, std::vector<enqueued_job>& put) {
    return run(command::enqueue_tracked{r, put});
}

template <class Session>
result<void> client_verbs<Session>::hold_taken(const taken_record& job, std::string_view reason) {
    return run(command::hold_taken{job, reason});
}

template <class Session>
result<cancel_reply> client_verbs<Session>::cancel(job_ids jobs) {
    return run(command::admin::cancel{jobs});
}

template <class Session>
result<std::int64_t> client_verbs<Session>::requeue(job_ids jobs) {
    return run(command::admin::requeue{jobs});
}

template <class Session>
result<std::vector<held_job>> client_verbs<Session>::held(lane_id lane, std::size_t limit) {
    return run(command::admin::held{lane, limit});
}

template <class Session>
result<lane_counts> client_verbs<Session>::counts(lane_id lane) {
    return run(command::admin::counts{lane});
}

template <class Session>
result<void> client_verbs<Session>::find(const find_request& r, std::vector<job_id>& found) {
    return run(command::admin::find{r, found});
}

template <class Session>
result<std::optional<found_job>> client_verbs<Session>::find_one(job_id id) {
    return run(command::admin::find_one{id});
}

template <class Session>
result<std::vector<failed_attempt>> client_verbs<Session>::failures(job_id id) {
    return run(command::admin::failures{id});
}

template <class Session>
result<std::int64_t> client_verbs<Session>::open_jobs(lane_id lane, std::int64_t most) {
    return run(command::admin::open_jobs{lane, most});
}

template <class Session>
result<void> client_verbs<Session>::set_dead_letter_routes(lane_list from, lane_list to) {
    return run(command::set_dead_letter_routes{from, to});
}

template <class Session>
result<std::optional<std::string>> client_verbs<Session>::progress_of(job_id id) {
    return run(command::admin::progress_of{id});
}

template <class Session>
result<std::vector<lane_statistics>> client_verbs<Session>::statistics(const statistics_request& r) {
    return run(command::admin::statistics{r});
}

template <class Session>
result<std::vector<capped_counts>> client_verbs<Session>::counts_up_to(lane_list lanes, std::int64_t most) {
    return run(command::admin::counts_up_to{lanes, most});
}

template <class Session>
result<std::vector<job_failure>> client_verbs<Session>::latest_failures(lane_list lanes, std::size_t limit) {
    return run(command::admin::latest_failures{lanes, limit});
}

template <class Session>
result<void> client_verbs<Session>::keep_failures(lane_list lanes, duration keep) {
    return run(command::admin::keep_failures{lanes, keep});
}

template <class Session>
result<std::vector<database_problem>> client_verbs<Session>::problems() {
    return run(command::admin::problems{});
}

template <class Session>
result<bool> client_verbs<Session>::declare_schedule(std::string_view queue, const schedule_definition& d) {
    return run(command::admin::declare_schedule{queue, d});
}

template <class Session>
result<schedule_list> client_verbs<Session>::schedules(std::string_view queue, std::span<const std::string> kept) {
    return run(command::admin::schedules{queue, kept});
}

template <class Session>
result<fire_reply> client_verbs<Session>::fire_schedules(std::string_view queue, std::span<const schedule_firing> all) {
    return run(command::admin::fire_schedules{queue, all});
}

template <class Session>
result<schedule_change_reply> client_verbs<Session>::change_schedule(std::string_view queue, std::string_view name,
                                                                     schedule_change change, std::string_view reason) {
    return run(command::admin::change_schedule{queue, name, change, reason});
}

template <class Session>
result<std::int64_t> client_verbs<Session>::prune_schedules(std::string_view queue, duration unused_for) {
    return run(command::admin::prune_schedules{queue, unused_for});
}

template <class Session>
template <class Command>
auto client_verbs<Session>::run(Command c) {
    return static_cast<Session&>(*this).run(std::move(c));
}

}  // namespace pgq::driver::pq
