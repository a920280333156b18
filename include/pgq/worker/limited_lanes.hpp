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

/// The lanes of a worker that have limits: how many jobs it may claim from each. A job counts in its limit from the
/// claim on. So the worker claims only jobs that can start at once, and a few more (`ahead`) that start within a few
/// milliseconds. Only the worker's own thread uses it.
class limited_lanes {
public:
    /// `width`: how many jobs the executor runs at once.
    explicit limited_lanes(std::uint32_t width) noexcept : width_{width} {}

    /// Adds the lane at `index` of the composition. `job`: the position of its job type.
    void add(std::size_t index, lane_id lane, std::size_t job, std::int16_t max_attempts, bool lease_per_job) {
        lanes_.push_back(
            {.index = index, .lane = lane, .job = job, .max_attempts = max_attempts, .lease_per_job = lease_per_job});
    }
    /// To be called after add(). `count`: how many lanes the composition has, limited or not.
    void set_limiters(limiter_set limiters, std::size_t count) {
        limiters_ = std::move(limiters);
        position_of_.assign(count, none);
        for (std::size_t i = 0; i < lanes_.size(); ++i) position_of_[lanes_[i].index] = i;
    }

    bool any() const noexcept { return !lanes_.empty(); }
    bool is_limited(std::size_t index) const noexcept {
        return index < position_of_.size() && position_of_[index] != none;
    }

    /// What to claim with the next sync: as many jobs as can start at once, and `ahead` more. Empty if `no_claim`. Each
    /// call begins with another lane. If the last claim got no job of a lane, the next claims skip it for 5 ms, because
    /// the server needs time for each lane. A claim does not skip it if one of its jobs has ended in this worker, or if
    /// `all`.
    std::span<const limited_lane> to_claim(bool no_claim, bool all, std::uint32_t ahead, steady_time now) {
        wanted_.clear();
        total_ = {};
        for (auto& l : lanes_) l.claim = {};
        if (!no_claim && any()) {
            const std::uint32_t most = width_ + ahead, room = most - std::min(most, in_hand_);
            total_ = quota_of(limiters_.of_queue.get(), room, now);
            for (std::size_t i = 0; i < lanes_.size() && total_.most > 0; ++i) {
                auto& l = lanes_[(first_ + i) % lanes_.size()];
                if (!all && now < l.skipped_until) continue;
                l.claim = quota_of(limiters_.of_job[l.job].get(), total_.most, now);
                // A claim makes one lease of all jobs that it takes from a limited lane. If each job needs its own
                // lease, it takes one job, and the next claim follows at once.
                if (l.lease_per_job && l.claim.most > 1) l.claim = {.most = 1, .again = {}};
                if (l.claim.most > 0)
                    wanted_.push_back({.lane = l.lane, .most = l.claim.most, .max_attempts = l.max_attempts});
            }
            ++first_;
        }
        find_lanes_for_others();
        return wanted_;
    }
    /// How many to claim from all these lanes together.
    std::uint32_t room() const noexcept { return total_.most; }
    /// Whether nothing can be claimed before a job of this worker ends; `ahead` as in to_claim().
    bool is_full(std::uint32_t ahead, steady_time now) const {
        const std::uint32_t most = width_ + ahead;
        if (in_hand_ == 0) return false;
        if (in_hand_ >= most || quota_of(limiters_.of_queue.get(), 1, now).is_none()) return true;
        return std::all_of(lanes_.begin(), lanes_.end(),
                           [&](const limited& l) { return quota_of(limiters_.of_job[l.job].get(), 1, now).is_none(); });
    }
    /// Lanes from which this sync does not claim, but others may: it acknowledges jobs of them, or left some of theirs.
    std::span<const lane_id> for_others() const noexcept { return for_others_; }
    /// The claim left jobs that others can claim at once. The next sync names the lanes of which it took all it could.
    /// It names all lanes of the claim if this worker had no room or no bytes for more.
    void leave_to_others() noexcept {
        const auto is_used_up = [](const limited& l) { return l.claim.most > 0 && l.claim.got >= l.claim.most; };
        const bool all = total_.got >= total_.most || std::none_of(lanes_.begin(), lanes_.end(), is_used_up);
        for (auto& l : lanes_) l.others_can_claim = l.others_can_claim || (all ? l.claim.most > 0 : is_used_up(l));
    }

