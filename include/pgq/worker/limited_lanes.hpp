#pragma once

#include <pgq/compose/limiter_set.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace pgq::detail {

/// A worker's lanes with limits: how many jobs it may claim from each. A job counts against its limit from the claim
/// on, so the worker prefetches none, except those that begin within a moment. Used by the worker's own thread only.
class limited_lanes {
public:
    explicit limited_lanes(std::uint32_t width) noexcept : width_{width} {}

    /// The lane at `index` of the composition, whose jobs are of type `job`.
    void add(std::size_t index, lane_id lane, std::size_t job, std::int16_t max_attempts, bool each) {
        lanes_.push_back(
            {.index = index, .lane = lane, .job = job, .max_attempts = max_attempts, .lease_per_job = each});
    }
    /// After add(). `count`: how many lanes there are, limited or not.
    void set_limiters(limiter_set limiters, std::size_t count) {
        limiters_ = std::move(limiters);
        of_index_.assign(count, none);
        for (std::size_t i = 0; i < lanes_.size(); ++i) of_index_[lanes_[i].index] = i;
    }

    bool any() const noexcept { return !lanes_.empty(); }
    bool is_limited(std::size_t index) const noexcept { return index < of_index_.size() && of_index_[index] != none; }

    /// What to claim with the next exchange, `ahead` more than begin at once; nothing when `closed`. The lanes take
    /// turns at being first. A lane that gave nothing is left out for 5 ms, because looking there delays the other
    /// lanes, unless one of its jobs has ended here or `all` lanes are wanted.
    std::span<const limited_lane> to_claim(bool closed, bool all, std::uint32_t ahead, steady_time now) {
        wanted_.clear();
        total_ = {};
        for (auto& l : lanes_) l.claim = {};
        if (!closed && any()) {
            const std::uint32_t most = width_ + ahead, free_slots = most - std::min(most, in_hand_);
            total_ = quota_of(limiters_.of_queue.get(), free_slots, now);
            for (std::size_t i = 0; i < lanes_.size() && total_.most > 0; ++i) {
                auto& l = lanes_[(first_ + i) % lanes_.size()];
                if (!all && now < l.left_out_until) continue;
                l.claim = quota_of(limiters_.of_job[l.job].get(), total_.most, now);
                // A claim makes one lease of all that it takes from a limited lane. For leases of one job it takes one
                // job, and the next claim follows at once.
                if (l.lease_per_job && l.claim.most > 1) l.claim = {.most = 1, .again = {}};
                if (l.claim.most > 0)
                    wanted_.push_back({.lane = l.lane, .most = l.claim.most, .max_attempts = l.max_attempts});
            }
            ++first_;
        }
        find_freed();
        return wanted_;
    }
    /// How many to claim from all these lanes together.
    std::uint32_t room() const noexcept { return total_.most; }
    /// Lanes in which this exchange frees places that it does not claim again.
    std::span<const lane_id> freed() const noexcept { return freed_; }

    /// A job of this lane ends with the exchange that is being put together.
    void will_free(std::size_t index) noexcept {
        if (is_limited(index)) lanes_[of_index_[index]].ending = true;
    }

    /// True when that lane has limits.
    bool began(std::size_t index, std::uint32_t n, steady_time now) noexcept {
        if (!is_limited(index)) return false;
        in_hand_ += n;
        total_.got += n;
        lanes_[of_index_[index]].claim.got += n;
        if (auto& own = limiters_.of_job[lanes_[of_index_[index]].job]) own->began(n, now);
        if (limiters_.of_queue) limiters_.of_queue->began(n, now);
        return true;
    }
    bool ended(std::size_t index, std::uint32_t n, steady_time now) noexcept {
        if (!is_limited(index)) return false;
        in_hand_ -= std::min(n, in_hand_);
        lanes_[of_index_[index]].left_out_until = {};
        if (auto& own = limiters_.of_job[lanes_[of_index_[index]].job]) own->ended(n, now);
        if (limiters_.of_queue) limiters_.of_queue->ended(n, now);
        return true;
    }

    /// The claim was answered. `timed`: with a time at which to claim again.
    void answered(bool timed, steady_time now) noexcept {
        for (auto& l : lanes_)
            if (l.claim.most > 0) l.left_out_until = l.claim.got == 0 && !timed ? now + skip_empty_for : steady_time{};
    }
    /// After how long to claim again, by the database and by those limiters here that kept the last claim from taking
    /// more.
    std::optional<duration> again(std::optional<duration> database) const noexcept {
        duration soonest = std::min(database.value_or(duration::max()), total_.again_if_used_up());
        for (const auto& l : lanes_) soonest = std::min(soonest, l.claim.again_if_used_up());
        return soonest == duration::max() ? std::nullopt : std::optional{soonest};
    }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    static constexpr duration skip_empty_for = std::chrono::milliseconds{5};

    // How many to claim, how many came, and when the limiter would allow more.
    struct quota {
        std::uint32_t most = 0;
        std::uint32_t got = 0;
        duration again = duration::max();

        duration again_if_used_up() const noexcept { return got == most ? again : duration::max(); }
    };
    struct limited {
        std::size_t index = 0;
        lane_id lane{};
        std::size_t job = 0;
        std::int16_t max_attempts = 0;
        bool lease_per_job = false;
        bool ending = false;
        quota claim{};
        steady_time left_out_until{};
    };

    static quota quota_of(const any_limiter* limiter, std::uint32_t wanted, steady_time now) noexcept {
        if (limiter == nullptr) return {.most = wanted};
        const admission a = limiter->admit(now);
        if (a.most >= wanted) return {.most = wanted};
        return {.most = a.most, .again = a.again};
    }

    void find_freed() {
        freed_.clear();
        for (auto& l : lanes_) {
            const auto same = [&](const limited_lane& w) { return w.lane == l.lane; };
            if (std::exchange(l.ending, false) && std::none_of(wanted_.begin(), wanted_.end(), same))
                freed_.push_back(l.lane);
        }
    }

    std::uint32_t width_;
    std::uint32_t in_hand_ = 0;
    std::size_t first_ = 0;
    quota total_{};
    limiter_set limiters_{};
    std::vector<limited> lanes_;
    std::vector<std::size_t> of_index_;  // positions in lanes_
    std::vector<limited_lane> wanted_;
    std::vector<lane_id> freed_;
};

}  // namespace pgq::detail
