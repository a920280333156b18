#pragma once

#include <pgq/driver/memory/command/action.hpp>
#include <pgq/driver/memory/command/listing.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/action.hpp>
#include <pgq/protocol/listing.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pgq::driver::in_memory {

/// The verbs of an operator. `Session` has `run`, which calls a function with the tables while it holds their mutex.
template <class Session>
class admin_verbs {
public:
    result<std::vector<listed_lane>> list_lanes(const lane_query& q) {
        return self().run([&](tables& db) { return in_memory::list_lanes(db, q); });
    }
    result<job_page> list_jobs(const job_search& r) {
        return self().run([&](tables& db) { return in_memory::list_jobs(db, r); });
    }
    result<std::vector<listed_worker>> list_workers(worker_id after, std::int64_t most) {
        return self().run([&](tables& db) { return in_memory::list_workers(db, after, most); });
    }
    result<std::vector<failed_group>> failed_groups(std::optional<std::span<const lane_id>> lanes, std::int64_t most) {
        return self().run([&](tables& db) { return in_memory::failed_groups(db, lanes, most); });
    }
    result<action_reply> act(const action_request& r) {
        return self().run([&](tables& db) { return in_memory::act(db, r); });
    }
    result<forget_reply> forget_worker(worker_id id, bool forced) {
        return self().run([&](tables& db) { return in_memory::forget_worker(db, id, forced); });
    }

protected:
    admin_verbs() = default;

private:
    Session& self() noexcept { return static_cast<Session&>(*this); }
};

}  // namespace pgq::driver::in_memory
