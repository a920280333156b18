#pragma once

#include <pgq/job/id.hpp>

#include <vector>

namespace test {

/// The leases that the database has for this worker. From then on the session gets the worker's notifications.
template <class Session>
std::vector<pgq::lease_ref> leases_of(Session& session, pgq::worker_id worker) {
    std::vector<pgq::lease_ref> refs;
    const auto stored = session.leases_of(worker);
    for (const auto& one : stored.value()) refs.push_back(one.ref);
    return refs;
}

/// The leases of all workers; they have small ids.
template <class Session>
std::vector<pgq::lease_ref> leases_of_all(Session& session) {
    std::vector<pgq::lease_ref> refs;
    for (int worker = 1; worker < 10; ++worker)
        for (const auto& ref : leases_of(session, pgq::worker_id{worker})) refs.push_back(ref);
    return refs;
}

}  // namespace test
