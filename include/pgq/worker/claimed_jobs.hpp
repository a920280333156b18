#pragma once

#include <pgq/protocol/tracked.hpp>
#include <pgq/worker/held_lease.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace pgq::detail {

/// Jobs that were claimed and not handed to the executor yet, in the order in which they start: by rank over all lanes.
/// Jobs of limited lanes come first: they count against their limit while they wait. Jobs in quarantine
/// (docs/design/quarantine.md) wait until start_alone().
class claimed_jobs {
public:
    struct job {
        held_lease* slot;
        std::uint32_t position;
    };

    bool empty() const noexcept { return order_.empty(); }

    /// The jobs of one claim: add_lease() for each lease, then sort().
    void add_lease(held_lease& slot) {
        for (std::uint32_t i = 0; i < slot.lease.jobs.size(); ++i) {
            const bool alone = (slot.lease.jobs[i].flags & flag_alone) != 0;
            (alone ? alone_ : order_).push_back({&slot, i});
        }
        ++leases_;
    }
    /// How many jobs in quarantine have not started. Forgets those that were taken back meanwhile.
    std::uint32_t waiting_alone() {
        std::erase_if(alone_, [](const job& j) {
            const bool taken = j.slot->is_taken(j.position);
            if (taken) j.slot->drop_task();
            return taken;
        });
        return static_cast<std::uint32_t>(alone_.size());
    }
    /// The next job in quarantine; there is one.
    const job& next_alone() const noexcept { return alone_.front(); }
    /// dispatch() starts it.
    void start_alone() {
        order_.push_back(alone_.front());
        alone_.erase(alone_.begin());
    }
    void sort() {
        if (leases_ > 1) {
            std::sort(
                order_.begin() + static_cast<std::ptrdiff_t>(sorted_), order_.end(), [](const job& a, const job& b) {
                    const auto &x = a.slot->lease.jobs[a.position], &y = b.slot->lease.jobs[b.position];
                    return std::tuple{!a.slot->limited, x.rank, x.id} < std::tuple{!b.slot->limited, y.rank, y.id};
                });
        }
        sorted_ = order_.size();
        leases_ = 0;
    }

    /// Hands all to the runner's executor, except those that were taken back meanwhile: their payloads may be gone.
    /// Returns how many.
    template <class Runner>
    std::uint32_t dispatch(Runner& runner) {
        std::uint32_t begun = 0;
        for (const auto& o : order_) {
            if (o.slot->is_taken(o.position)) {
                o.slot->drop_task();
                continue;
            }
            runner.dispatch(*o.slot, o.position);
            ++begun;
        }
        if (begun > 0) runner.dispatched();
        order_.clear();
        sorted_ = 0;
        return begun;
    }

private:
    std::vector<job> order_;
    std::vector<job> alone_;
    std::size_t sorted_ = 0;  // claims before this one
    std::size_t leases_ = 0;  // of this one
};

}  // namespace pgq::detail
