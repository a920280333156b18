#pragma once

#include <pgq/driver/memory/table/job.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

using job_array = std::shared_ptr<const std::vector<job>>;

/// A claimed batch. A job is settled when the worker has acknowledged it or returned it to the queue. `jobs` never
/// changes, because the records that the worker reads without the mutex point into it.
struct lease {
    worker_id worker{};
    lane_id lane{};
    std::int16_t max_attempts = 1;
    time_point claimed_at{};
    job_array jobs{};
    std::string settled{};                  ///< a bit for each job, as in lease_progress::mask
    std::vector<std::int16_t> flags{};      ///< the current flags of each job; empty if no job has flags
    std::map<std::size_t, job> replaced{};  ///< the jobs whose payload has changed since the claim, by index

    bool is_settled(std::size_t i) const noexcept {
        return i / 8 < settled.size() && ((static_cast<unsigned char>(settled[i / 8]) >> (i % 8)) & 1U) != 0;
    }
    /// Whether the jobs of this mask are settled, and no others.
    bool has_settled(std::string_view mask) const noexcept {
        const auto without_zeros = [](std::string_view bits) {
            while (!bits.empty() && bits.back() == '\0') bits.remove_suffix(1);
            return bits;
        };
        return without_zeros(settled) == without_zeros(mask);
    }
    void mark_settled(std::string_view mask) {
        settled.resize(std::max(settled.size(), mask.size()));
        for (std::size_t i = 0; i < mask.size(); ++i) settled[i] = static_cast<char>(settled[i] | mask[i]);
    }
    void mark_settled(std::size_t i) {
        settled.resize(std::max(settled.size(), i / 8 + 1));
        settled[i / 8] = static_cast<char>(settled[i / 8] | (1 << (i % 8)));
    }
    std::int16_t flags_of(std::size_t i) const noexcept { return flags.empty() ? std::int16_t{0} : flags[i]; }
    void add_flags(std::size_t i, std::int16_t bits) {
        flags.resize(jobs->size());
        flags[i] = static_cast<std::int16_t>(flags[i] | bits);
    }
    /// The job with its current payload and flags.
    job current(std::size_t i) const {
        const auto found = replaced.find(i);
        job j = found == replaced.end() ? (*jobs)[i] : found->second;
        j.flags = flags_of(i);
        return j;
    }
    void replace_body(std::size_t i, std::string_view body) {
        job j = (*jobs)[i];
        j.body = body;
        replaced.insert_or_assign(i, detached_copy(j));
    }
    /// The index of a job; none if the job is settled or is not in this lease.
    std::optional<std::size_t> index_of(job_id id) const {
        std::optional<std::size_t> index;
        for_each_running([&](std::size_t i) {
            if ((*jobs)[i].id == id) index = i;
        });
        return index;
    }
    /// Calls `f(index)` for each job that is not settled.
    template <class F>
    void for_each_running(F f) const {
        for (std::size_t i = 0; i < jobs->size(); ++i)
            if (!is_settled(i)) f(i);
    }
};

/// The open leases by their ids.
class lease_table {
public:
    /// Null if the lease does not exist or belongs to another worker.
    lease* find(std::int64_t id, worker_id worker) {
        const auto found = leases_.find(id);
        return found == leases_.end() || found->second.worker != worker ? nullptr : &found->second;
    }
    /// Stores the lease. Returns it as the worker receives it.
    claimed_lease add(lease l) {
        const std::int64_t id = ++last_;
        claimed_lease c{.ref = {.id = id}, .lane = l.lane, .claimed_at = l.claimed_at, .jobs = {}, .storage = l.jobs};
        c.jobs.reserve(l.jobs->size());
        for (std::uint32_t i = 0; const job& j : *l.jobs) {
            if (j.flags != 0) l.add_flags(i, j.flags);
            c.jobs.push_back(record_of(j, i++));
        }
        leases_.emplace_hint(leases_.end(), id, std::move(l));
        return c;
    }
    /// Removes and returns the lease. If there is none, the result has no jobs.
    lease remove(std::int64_t id) {
        auto found = leases_.extract(id);
        return found ? std::move(found.mapped()) : lease{.jobs = std::make_shared<const std::vector<job>>()};
    }
    /// The lease must exist.
    lane_id lane_of(std::int64_t id) const { return leases_.at(id).lane; }
    std::vector<lease_ref> of(worker_id worker) const {
        std::vector<lease_ref> out;
        for (const auto& [id, l] : leases_)
            if (l.worker == worker) out.push_back({.id = id});
        return out;
    }
    /// The current state of all leases of the worker; `paused` is not set.
    std::vector<lease_update> updates_of(worker_id worker) const {
        std::vector<lease_update> out;
        for (const auto& [id, l] : leases_)
            if (l.worker == worker) out.push_back({.ref = {.id = id}, .left = l.settled, .flags = l.flags});
        return out;
    }
    bool has_stop_request(worker_id worker) const {
        bool any = false;
        for (const auto& [id, l] : leases_)
            if (l.worker == worker && !l.flags.empty())
                l.for_each_running(
                    [&, &lease = l](std::size_t i) { any = any || (lease.flags_of(i) & flag_stop) != 0; });
        return any;
    }
    /// Calls `f(lease&, index)` for each of these jobs that runs. `ids` must be sorted.
    template <class F>
    void for_each_running(std::span<const job_id> ids, F f) {
        for (auto& [id, l] : leases_)
            l.for_each_running([&, &lease = l](std::size_t i) {
                if (std::binary_search(ids.begin(), ids.end(), (*lease.jobs)[i].id)) f(lease, i);
            });
    }
    /// Calls `f(const lease&, index)` for each job that runs.
    template <class F>
    void for_each_running(F f) const {
        for (const auto& [id, l] : leases_) l.for_each_running([&, &lease = l](std::size_t i) { f(lease, i); });
    }
    /// Calls `f(const job&)` for each job of the lane that runs. The job has the payload and flags of its claim.
    template <class F>
    void for_each_running(lane_id lane, F f) const {
        for (const auto& [id, l] : leases_)
            if (l.lane == lane) l.for_each_running([&, &jobs = *l.jobs](std::size_t i) { f(jobs[i]); });
    }
    std::int64_t count_running(lane_id lane) const {
        std::int64_t n = 0;
        for_each_running(lane, [&](const job&) { ++n; });
        return n;
    }

private:
    std::map<std::int64_t, lease> leases_{};
    std::int64_t last_ = 0;
};

}  // namespace pgq::driver::in_memory
