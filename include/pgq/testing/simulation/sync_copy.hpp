#pragma once

#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/sync.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgq::simulation {

/// A sync request that owns what it refers to, as a message that is under way. It has no filter and no search.
class sync_copy {
public:
    explicit sync_copy(const sync_request& r)
        : request_{r},
          finished_{r.finished.begin(), r.finished.end()},
          lanes_{r.lanes.begin(), r.lanes.end()},
          limited_{r.limited.begin(), r.limited.end()},
          with_capacity_{r.lanes_with_capacity.begin(), r.lanes_with_capacity.end()} {
        progress_.reserve(r.progressed.size());
        for (const auto& p : r.progressed) progress_.emplace_back(p);
        for (const auto& p : progress_) progressed_.push_back(p.get());
        request_.finished = finished_;
        request_.progressed = progressed_;
        request_.lanes = lanes_;
        request_.limited = limited_;
        request_.lanes_with_capacity = with_capacity_;
        request_.claim_filter = nullptr;
        request_.search = nullptr;
    }
    sync_copy(const sync_copy&) = delete;
    sync_copy& operator=(const sync_copy&) = delete;

    const sync_request& get() const noexcept { return request_; }

private:
    class progress {
    public:
        explicit progress(const lease_progress& p)
            : whole_{p}, left_{p.left}, mask_{p.mask}, items_{p.items.begin(), p.items.end()} {
            texts_.reserve(items_.size() * 2);  // so that views of them stay valid
            for (auto& i : items_) {
                i.reason = texts_.emplace_back(i.reason);
                if (i.result) i.result = texts_.emplace_back(*i.result);
            }
        }
        lease_progress get() const {
            lease_progress p = whole_;
            p.left = left_, p.mask = mask_, p.items = items_;
            return p;
        }

    private:
        lease_progress whole_;
        std::string left_, mask_;
        std::vector<settlement> items_;
        std::vector<std::string> texts_{};
    };

    sync_request request_;
    std::vector<lease_ref> finished_;
    std::vector<claim_lane> lanes_;
    std::vector<limited_lane> limited_;
    std::vector<lane_id> with_capacity_;
    std::vector<progress> progress_{};
    std::vector<lease_progress> progressed_{};
};

}  // namespace pgq::simulation
