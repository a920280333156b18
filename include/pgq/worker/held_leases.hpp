#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/worker/held_lease.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
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

    /// The bytes of the payloads that are held.
    std::size_t bytes() const noexcept {
        std::size_t n = 0;
        for (const auto& s : all_) n += s->bytes;
        return n;
    }
    /// Null when no lease that is not lost has this id.
    held_lease* find(std::int64_t id) noexcept {
        const auto found =
            std::find_if(all_.begin(), all_.end(), [&](const auto& s) { return !s->lost && s->lease.ref.id == id; });
        return found == all_.end() ? nullptr : found->get();
    }
    /// Some ends of jobs are not plainly done, and not acknowledged.
    bool has_unsettled() const noexcept {
        return std::any_of(all_.begin(), all_.end(), [](const auto& s) { return !s->lost && !s->unsettled.empty(); });
    }
    /// Some ends of jobs are not acknowledged.
    bool has_dirty() const noexcept {
        return std::any_of(all_.begin(), all_.end(), [](const auto& s) { return !s->lost && s->dirty; });
    }

    /// `stored`: the leases that the database has. Calls `update` for each that is known here, too, and puts the others
    /// into `unknown`. Calls `lose` for each that is missing there, unless the latest sync has ended it and only the
    /// answer was lost.
    template <class Update, class Lose>
    void compare(std::span<const lease_update> stored, std::vector<lease_ref>& unknown, Update update, Lose lose) {
        unknown.clear();
        for (const auto& one : stored) {
            if (held_lease* const mine = find(one.ref.id)) update(*mine, one);
            else unknown.push_back(one.ref);
        }
        for (auto& s : all_) {
            const auto same = [&](const lease_update& one) { return one.ref.id == s->lease.ref.id; };
            if (s->lost || s->closing.load() || std::any_of(stored.begin(), stored.end(), same)) continue;
            if (s->in_request && s->unfinished == 0) s->lost = true;
            else lose(*s);
        }
    }
    /// Forgets those of handlers that do not end, and puts them into `refs`.
    void abandon(std::vector<lease_ref>& refs) {
        refs.clear();
        for (auto& s : all_)
            if (!s->lost && s->unfinished > 0) refs.push_back(s->lease.ref), s->lost = true;
    }

    /// Closes those of which nothing runs and nothing is left to acknowledge. The others may change their places.
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
        // A task whose job was taken back still points to its slot.
        std::erase_if(resting_, [this](auto& s) {
            const bool free = s->revoked_tasks.load(std::memory_order_acquire) == 0;
            if (free) spare_.push_back(std::move(s));
            return free;
        });
    }

private:
    slots all_, resting_, spare_;
};

}  // namespace pgq::detail
