#pragma once

#include <pgq/detail/separate_compilation.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/action.hpp>
#include <pgq/protocol/doctor/examination.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/time/clock.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// The verbs of an operator; see concept/admin.hpp for what they mean. `Session` has `run`, which runs a command.
template <class Session>
class admin_verbs {
public:
    result<std::vector<listed_lane>> list_lanes(const lane_query& q);
    result<job_page> list_jobs(const job_search& r);
    result<std::vector<listed_worker>> list_workers(worker_id after, std::int64_t most);
    result<std::vector<failed_group>> failed_groups(std::optional<std::span<const lane_id>> lanes, std::int64_t most);
    result<action_reply> act(const action_request& r);
    result<std::vector<catalog_object>> examine_objects(duration limit);
    result<std::vector<found_condition>> examine(const examination& e);
    result<forget_reply> forget_worker(worker_id id, bool forced);

protected:
    admin_verbs() = default;

private:
    template <class Command>
    auto run(Command c);
};

}  // namespace pgq::driver::pq

#ifndef PGQ_SEPARATE_COMPILATION
#include <pgq/driver/pq/session/admin_verbs.ipp>
#endif
