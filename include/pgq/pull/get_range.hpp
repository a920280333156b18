#pragma once

#include <pgq/context/taken.hpp>

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace pgq {

/// The endless range of queue::items. Each step is a `get`; an item is empty if no job has come within the timeout. A
/// `get` that fails throws `failure`, and the loop may be entered again. One loop at a time.
template <class Queue, class Job>
class get_range {
public:
    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = std::optional<taken<Job>>;
        using difference_type = std::ptrdiff_t;

        explicit iterator(get_range& range) : range_{&range} { range_->next(); }
        iterator(iterator&&) noexcept = default;
        iterator& operator=(iterator&&) noexcept = default;

        value_type& operator*() const noexcept { return range_->item_; }
        value_type* operator->() const noexcept { return &range_->item_; }
        iterator& operator++() {
            range_->next();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator&, std::default_sentinel_t) noexcept { return false; }

    private:
        get_range* range_;
    };

    get_range(Queue& queue, get_options options) : queue_{queue.shared_core()}, options_{std::move(options)} {}

    iterator begin() { return iterator{*this}; }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    void next() {
        item_.reset();
        item_ = queue_.template get<Job>(options_).value();
    }

    Queue queue_;
    get_options options_;
    std::optional<taken<Job>> item_{};
};

}  // namespace pgq
