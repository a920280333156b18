#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/testing/simulation/process.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::simulation {

inline error_info connection_lost() { return {errc::connection_lost, "the simulated connection broke"}; }

/// A session of a process. Calls of clients and of handlers fail as the rates of the process say. Those of a worker's
/// loop and heartbeat do not: these look for faults themselves, because their calls take time.
class session : public pgq::driver::memory::session {
    using base = pgq::driver::memory::session;

public:
    session(base&& inner, std::shared_ptr<process> owner) : base{std::move(inner)}, owner_{std::move(owner)} {}

    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& ids) {
        return call([&] { return base::enqueue(r, ids); });
    }
    result<void> enqueue_tracked(const tracked_request& r, std::vector<enqueued_job>& jobs) {
        return call([&] { return base::enqueue_tracked(r, jobs); });
    }
    result<cancel_reply> cancel(std::span<const job_id> ids) {
        return call([&] { return base::cancel(ids); });
    }
    result<std::int64_t> requeue(std::span<const job_id> ids) {
        return call([&] { return base::requeue(ids); });
    }
    result<void> revise(const revision& r) {
        return call([&] { return base::revise(r); });
    }
    result<void> commit() {
        return call([&] { return base::commit(); });
    }
    result<bool> commit_acknowledging(worker_id worker, const lease_ref& lease,
                                      std::optional<std::string_view> written) {
        return call([&] { return base::commit_acknowledging(worker, lease, written); });
    }
    result<bool> acknowledge(worker_id worker, const lease_ref& lease) {
        return call([&] { return base::acknowledge(worker, lease); });
    }

private:
    template <class Call>
    auto call(Call verb) -> decltype(verb()) {
        const fault_rates& rates = owner_->rates();
        if (owner_->is_cut_off() || owner_->in().chance(rates.lost_request)) return connection_lost();
        auto reply = verb();
        if (owner_->in().chance(rates.lost_answer)) return connection_lost();
        return reply;
    }

    std::shared_ptr<process> owner_;
};

/// The database of a simulated world, as one process reaches it.
class driver {
public:
    using policy_category = driver_tag;
    using session = simulation::session;

    driver(pgq::driver::memory database, std::shared_ptr<process> owner)
        : database_{std::move(database)}, owner_{std::move(owner)} {}

    process& owner() const noexcept { return *owner_; }
    result<session> connect(session_role role) const {
        // A handler that is no coroutine opens clients' sessions. If it were refused, it would try again until the cut
        // ends, which it never does: no simulated time passes meanwhile.
        if (owner_->is_cut_off() && role != session_role::client) return connection_lost();
        auto inner = database_.connect(role);
        if (!inner) return inner.error();
        return session{std::move(*inner), owner_};
    }
    result<void> install() const { return {}; }
    /// For requests that arrive after their sender has given up, or has ended.
    pgq::driver::memory& database() const noexcept { return database_; }

private:
    mutable pgq::driver::memory database_;
    std::shared_ptr<process> owner_;
};

}  // namespace pgq::simulation
