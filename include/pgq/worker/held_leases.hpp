#pragma once

#include <pgq/worker/held_lease.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The leases that a worker holds. Their slots are used again: a steady worker allocates none.
class held_leases {
    using slots = std::vector<std::unique_ptr<held_lease>>;

public:
    slots::iterator begin() noexcept { return all_.begin(); }
    slots::iterator end() noexcept { return all_.end(); }
    slots::const_iterator begin() const noexcept { return all_.begin(); }
    slots::const_iterator end() const noexcept { return all_.end(); }

    /// One for another lease, at the end.
    held_lease& open() {
        if (spare_.empty()) spare_.push_back(std::make_unique<held_lease>());
        all_.push_back(std::move(spare_.back()));
        spare_.pop_back();
        return *all_.back();
    }

    /// Those of which nothing runs, and nothing is left to be told. Others may change their places.
    void release() {
        for (std::size_t i = 0; i < all_.size();) {
            auto& s = all_[i];
            if (s->unfinished > 0 || (!s->lost && (s->dirty || !s->unsettled.empty()))) {
                ++i;
                continue;
            }
            s->close();
            resting_.push_back(std::move(s));
            std::swap(all_[i], all_.back());
            all_.pop_back();
        }
        // A task that was taken back still points to its slot.
        std::erase_if(resting_, [this](auto& s) {
            const bool free = s->stale.load(std::memory_order_acquire) == 0;
            if (free) spare_.push_back(std::move(s));
            return free;
        });
    }

private:
    slots all_, resting_, spare_;
};

}  // namespace pgq::detail
