#pragma once

#include <pgq/job/exchange.hpp>
#include <pgq/job/lane.hpp>
#include <pgq/job/record.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The lanes that a worker claims from, and behind which job of each: nobody has to pass over what it has taken already.
class claim_cursors {
public:
    void clear() noexcept { lanes_.clear(), floors_.clear(); }
    void add(const claim_lane& lane) {
        lanes_.push_back(lane);
        floors_.emplace_back();
    }
    std::span<const claim_lane> all() const noexcept { return lanes_; }

    /// For the next exchange. From the start: what went back, or was enqueued with a better rank, is found, too.
    std::span<const claim_lane> ask(bool from_start) noexcept {
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            lanes_[i].floor = from_start ? floor_mark{} : floors_[i];
            lanes_[i].exact = from_start || lowered_;
        }
        return lanes_;
    }
    /// What it came to; `any`: whether it was to claim at all.
    void claimed(bool any, bool from_start, std::span<const claimed_lease> leases) noexcept {
        if (any) lowered_ = false;
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            if (any && from_start) floors_[i] = floor_mark{};
            for (const auto& l : leases)
                if (l.lane == lanes_[i].lane)
                    floors_[i] = std::max(floors_[i], floor_mark{l.jobs.back().rank, l.jobs.back().id});
        }
    }
    /// So that the next claim finds it again, without looking through everything before.
    void goes_back(lane_id lane, const job_record& job) noexcept {
        for (std::size_t i = 0; i < lanes_.size(); ++i)
            if (lanes_[i].lane == lane)
                floors_[i] = std::min(floors_[i], floor_mark{job.rank, {job.id.value - 1}}), lowered_ = true;
    }
    void start_over() noexcept { std::fill(floors_.begin(), floors_.end(), floor_mark{}); }

private:
    std::vector<claim_lane> lanes_;
    std::vector<floor_mark> floors_;
    bool lowered_ = false;  // some floor, since the last claim
};

}  // namespace pgq::detail
