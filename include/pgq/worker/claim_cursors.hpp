#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/sync.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The lanes without limits that a worker claims from, and in each the job behind which the next claim starts (the
/// cursor). A claim behind the cursor does not walk over what this worker has claimed before.
class claim_cursors {
public:
    void clear() noexcept { lanes_.clear(), cursors_.clear(); }
    void add(const claim_lane& lane) {
        lanes_.push_back(lane);
        cursors_.emplace_back();
    }
    std::span<const claim_lane> all() const noexcept { return lanes_; }

    /// For the next sync. From the start a claim also finds jobs that went back or were enqueued with a better
    /// rank.
    std::span<const claim_lane> to_claim(bool from_start) noexcept {
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            lanes_[i].cursor = from_start ? claim_cursor{} : cursors_[i];
            lanes_[i].exact = from_start || lowered_;
        }
        return lanes_;
    }
    /// The sync brought these leases. `any`: it asked for jobs at all.
    void claimed(bool any, bool from_start, std::span<const claimed_lease> leases) noexcept {
        if (any) lowered_ = false;
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            if (any && from_start) cursors_[i] = claim_cursor{};
            for (const auto& l : leases)
                if (l.lane == lanes_[i].lane)
                    cursors_[i] = std::max(cursors_[i], claim_cursor{l.jobs.back().rank, l.jobs.back().id});
        }
    }
    /// A job goes back: the cursor moves before it, so that the next claim finds it.
    void requeued(lane_id lane, const job_record& job) noexcept {
        for (std::size_t i = 0; i < lanes_.size(); ++i)
            if (lanes_[i].lane == lane)
                cursors_[i] = std::min(cursors_[i], claim_cursor{job.rank, {job.id.value - 1}}), lowered_ = true;
    }
    /// The latest sync has promoted jobs of these lanes. `exact`: after that it claimed behind the cursors, and so
    /// found those of these jobs that are there. The cursors move before the others. Returns true if there may be
    /// others.
    bool promoted(bool exact, std::span<const promoted_lane> lanes) noexcept {
        bool others = false;
        for (const auto& p : lanes)
            for (std::size_t i = 0; i < lanes_.size(); ++i) {
                if (lanes_[i].lane != p.lane || (exact && p.first > lanes_[i].cursor)) continue;
                const claim_cursor before{p.first.rank, {p.first.id.value - 1}};
                cursors_[i] = std::min(cursors_[i], before), lowered_ = true;
                others = true;
            }
        return others;
    }
    bool empty() const noexcept { return lanes_.empty(); }
    void start_over() noexcept { std::fill(cursors_.begin(), cursors_.end(), claim_cursor{}); }

private:
    std::vector<claim_lane> lanes_;
    std::vector<claim_cursor> cursors_;
    bool lowered_ = false;  // some cursor, since the last claim
};

}  // namespace pgq::detail
