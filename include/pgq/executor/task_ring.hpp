#pragma once

#include <pgq/concept/executor.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace pgq::detail {

/// A first in, first out queue of tasks. It grows to the highest number of tasks that waited at once and never shrinks,
/// so in the long run it allocates nothing. It is not thread-safe.
class task_ring {
public:
    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return slots_.size(); }

    void push(const task& t) {
        if (size_ == slots_.size()) grow();
        slots_[at(size_)] = t;
        ++size_;
    }

    /// Call it only if there is a task.
    task pop() noexcept {
        const task t = slots_[head_];
        head_ = at(1);
        --size_;
        return t;
    }

private:
    // The capacity is a power of two, so the mask wraps the position around.
    std::size_t at(std::size_t offset) const noexcept { return (head_ + offset) & (slots_.size() - 1); }

    void grow() {
        std::vector<task> larger(slots_.empty() ? 64 : slots_.size() * 2);
        for (std::size_t i = 0; i < size_; ++i) larger[i] = slots_[at(i)];
        slots_ = std::move(larger);
        head_ = 0;
    }

    std::vector<task> slots_;
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

/// Waiting tasks: tasks with `first` come out before the others, in both groups first in, first out. It is not
/// thread-safe.
class task_queue {
public:
    bool empty() const noexcept { return first_.empty() && rest_.empty(); }
    void push(const task& t) { (t.first ? first_ : rest_).push(t); }
    /// Call it only if there is a task.
    task pop() noexcept { return first_.empty() ? rest_.pop() : first_.pop(); }

private:
    task_ring first_;
    task_ring rest_;
};

}  // namespace pgq::detail
