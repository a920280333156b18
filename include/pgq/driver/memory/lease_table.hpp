#pragma once

#include <pgq/driver/memory/job.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/job/tracked.hpp>

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

/// A claimed batch. `jobs` never changes: the worker's records look at it while others ask here.
struct lease {
    worker_id worker{};
    lane_id lane{};
    std::int16_t max_attempts = 1;
    job_array jobs{};
    std::string left{};                    ///< the mask of the jobs that have left
    std::vector<std::int16_t> flags{};     ///< of the jobs as they are now; empty when there are none
    std::map<std::size_t, job> revised{};  ///< those that have another payload by now

    bool has_left(std::size_t i) const noexcept {
        return i / 8 < left.size() && ((static_cast<unsigned char>(left[i / 8]) >> (i % 8)) & 1U) != 0;
    }
    void leave(std::string_view mask) {
        left.resize(std::max(left.size(), mask.size()));
        for (std::size_t i = 0; i < mask.size(); ++i) left[i] = static_cast<char>(left[i] | mask[i]);
    }
    void leave(std::size_t i) {
        left.resize(std::max(left.size(), i / 8 + 1));
        left[i / 8] = static_cast<char>(left[i / 8] | (1 << (i % 8)));
    }
    std::int16_t flag(std::size_t i) const noexcept { return flags.empty() ? std::int16_t{0} : flags[i]; }
    void raise(std::size_t i, std::int16_t bits) {
        flags.resize(jobs->size());
        flags[i] = static_cast<std::int16_t>(flags[i] | bits);
    }
    /// The job as it is now.
    job at(std::size_t i) const {
        const auto other = revised.find(i);
        job j = other == revised.end() ? (*jobs)[i] : other->second;
        j.flags = flag(i);
        return j;
    }
    void revise(std::size_t i, std::string_view body) {
        job j = (*jobs)[i];
        j.body = body;
        revised.insert_or_assign(i, alone(j));
    }
    /// Of a job that has not left.
    std::optional<std::size_t> position_of(job_id id) const {
        std::optional<std::size_t> at;
        for_each_unfinished([&](std::size_t i) {
            if ((*jobs)[i].id == id) at = i;
        });
        return at;
    }
    /// By their positions.
    template <class F>
    void for_each_unfinished(F f) const {
        for (std::size_t i = 0; i < jobs->size(); ++i)
            if (!has_left(i)) f(i);
    }
};

/// The open leases by their ids.
class lease_book {
public:
    /// Only when it is there and that worker's.
    lease* find(std::int64_t id, worker_id worker) {
        const auto found = leases_.find(id);
        return found == leases_.end() || found->second.worker != worker ? nullptr : &found->second;
    }
    /// Makes the lease and tells the worker what is in it.
    claimed_lease open(lease l) {
        const std::int64_t id = ++last_;
        claimed_lease c{.ref = {.id = id}, .lane = l.lane, .jobs = {}, .storage = l.jobs};
        c.jobs.reserve(l.jobs->size());
        for (std::uint32_t i = 0; const job& j : *l.jobs) {
            if (j.flags != 0) l.raise(i, j.flags);
            c.jobs.push_back({j.id, j.rank, j.attempts, i++, j.body, j.headers, j.flags});
        }
        leases_.emplace_hint(leases_.end(), id, std::move(l));
        return c;
    }
    /// The lease as it was, without jobs when there is none.
    lease close(std::int64_t id) {
        auto found = leases_.extract(id);
        return found ? std::move(found.mapped()) : lease{.jobs = std::make_shared<const std::vector<job>>()};
    }
    std::vector<lease_ref> of(worker_id worker) const {
        std::vector<lease_ref> out;
        for (const auto& [id, l] : leases_)
            if (l.worker == worker) out.push_back({.id = id});
        return out;
    }
    /// All that the worker holds, as it is now.
    std::vector<lease_news> news(worker_id worker) const {
        std::vector<lease_news> out;
        for (const auto& [id, l] : leases_)
            if (l.worker == worker) out.push_back({.ref = {.id = id}, .flags = l.flags});
        return out;
    }
    bool is_asked_to_stop(worker_id worker) const {
        bool any = false;
        for (const auto& [id, l] : leases_)
            if (l.worker == worker && !l.flags.empty())
                l.for_each_unfinished(
                    [&, &lease = l](std::size_t i) { any = any || (lease.flag(i) & flag_stop) != 0; });
        return any;
    }
    /// `f(lease&, position)` for those of the jobs that somebody runs. `ids` are sorted.
    template <class F>
    void for_each_of(std::span<const job_id> ids, F f) {
        for (auto& [id, l] : leases_)
            l.for_each_unfinished([&, &lease = l](std::size_t i) {
                if (std::binary_search(ids.begin(), ids.end(), (*lease.jobs)[i].id)) f(lease, i);
            });
    }
    template <class F>
    void for_each_unfinished(lane_id lane, F f) const {
        for (const auto& [id, l] : leases_)
            if (l.lane == lane) l.for_each_unfinished([&, &jobs = *l.jobs](std::size_t i) { f(jobs[i]); });
    }
    std::int64_t unfinished(lane_id lane) const {
        std::int64_t n = 0;
        for (const auto& [id, l] : leases_)
            if (l.lane == lane) l.for_each_unfinished([&](std::size_t) { ++n; });
        return n;
    }

private:
    std::map<std::int64_t, lease> leases_{};
    std::int64_t last_ = 0;
};

}  // namespace pgq::driver::in_memory
