#pragma once

#include <pgq/driver/pq/command/admin/action.hpp>
#include <pgq/driver/pq/command/admin/doctor.hpp>
#include <pgq/driver/pq/command/admin/listing.hpp>
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
    result<std::vector<listed_lane>> list_lanes(const lane_query& q) { return run(command::admin::list_lanes{q}); }
    result<job_page> list_jobs(const job_search& r) { return run(command::admin::list_jobs{r}); }
    result<std::vector<listed_worker>> list_workers(worker_id after, std::int64_t most) {
        return run(command::admin::list_workers{after, most});
    }
    result<std::vector<failed_group>> failed_groups(std::optional<std::span<const lane_id>> lanes, std::int64_t most) {
        return run(command::admin::failed_groups{lanes, most});
    }
    result<action_reply> act(const action_request& r) { return run(command::admin::act{r}); }
    result<std::vector<catalog_object>> examine_objects(duration limit) {
        return run(command::admin::examine_objects{limit});
    }
    result<std::vector<found_condition>> examine(const examination& e) {
        return run(command::admin::examine_conditions{e});
    }
    result<forget_reply> forget_worker(worker_id id, bool forced) {
        bool may_return = false;
        auto reply = run(command::admin::forget_worker{id, forced, may_return});
        if (!reply || !reply->forgotten || !may_return) return reply;
        auto back = run(command::admin::return_jobs{});
        if (!back) return std::move(back.error());
        reply->returned = back->returned;
        reply->held = back->held;
        return reply;
    }

protected:
    admin_verbs() = default;

private:
    template <class Command>
    auto run(Command c) {
        return static_cast<Session&>(*this).run(std::move(c));
    }
};

}  // namespace pgq::driver::pq
