#pragma once

#include <pgq/job/limit.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::driver::in_memory {

/// A limit and what is left of its rate.
struct kept_limit {
    std::string queue{};
    lane_limit what{};
    double tokens = 1;
    steady_time at{};

    bool holds_for(std::string_view of_queue, std::string_view entrypoint) const noexcept {
        return queue == of_queue && (what.entrypoint.empty() || what.entrypoint == entrypoint);
    }

    /// Seconds that one job takes of a rate; 0 when none may begin.
    double each() const noexcept {
        if (what.limit.amount <= 0) return 0;
        return std::chrono::duration<double>(what.limit.per).count() / what.limit.amount;
    }
    /// How many may begin now.
    double available(steady_time now) const noexcept {
        if (each() <= 0) return 0;
        const double passed = std::chrono::duration<double>(std::max(now - at, duration{})).count();
        return std::min<double>(what.limit.burst, tokens + passed / each());
    }
    void spend(double n, steady_time now) noexcept {
        tokens = available(now) - n;
        at = now;
    }
    /// Until some may begin at once, after `n` have: one at a time would be a claim for each.
    duration rest(double n, steady_time now) const noexcept {
        if (each() <= 0) return std::chrono::hours{1};
        const double missing = std::max(1, what.limit.burst / 4) + n - available(now);
        const std::chrono::duration<double> wait{std::max(missing * each(), 0.001)};
        return std::chrono::duration_cast<duration>(wait);
    }
};

/// All limits of a store.
class limit_book {
public:
    std::vector<lane_limit> declare(std::string_view queue, std::span<const lane_limit> declared, steady_time now) {
        for (const auto& d : declared)
            if (find(queue, d) == nullptr) limits_.push_back({.queue = std::string{queue}, .what = d, .at = now});
        std::vector<lane_limit> out;
        for (const auto& l : limits_)
            if (l.queue == queue) out.push_back(l.what);
        return out;
    }
    bool change(std::string_view queue, const lane_limit& to) {
        kept_limit* const mine = find(queue, to);
        if (mine == nullptr) return false;
        mine->what = to;
        mine->tokens = std::min<double>(mine->tokens, to.limit.burst);
        return true;
    }
    /// Those that hold for lanes of this name.
    std::vector<kept_limit*> of(std::string_view queue, std::string_view entrypoint) {
        std::vector<kept_limit*> out;
        for (auto& l : limits_)
            if (l.holds_for(queue, entrypoint)) out.push_back(&l);
        return out;
    }

private:
    kept_limit* find(std::string_view queue, const lane_limit& what) {
        const auto found = std::find_if(limits_.begin(), limits_.end(), [&](const kept_limit& l) {
            return l.queue == queue && same_limit(l.what, what);
        });
        return found == limits_.end() ? nullptr : &*found;
    }

    std::vector<kept_limit> limits_{};
};

}  // namespace pgq::driver::in_memory
