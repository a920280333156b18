#pragma once

#include <pgq/protocol/limit.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::driver::in_memory {

/// A limit of a queue. For a rate limit, it is also the token bucket.
struct stored_limit {
    std::string queue{};
    lane_limit declared{};
    double tokens = 1;
    steady_time updated_at{};  ///< when `tokens` was true

    bool applies_to(std::string_view of_queue, std::string_view entrypoint) const noexcept {
        return queue == of_queue && (declared.entrypoint.empty() || declared.entrypoint == entrypoint);
    }

    /// The seconds after which a rate limit allows one more job; 0 if it allows none.
    double seconds_per_job() const noexcept {
        if (declared.limit.amount <= 0) return 0;
        return std::chrono::duration<double>(declared.limit.per).count() / declared.limit.amount;
    }
    /// How many jobs a rate limit allows to start now.
    double available(steady_time now) const noexcept {
        if (seconds_per_job() <= 0) return 0;
        const double passed = std::chrono::duration<double>(std::max(now - updated_at, duration{})).count();
        return std::min<double>(declared.limit.burst, tokens + passed / seconds_per_job());
    }
    void spend(double n, steady_time now) noexcept {
        tokens = available(now) - n;
        updated_at = now;
    }
    /// How long to wait, after `n` jobs have started now, until a quarter of the burst (at least one job) may start.
    /// Waiting for one job at a time would cost a claim for each job.
    duration wait_after(double n, steady_time now) const noexcept {
        if (seconds_per_job() <= 0) return std::chrono::hours{1};
        const double missing = std::max(1, declared.limit.burst / 4) + n - available(now);
        const std::chrono::duration<double> wait{std::max(missing * seconds_per_job(), 0.001)};
        return std::chrono::duration_cast<duration>(wait);
    }
};

/// All limits of the database.
class limit_table {
public:
    /// Adds the limits that are new. Returns all limits of the queue.
    std::vector<lane_limit> declare(std::string_view queue, std::span<const lane_limit> declared, steady_time now) {
        for (const auto& d : declared)
            if (find(queue, d) == nullptr)
                limits_.push_back({.queue = std::string{queue}, .declared = d, .updated_at = now});
        std::vector<lane_limit> out;
        for (const auto& l : limits_)
            if (l.queue == queue) out.push_back(l.declared);
        return out;
    }
    /// False if the queue has no such limit.
    bool change(std::string_view queue, const lane_limit& to) {
        stored_limit* const found = find(queue, to);
        if (found == nullptr) return false;
        found->declared = to;
        found->tokens = std::min<double>(found->tokens, to.limit.burst);
        return true;
    }
    /// The limits that apply to the lanes of this name.
    std::vector<stored_limit*> of(std::string_view queue, std::string_view entrypoint) {
        std::vector<stored_limit*> out;
        for (auto& l : limits_)
            if (l.applies_to(queue, entrypoint)) out.push_back(&l);
        return out;
    }

private:
    stored_limit* find(std::string_view queue, const lane_limit& what) {
        const auto found = std::find_if(limits_.begin(), limits_.end(), [&](const stored_limit& l) {
            return l.queue == queue && same_limit(l.declared, what);
        });
        return found == limits_.end() ? nullptr : &*found;
    }

    std::vector<stored_limit> limits_{};
};

}  // namespace pgq::driver::in_memory
