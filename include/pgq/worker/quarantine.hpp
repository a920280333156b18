#pragma once

#include <pgq/fsm/worker.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/claimed_jobs.hpp>

#include <cstdint>
#include <optional>

namespace pgq::detail {

/// When the jobs in quarantine start: one by one, when the worker has no other job in hand, and after a sync has marked
/// the job in the database. See docs/design/quarantine.md.
///
///     [claims] -- a claim brought jobs in quarantine --> [no claims, others run] -- the others ended --+
///        ^                                                                                             v
///        +-- none is left -- [the job runs alone] <-- the sync succeeded -- [the next sync marks the first one]
///                                     |                                                                ^
///                                     +------------------- it ended, another one waits ----------------+
class quarantine {
public:
    /// Called before each decision of the machine. `full`: the worker holds as many bytes of payloads as it may.
    void update(claimed_jobs& claimed, fsm::worker& machine, bool full, steady_time now) {
        next_.reset();
        const std::uint32_t waiting = claimed.waiting_alone();
        const bool others = machine.in_hand() > waiting;
        runs_ = runs_ && others;
        const bool held = waiting > 0 || runs_;
        if (held_ && !held) machine.scan_again();  // jobs may have become ready while the worker did not claim
        held_ = held;
        machine.hold_claims(held || full);
        if (waiting == 0 || others || !claimed.empty() || machine.stopping() || !machine.connection_state().is_open())
            return;
        const auto& first = claimed.next_alone();
        next_ = {.lease = first.slot->lease.ref.id, .index = first.slot->lease.jobs[first.position].index};
        machine.flush_requested(now);
    }
    /// Whether nothing may be claimed.
    bool holds_claims() const noexcept { return held_; }
    /// The job that the next sync marks.
    const std::optional<leased_job>& next() const noexcept { return next_; }
    /// The sync succeeded. Returns true if a job in quarantine can be dispatched now. If the sync did not find the
    /// lease of the job, the worker reads its leases again.
    bool answered(claimed_jobs& claimed, fsm::worker& machine, const sync_reply& reply) {
        if (!next_) return false;
        next_.reset();
        if (!reply.begins_alone) return machine.connection_state().leases_changed(), false;
        auto& lease = claimed.next_alone().slot->lease;
        for (const lease_ref& m : reply.moved)
            if (m.id == lease.ref.id) lease.ref.location = m.location;
        claimed.start_alone();
        return runs_ = true;
    }

private:
    std::optional<leased_job> next_{};
    bool held_ = false;  // no claims: a job in quarantine waits or runs
    bool runs_ = false;  // a job in quarantine has begun
};

}  // namespace pgq::detail
