#pragma once

#include <pgq/error/result.hpp>
#include <pgq/fsm/worker_action.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/tracked.hpp>

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace pgq::detail {

/// A rare action of a worker at its session: what to send. One verb of the driver each.
struct session_step {
    fsm::worker_do what{};
    worker_id worker{};
    worker_info info{};                   ///< register_worker
    std::span<const lease_ref> leases{};  ///< give_back, abandon
    std::span<const lane_id> lanes{};     ///< count_deferred
};

/// What came back: nothing, the new id, leases, or how many jobs.
using step_value =
    std::variant<std::monostate, worker_id, std::vector<lease_ref>, std::vector<lease_update>, std::int64_t>;
using step_reply = result<step_value>;

template <class T>
step_reply to_step_reply(result<T>&& r) {
    if (!r) return std::move(r.error());
    if constexpr (std::is_void_v<T>) return step_value{};
    else return step_value{std::move(*r)};
}

/// Sends the step and waits for the reply. Touches nothing but the session.
template <class Session>
step_reply execute(Session& session, const session_step& step) {
    switch (step.what) {
    case fsm::worker_do::register_worker: return to_step_reply(session.register_worker(step.info));
    case fsm::worker_do::compare_leases: return to_step_reply(session.leases_of(step.worker));
    case fsm::worker_do::refresh_leases: return to_step_reply(session.lease_updates(step.worker));
    case fsm::worker_do::count_deferred: {
        std::int64_t sum = 0;
        for (const lane_id l : step.lanes) {
            auto n = session.counts(l);
            if (!n) return std::move(n.error());
            sum += n->deferred + n->ready;  // a worker that promotes does so for all lanes, not only its own
        }
        return step_value{sum};
    }
    default: return to_step_reply(session.give_back(step.leases));
    }
}

}  // namespace pgq::detail
