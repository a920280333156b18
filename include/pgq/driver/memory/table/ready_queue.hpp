#pragma once

#include <pgq/driver/memory/table/job.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// The claimable jobs of one lane in the order of `runs_before`. Nearly all jobs arrive in that order. They go into a
/// sorted array, which allocates nothing in steady state. The others (a higher priority, another attempt) go into a
/// heap.
class ready_queue {
public:
    std::size_t size() const noexcept { return sorted_.size() - first_ + heap_.size(); }
    bool empty() const noexcept { return size() == 0; }

    void push(job j) {
        if (sorted_.size() == first_ || runs_before(sorted_.back(), j)) return sorted_.push_back(std::move(j));
        heap_.push_back(std::move(j));
        std::push_heap(heap_.begin(), heap_.end(), runs_after);
    }

    /// The queue must not be empty.
    const job& front() const noexcept { return heap_is_first() ? heap_.front() : sorted_[first_]; }

    job pop() {
        if (!heap_is_first()) {
            job j = std::move(sorted_[first_++]);
            if (first_ == sorted_.size()) sorted_.clear(), first_ = 0;
            else if (first_ >= 4096 && first_ > sorted_.size() / 2) compact();
            return j;
        }
        std::pop_heap(heap_.begin(), heap_.end(), runs_after);
        job j = std::move(heap_.back());
        heap_.pop_back();
        return j;
    }

    /// Null if the job is not in this queue. The caller must not change the job's rank or id.
    job* find(pgq::rank rank, job_id id) {
        const job key{.id = id, .rank = rank};
        const auto begin = sorted_.begin() + static_cast<std::ptrdiff_t>(first_);
        const auto at = std::lower_bound(begin, sorted_.end(), key, runs_before);
        if (at != sorted_.end() && at->id == id) return &*at;
        const auto same = [&](const job& j) { return j.id == id; };
        const auto in_heap = std::find_if(heap_.begin(), heap_.end(), same);
        return in_heap == heap_.end() ? nullptr : &*in_heap;
    }
    /// In no particular order. `f` must not change a job's rank or id.
    template <class F>
    void for_each(F f) {
        std::for_each(sorted_.begin() + static_cast<std::ptrdiff_t>(first_), sorted_.end(), f);
        std::for_each(heap_.begin(), heap_.end(), f);
    }

    /// Removes and returns the first jobs that match, at most `limit`. Jobs are tested in order.
    template <class Predicate>
    std::vector<job> take_if(std::size_t limit, Predicate matches) {
        compact();
        sorted_.insert(sorted_.end(), std::make_move_iterator(heap_.begin()), std::make_move_iterator(heap_.end()));
        heap_.clear();
        std::sort(sorted_.begin(), sorted_.end(), runs_before);
        std::vector<job> taken, left;
        for (job& j : sorted_) (taken.size() < limit && matches(j) ? taken : left).push_back(std::move(j));
        sorted_ = std::move(left);
        return taken;
    }

    /// Moves the jobs that match to the end of `to`.
    template <class Predicate>
    void move_if(Predicate matches, std::vector<job>& to) {
        compact();
        move_from(sorted_, matches, to);
        move_from(heap_, matches, to);
        std::make_heap(heap_.begin(), heap_.end(), runs_after);
    }

private:
    static bool runs_after(const job& a, const job& b) noexcept { return runs_before(b, a); }
    bool heap_is_first() const noexcept {
        if (heap_.empty()) return false;
        return first_ == sorted_.size() || runs_before(heap_.front(), sorted_[first_]);
    }
    template <class Predicate>
    static void move_from(std::vector<job>& from, Predicate matches, std::vector<job>& to) {
        const auto stays = [&](const job& j) { return !matches(j); };
        const auto first_moved = std::stable_partition(from.begin(), from.end(), stays);
        to.insert(to.end(), std::make_move_iterator(first_moved), std::make_move_iterator(from.end()));
        from.erase(first_moved, from.end());
    }
    void compact() {
        sorted_.erase(sorted_.begin(), sorted_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }

    std::vector<job> sorted_{};
    std::size_t first_ = 0;  // the elements before it were popped
    std::vector<job> heap_{};
};

}  // namespace pgq::driver::in_memory
