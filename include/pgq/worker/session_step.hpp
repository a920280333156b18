#pragma once

#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/tracked.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace pgq::detail {

/// What a worker does at its session except syncing and waiting: one request each. A step says which verb of the
/// session performs it, blocking and asynchronously. A step without one of the two does not compile.
///
/// `async_execute` takes a completion token for void(std::error_code, T), where `execute` returns result<T>. What a
/// step points to must live until it is performed.
namespace steps {

/// Without an answer where a driver does not look for problems.
struct find_problems {
    auto execute(auto& session) const {
        if constexpr (requires { session.problems(); }) return session.problems();
        else return result<void>{};
    }
    auto async_execute(auto& session, auto token) const { return session.async_problems(token); }
};

struct find_lanes {
    std::string_view queue{};
    std::span<const lane_name> names{};

    auto execute(auto& session) const { return session.lanes(queue, names); }
    auto async_execute(auto& session, auto token) const { return session.async_lanes(queue, names, token); }
};

struct find_limits {
    std::string_view queue{};
    std::span<const lane_limit> declared{};

    auto execute(auto& session) const { return session.limits(queue, declared); }
    auto async_execute(auto& session, auto token) const { return session.async_limits(queue, declared, token); }
};

struct register_worker {
    worker_info info{};

    auto execute(auto& session) const { return session.register_worker(info); }
    auto async_execute(auto& session, auto token) const { return session.async_register_worker(info, token); }
};

struct read_leases {
    worker_id worker{};

    auto execute(auto& session) const { return session.leases_of(worker); }
    auto async_execute(auto& session, auto token) const { return session.async_leases_of(worker, token); }
};

struct read_lease_updates {
    worker_id worker{};

    auto execute(auto& session) const { return session.lease_updates(worker); }
    auto async_execute(auto& session, auto token) const { return session.async_lease_updates(worker, token); }
};

struct read_paused {
    std::string_view queue{};

    auto execute(auto& session) const { return session.paused(queue); }
    auto async_execute(auto& session, auto token) const { return session.async_paused(queue, token); }
};

struct count_lane {
    lane_id lane{};

    auto execute(auto& session) const { return session.counts(lane); }
    auto async_execute(auto& session, auto token) const { return session.async_counts(lane, token); }
};

struct give_back {
    std::span<const lease_ref> leases{};

    auto execute(auto& session) const { return session.give_back(leases); }
    auto async_execute(auto& session, auto token) const { return session.async_give_back(leases, token); }
};

/// With the last report, if the driver keeps statistics.
struct retire {
    worker_id worker{};
    minute_report report{};

    auto execute(auto& session) const {
        if constexpr (requires { session.retire(worker, report); }) return session.retire(worker, report);
        else return session.retire(worker);
    }
    auto async_execute(auto& session, auto token) const {
        if constexpr (requires { session.async_retire(worker, report, token); })
            return session.async_retire(worker, report, token);
        else return session.async_retire(worker, token);
    }
};

}  // namespace steps

using session_step = std::variant<steps::find_problems, steps::find_lanes, steps::find_limits, steps::register_worker,
                                  steps::read_leases, steps::read_lease_updates, steps::read_paused, steps::count_lane,
                                  steps::give_back, steps::retire>;

/// The value of a reply to a step.
using step_value =
    std::variant<std::monostate, std::vector<lane_id>, std::vector<lane_limit>, worker_id, std::vector<lease_update>,
                 std::vector<paused_scope>, lane_counts, std::vector<held_by_rescue>, std::vector<database_problem>>;
using step_reply = result<step_value>;

template <class T>
step_reply to_step_reply(result<T>&& r) {
    if (!r) return std::move(r.error());
    if constexpr (std::is_void_v<T>) return step_value{};
    else return step_value{std::move(*r)};
}

/// Performs a step and blocks until the reply. Uses nothing but the session.
template <class Session>
step_reply execute(Session& session, const session_step& step) {
    return std::visit([&](const auto& one) { return to_step_reply(one.execute(session)); }, step);
}

}  // namespace pgq::detail
