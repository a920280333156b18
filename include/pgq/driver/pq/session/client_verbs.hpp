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
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/found_job.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/protocol/tracked.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// The verbs of a client that are one command each; see concept/driver.hpp for what they mean. `Session` has `run`,
/// which runs a command.
template <class Session>
class client_verbs {
    using job_ids = std::span<const job_id>;
    using lane_list = std::span<const lane_id>;

public:
    result<std::vector<lane_id>> lanes(std::string_view queue, std::span<const lane_name> names) {
        return run(command::lanes{queue, names});
    }
    result<std::vector<lane_limit>> limits(std::string_view queue, std::span<const lane_limit> declared) {
        return run(command::admin::limits{queue, declared});
    }
    result<bool> change_limit(std::string_view queue, const lane_limit& l) {
        return run(command::admin::change_limit{queue, l});
    }
    result<bool> pause(const pause_request& what) { return run(command::admin::pause{what}); }
    result<bool> resume(std::string_view queue, std::string_view entrypoint) {
        return run(command::admin::resume{queue, entrypoint});
    }
    result<std::vector<paused_scope>> paused(std::string_view queue) { return run(command::admin::paused{queue}); }
    result<void> enqueue_tracked(const tracked_request& r, std::vector<enqueued_job>& put) {
        return run(command::enqueue_tracked{r, put});
    }
    result<void> hold_taken(const taken_record& job, std::string_view reason) {
        return run(command::hold_taken{job, reason});
    }

    result<cancel_reply> cancel(job_ids jobs) { return run(command::admin::cancel{jobs}); }
    result<std::int64_t> requeue(job_ids jobs) { return run(command::admin::requeue{jobs}); }
    result<std::vector<held_job>> held(lane_id lane, std::size_t limit) {
        return run(command::admin::held{lane, limit});
    }
    result<lane_counts> counts(lane_id lane) { return run(command::admin::counts{lane}); }
    result<void> find(const find_request& r, std::vector<job_id>& found) { return run(command::admin::find{r, found}); }
    result<std::optional<found_job>> find_one(job_id id) { return run(command::admin::find_one{id}); }
    result<std::vector<failed_attempt>> failures(job_id id) { return run(command::admin::failures{id}); }
    result<std::int64_t> open_jobs(lane_id lane, std::int64_t most) {
        return run(command::admin::open_jobs{lane, most});
    }
    result<void> set_dead_letter_routes(lane_list from, lane_list to) {
        return run(command::set_dead_letter_routes{from, to});
    }
    result<std::optional<std::string>> progress_of(job_id id) { return run(command::admin::progress_of{id}); }
    result<std::vector<lane_statistics>> statistics(const statistics_request& r) {
        return run(command::admin::statistics{r});
    }
    result<std::vector<capped_counts>> counts_up_to(lane_list lanes, std::int64_t most) {
        return run(command::admin::counts_up_to{lanes, most});
    }
    result<std::vector<job_failure>> latest_failures(lane_list lanes, std::size_t limit) {
        return run(command::admin::latest_failures{lanes, limit});
    }
    result<void> keep_failures(lane_list lanes, duration keep) {
        return run(command::admin::keep_failures{lanes, keep});
    }
    result<std::vector<database_problem>> problems() { return run(command::admin::problems{}); }

    result<bool> declare_schedule(std::string_view queue, const schedule_definition& d) {
        return run(command::admin::declare_schedule{queue, d});
    }
    result<schedule_list> schedules(std::string_view queue, std::span<const std::string> kept) {
        return run(command::admin::schedules{queue, kept});
    }
    result<fire_reply> fire_schedules(std::string_view queue, std::span<const schedule_firing> all) {
        return run(command::admin::fire_schedules{queue, all});
    }
    result<schedule_change_reply> change_schedule(std::string_view queue, std::string_view name, schedule_change change,
                                                  std::string_view reason) {
        return run(command::admin::change_schedule{queue, name, change, reason});
    }
    result<std::int64_t> prune_schedules(std::string_view queue, duration unused_for) {
        return run(command::admin::prune_schedules{queue, unused_for});
    }

protected:
    client_verbs() = default;

private:
    template <class Command>
    auto run(Command c) {
        return static_cast<Session&>(*this).run(std::move(c));
    }
};

}  // namespace pgq::driver::pq
