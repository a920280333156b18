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

    template <class Predicate>
    std::size_t remove_if(Predicate wanted) {
        compact();
        const std::size_t removed = std::erase_if(line_, wanted) + std::erase_if(heap_, wanted);
        std::make_heap(heap_.begin(), heap_.end(), runs_after);
        return removed;
    }

private:
    static bool runs_after(const job& a, const job& b) noexcept { return runs_before(b, a); }
    bool heap_first() const noexcept {
        if (heap_.empty()) return false;
        return first_ == line_.size() || runs_before(heap_.front(), line_[first_]);
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