    /// The sync that is being filled in acknowledges a job of this lane.
    void will_free(std::size_t index) noexcept {
        if (is_limited(index)) lanes_[position_of_[index]].others_can_claim = true;
    }

    /// `n` jobs of the lane were claimed. Returns whether the lane has limits; if not, it does nothing.
    bool began(std::size_t index, std::uint32_t n, steady_time now) noexcept {
        if (!is_limited(index)) return false;
        in_hand_ += n;
        total_.got += n;
        lanes_[position_of_[index]].claim.got += n;
        if (auto& own = limiters_.of_job[lanes_[position_of_[index]].job]) own->began(n, now);
        if (limiters_.of_queue) limiters_.of_queue->began(n, now);
        return true;
    }
    /// `n` jobs of the lane have run, or were given back. Returns whether the lane has limits.
    bool ended(std::size_t index, std::uint32_t n, steady_time now) noexcept {
        if (!is_limited(index)) return false;
        in_hand_ -= std::min(n, in_hand_);
        lanes_[position_of_[index]].skipped_until = {};
        if (auto& own = limiters_.of_job[lanes_[position_of_[index]].job]) own->ended(n, now);
        if (limiters_.of_queue) limiters_.of_queue->ended(n, now);
        return true;
    }

    /// The claim was answered. `timed`: the answer says when another claim may get jobs.
    void answered(bool timed, steady_time now) noexcept {
        for (auto& l : lanes_)
            if (l.claim.most > 0) l.skipped_until = l.claim.got == 0 && !timed ? now + skip_time : steady_time{};
    }
    /// After how long another claim may get jobs: the earliest time that the database or a limiter of this worker gave,
    /// among the limiters that allowed no more jobs in the last claim. Empty if none gave a time.
    std::optional<duration> again(std::optional<duration> database) const noexcept {
        duration soonest = std::min(database.value_or(duration::max()), total_.again_if_used_up());
        for (const auto& l : lanes_) soonest = std::min(soonest, l.claim.again_if_used_up());
        return soonest == duration::max() ? std::nullopt : std::optional{soonest};
    }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    static constexpr duration skip_time = std::chrono::milliseconds{5};

    // How many jobs to claim, how many were claimed, and after how long the limiter allows more.
    struct quota {
        std::uint32_t most = 0;
        std::uint32_t got = 0;
        duration again = duration::max();

        duration again_if_used_up() const noexcept { return got == most ? again : duration::max(); }
        bool is_none() const noexcept { return most == 0 && again == duration::max(); }
    };
    struct limited {
        std::size_t index = 0;
        lane_id lane{};
        std::size_t job = 0;
        std::int16_t max_attempts = 0;
        bool lease_per_job = false;
        bool others_can_claim = false;
        quota claim{};
        steady_time skipped_until{};
    };

    static quota quota_of(const any_limiter* limiter, std::uint32_t wanted, steady_time now) noexcept {
        if (limiter == nullptr) return {.most = wanted};
        const admission a = limiter->admit(now);
        if (a.most >= wanted) return {.most = wanted};
        return {.most = a.most, .again = a.again};
    }

    void find_lanes_for_others() {
        for_others_.clear();
        for (auto& l : lanes_) {
            const auto same = [&](const limited_lane& w) { return w.lane == l.lane; };
            if (std::exchange(l.others_can_claim, false) && std::none_of(wanted_.begin(), wanted_.end(), same))
                for_others_.push_back(l.lane);
        }
    }

    std::uint32_t width_;
    std::uint32_t in_hand_ = 0;
    std::size_t first_ = 0;  // the lane with which the next claim begins
    quota total_{};          // of all lanes together
    limiter_set limiters_{};
    std::vector<limited> lanes_;
    std::vector<std::size_t> position_of_;  // in lanes_, by index in the composition
    std::vector<limited_lane> wanted_;
    std::vector<lane_id> for_others_;
};

}  // namespace pgq::detail
