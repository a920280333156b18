#pragma once

#include <pgq/driver/memory/job.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// The claimable jobs of one lane, first what is to run first. What arrives in order, and that is nearly everything,
/// goes through a line that allocates nothing in steady state; the rest (higher priority, another attempt) through a
/// heap.
class ready_list {
public:
    std::size_t size() const noexcept { return line_.size() - first_ + heap_.size(); }
    bool empty() const noexcept { return size() == 0; }

    void push(job j) {
        if (line_.size() == first_ || runs_before(line_.back(), j)) return line_.push_back(std::move(j));
        heap_.push_back(std::move(j));
        std::push_heap(heap_.begin(), heap_.end(), runs_after);
    }

    /// Not when empty.
    const job& front() const noexcept { return heap_first() ? heap_.front() : line_[first_]; }

    job pop() {
        if (!heap_first()) {
            job j = std::move(line_[first_++]);
            if (first_ == line_.size()) line_.clear(), first_ = 0;
            else if (first_ >= 4096 && first_ > line_.size() / 2) compact();
            return j;
        }
        std::pop_heap(heap_.begin(), heap_.end(), runs_after);
        job j = std::move(heap_.back());
        heap_.pop_back();
        return j;
    }

    /// Null when it is not here. What orders it must not be changed.
    job* find(pgq::rank rank, job_id id) {
        const job wanted{.id = id, .rank = rank};
        const auto begin = line_.begin() + static_cast<std::ptrdiff_t>(first_);
        const auto at = std::lower_bound(begin, line_.end(), wanted, runs_before);
        if (at != line_.end() && at->id == id) return &*at;
        const auto same = [&](const job& j) { return j.id == id; };
        const auto in_heap = std::find_if(heap_.begin(), heap_.end(), same);
        return in_heap == heap_.end() ? nullptr : &*in_heap;
    }
    template <class F>
    void for_each(F f) {
        std::for_each(line_.begin() + static_cast<std::ptrdiff_t>(first_), line_.end(), f);
        std::for_each(heap_.begin(), heap_.end(), f);
    }

    /// Takes the jobs that `wanted` says yes to, asked in order, until there are `most`.
    template <class Predicate>
    std::vector<job> take_if(std::size_t most, Predicate wanted) {
        compact();
        line_.insert(line_.end(), std::make_move_iterator(heap_.begin()), std::make_move_iterator(heap_.end()));
        heap_.clear();
        std::sort(line_.begin(), line_.end(), runs_before);
        std::vector<job> taken, left;
        for (job& j : line_) (taken.size() < most && wanted(j) ? taken : left).push_back(std::move(j));
        line_ = std::move(left);
        return taken;
    }

    /// Moves those that `wanted` says yes to behind the others of `to`.
    template <class Predicate>
    void pull_if(Predicate wanted, std::vector<job>& to) {
        compact();
        pull_from(line_, wanted, to);
        pull_from(heap_, wanted, to);
        std::make_heap(heap_.begin(), heap_.end(), runs_after);
    }

private:
    static bool runs_after(const job& a, const job& b) noexcept { return runs_before(b, a); }
    bool heap_first() const noexcept {
        if (heap_.empty()) return false;
        return first_ == line_.size() || runs_before(heap_.front(), line_[first_]);
    }
    template <class Predicate>
    static void pull_from(std::vector<job>& from, Predicate wanted, std::vector<job>& to) {
        const auto kept = [&](const job& j) { return !wanted(j); };
        const auto gone = std::stable_partition(from.begin(), from.end(), kept);
        to.insert(to.end(), std::make_move_iterator(gone), std::make_move_iterator(from.end()));
        from.erase(gone, from.end());
    }
    void compact() {
        line_.erase(line_.begin(), line_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }

    std::vector<job> line_{};
    std::size_t first_ = 0;  // what is before was popped
    std::vector<job> heap_{};
};

}  // namespace pgq::driver::in_memory
