#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/statistics.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/action.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/doctor/examination.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pgq {

/// Lists what is there, of any job types, and writes nothing. See docs/design/admin.md.
///
/// - `list_lanes`: at most `most` lanes in the order of their ids.
/// - `list_jobs`: the first jobs that match, in the order of their ids, without their payloads. One call reads one
///   moment. A job that matches and stays where it is is on exactly one of the pages.
/// - `list_workers`: those that are registered, at most `most`, in the order of their ids.
/// - `failed_groups`: held jobs of these lanes (nothing: of all), grouped by lane and by the first line of the reason,
///   largest group first, at most 1000 groups. It looks at no more than `most` jobs of a lane.
template <class S>
concept can_list = requires(S& s, const lane_query& lanes, const job_search& jobs, worker_id after, std::int64_t most,
                            std::optional<std::span<const lane_id>> of) {
    { s.list_lanes(lanes) } -> std::same_as<result<std::vector<listed_lane>>>;
    { s.list_jobs(jobs) } -> std::same_as<result<job_page>>;
    { s.list_workers(after, most) } -> std::same_as<result<std::vector<listed_worker>>>;
    { s.failed_groups(of, most) } -> std::same_as<result<std::vector<failed_group>>>;
};

/// Acts on jobs by their ids, in one step. Jobs that are not in a state that fits are left alone. Sleeping workers are
/// woken as after an enqueue. A move to a lane that drains fails with errc::draining, and moves nothing.
template <class S>
concept can_act = requires(S& s, const action_request& r) {
    { s.act(r) } -> std::same_as<result<action_reply>>;
};

/// Removes a worker. A worker that is alive stays, unless `forced`. Its jobs go back as by `rescue`, at once or with
/// the next heartbeat of another worker, see forget_reply.
template <class S>
concept can_forget_workers = requires(S& s, worker_id id, bool forced) {
    { s.forget_worker(id, forced) } -> std::same_as<result<forget_reply>>;
};

/// Examines the installation on a server and writes nothing; for pgq::admin::doctor.
template <class S>
concept can_examine = requires(S& s, duration limit, const examination& e) {
    { s.examine_objects(limit) } -> std::same_as<result<std::vector<catalog_object>>>;
    { s.examine(e) } -> std::same_as<result<std::vector<found_condition>>>;
    { s.problems() } -> std::same_as<result<std::vector<database_problem>>>;
};

/// What pgq::admin needs.
template <class S>
concept admin_session = client_session<S> && can_list<S> && can_act<S> && can_forget_workers<S> &&
    can_read_statistics<S> && can_schedule<S>;

}  // namespace pgq
