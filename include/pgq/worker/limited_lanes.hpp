#pragma once

#include <pgq/job/exchange.hpp>
#include <pgq/job/id.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/limiter_set.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace pgq::detail {

/// A worker's lanes with limits: what may be claimed of them, and what became of it. A job of such a lane takes a place from the
/// claim on, so none is claimed ahead, but for those that begin within a moment. All members belong to the worker's own thread.
class limited_lanes {
public:
    explicit limited_lanes(std::uint32_t width) noexcept : width_{width} {}

    /// The lane at `index` of the composition, whose jobs are of type `job`.
    void add(std::size_t index, lane_id lane, std::size_t job, std::int16_t max_attempts, bool each) {
        lanes_.push_back({.index = index, .lane = lane, .job = job, .max_attempts = max_attempts, .each = each});
    }
    /// After the lanes; `count` is how many there are, limited or not.
    void become(limiter_set limiters, std::size_t count) {
        limiters_ = std::move(limiters);
        of_index_.assign(count, none);
        for (std::size_t i = 0; i < lanes_.size(); ++i) of_index_[lanes_[i].index] = i;
    }

    bool any() const noexcept { return !lanes_.empty(); }
    bool is_limited(std::size_t index) const noexcept { return index < of_index_.size() && of_index_[index] != none; }

    /// What to claim with the next exchange, `ahead` more than begin at once; the lanes take turns at being first. Nothing when `closed`. A lane that gave nothing is
    /// left alone for a moment, unless one of its jobs has ended here or `surely` everything is to be looked at: asking costs the
    /// other lanes.
    std::span<const limited_lane> ask(bool closed, bool surely, std::uint32_t ahead, steady_time now) {
        wanted_.clear();
        all_ = {};
        for (auto& l : lanes_) l.asked = {};
        if (!closed && any()) {
            const std::uint32_t most = width_ + ahead, room = most - std::min(most, in_hand_);
            all_ = question(limiters_.of_queue.get(), room, now);
            for (std::size_t i = 0; i < lanes_.size() && all_.most > 0; ++i) {
                auto& l = lanes_[(first_ + i) % lanes_.size()];
                if (!surely && now < l.left_alone_until) continue;
                l.asked = question(limiters_.of_job[l.job].get(), all_.most, now);
                // A lease of a lane with limits is for all that is claimed of it; so one with one job is asked for again at once.
                if (l.each && l.asked.most > 1) l.asked = {.most = 1, .again = {}};
                if (l.asked.most > 0)
                    wanted_.push_back({.lane = l.lane, .most = l.asked.most, .max_attempts = l.max_attempts});
            }
            ++first_;
        }
        note_freed();
        return wanted_;
    }
    /// How many to claim of all these lanes together.
    std::uint32_t room() const noexcept { return all_.most; }
    /// Lanes with places that this exchange makes free and does not take again.
    std::span<const lane_id> freed() const noexcept { return freed_; }

    /// A job of this lane ends with the exchange that is being put together.
    void will_free(std::size_t index) noexcept {
        if (is_limited(index)) lanes_[of_index_[index]].ending = true;
    }

    /// True when that lane has limits.
    bool began(std::size_t index, std::uint32_t n, steady_time now) noexcept {
        if (!is_limited(index)) return false;
        in_hand_ += n;
        all_.got += n;
        lanes_[of_index_[index]].asked.got += n;
        if (auto& own = limiters_.of_job[lanes_[of_index_[index]].job]) own->began(n, now);
        if (limiters_.of_queue) limiters_.of_queue->began(n, now);
        return true;
    }
    bool ended(std::size_t index, std::uint32_t n, steady_time now) noexcept {
        if (!is_limited(index)) return false;
        in_hand_ -= std::min(n, in_hand_);
        lanes_[of_index_[index]].left_alone_until = {};
        if (auto& own = limiters_.of_job[lanes_[of_index_[index]].job]) own->ended(n, now);
        if (limiters_.of_queue) limiters_.of_queue->ended(n, now);
        return true;
    }

    /// The claim has been answered; `told`: with a time at which to ask again.
    void answered(bool told, steady_time now) noexcept {
        for (auto& l : lanes_)
            if (l.asked.most > 0) l.left_alone_until = l.asked.got == 0 && !told ? now + moment : steady_time{};
    }
    /// When to claim again: what the database says, and what the limiters here said where they, and not the lack of jobs, were in
    /// the way.
    std::optional<duration> again(std::optional<duration> database) const noexcept {
        duration soonest = std::min(database.value_or(duration::max()), all_.again_if_used_up());
        for (const auto& l : lanes_) soonest = std::min(soonest, l.asked.again_if_used_up());
        return soonest == duration::max() ? std::nullopt : std::optional{soonest};
    }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    static constexpr duration moment = std::chrono::milliseconds{5};

    // What was asked for, what came, and when the limiter would allow more.
    struct asked_for {
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
        bool each = false;
        bool ending = false;
        asked_for asked{};
        steady_time left_alone_until{};
    };

    static asked_for question(const any_limiter* limiter, std::uint32_t wanted, steady_time now) noexcept {
        if (limiter == nullptr) return {.most = wanted};
        const admission a = limiter->admit(now);
        if (a.most >= wanted) return {.most = wanted};
        return {.most = a.most, .again = a.again};
    }

    void note_freed() {
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
    asked_for all_{};
    limiter_set limiters_{};
    std::vector<limited> lanes_;
    std::vector<std::size_t> of_index_;  // positions in lanes_
    std::vector<limited_lane> wanted_;
    std::vector<lane_id> freed_;
};

}  // namespace pgq::detail
