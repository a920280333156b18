#pragma once

#include <pgq/detail/separate_compilation.hpp>
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
    result<std::vector<lane_id>> lanes(std::string_view queue, std::span<const lane_name> names);
    result<std::vector<lane_limit>> limits(std::string_view queue, std::span<const lane_limit> declared);
    result<bool> change_limit(std::string_view queue, const lane_limit& l);
    result<bool> pause(const pause_request& what);
    result<bool> resume(std::string_view queue, std::string_view entrypoint);
    result<std::vector<paused_scope>> paused(std::string_view queue);
    result<void> enqueue_tracked(const tracked_request& r, std::vector<enqueued_job>& put);
    result<void> hold_taken(const taken_record& job, std::string_view reason);

    result<cancel_reply> cancel(job_ids jobs);
    result<std::int64_t> requeue(job_ids jobs);
    result<std::vector<held_job>> held(lane_id lane, std::size_t limit);
    result<lane_counts> counts(lane_id lane);
    result<void> find(const find_request& r, std::vector<job_id>& found);
    result<std::optional<found_job>> find_one(job_id id);
    result<std::vector<failed_attempt>> failures(job_id id);
    result<std::int64_t> open_jobs(lane_id lane, std::int64_t most);
    result<void> set_dead_letter_routes(lane_list from, lane_list to);
    result<std::optional<std::string>> progress_of(job_id id);
    result<std::vector<lane_statistics>> statistics(const statistics_request& r);
    result<std::vector<capped_counts>> counts_up_to(lane_list lanes, std::int64_t most);
    result<std::vector<job_failure>> latest_failures(lane_list lanes, std::size_t limit);
    result<void> keep_failures(lane_list lanes, duration keep);
    result<std::vector<database_problem>> problems();

    result<bool> declare_schedule(std::string_view queue, const schedule_definition& d);
    result<schedule_list> schedules(std::string_view queue, std::span<const std::string> kept);
    result<fire_reply> fire_schedules(std::string_view queue, std::span<const schedule_firing> all);
    result<schedule_change_reply> change_schedule(std::string_view queue, std::string_view name, schedule_change change,
                                                  std::string_view reason);
    result<std::int64_t> prune_schedules(std::string_view queue, duration unused_for);

protected:
    client_verbs() = default;

private:
    template <class Command>
    auto run(Command c);
};

}  // namespace pgq::driver::pq

#ifndef PGQ_SEPARATE_COMPILATION
#include <pgq/driver/pq/session/client_verbs.ipp>
#endif
