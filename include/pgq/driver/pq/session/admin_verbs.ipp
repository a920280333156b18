#pragma once

#include <pgq/driver/pq/command/admin/action.hpp>
#include <pgq/driver/pq/command/admin/doctor.hpp>
#include <pgq/driver/pq/command/admin/listing.hpp>
#include <pgq/driver/pq/session/admin_verbs.hpp>

namespace pgq::driver::pq {

template <class Session>
result<std::vector<listed_lane>> admin_verbs<Session>::list_lanes(const lane_query& q) {
    return run(command::admin::list_lanes{q});
}

template <class Session>
result<job_page> admin_verbs<Session>::list_jobs(const job_search& r) {
    return run(command::admin::list_jobs{r});
}

template <class Session>
result<std::vector<listed_worker>> admin_verbs<Session>::list_workers(worker_id after, std::int64_t most) {
    return run(command::admin::list_workers{after, most});
}

template <class Session>
result<std::vector<failed_group>> admin_verbs<Session>::failed_groups(std::optional<std::span<const lane_id>> lanes,
                                                                      std::int64_t most) {
    return run(command::admin::failed_groups{lanes, most});
}

template <class Session>
result<action_reply> admin_verbs<Session>::act(const action_request& r) {
    return run(command::admin::act{r});
}

template <class Session>
result<std::vector<catalog_object>> admin_verbs<Session>::examine_objects(duration limit) {
    return run(command::admin::examine_objects{limit});
}

template <class Session>
result<std::vector<found_condition>> admin_verbs<Session>::examine(const examination& e) {
    return run(command::admin::examine_conditions{e});
}

template <class Session>
result<forget_reply> admin_verbs<Session>::forget_worker(worker_id id, bool forced) {
    bool may_return = false;
    auto reply = run(command::admin::forget_worker{id, forced, may_return});
    if (!reply || !reply->forgotten || !may_return) return reply;
    auto back = run(command::admin::return_jobs{});
    if (!back) return std::move(back.error());
    reply->returned = back->returned;
    reply->held = back->held;
    return reply;
}

template <class Session>
template <class Command>
auto admin_verbs<Session>::run(Command c) {
    return static_cast<Session&>(*this).run(std::move(c));
}

}  // namespace pgq::driver::pq
