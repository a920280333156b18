#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

namespace test {

/// The range make(0) ... make(count - 1). Each element is created on access. (Clang 14 cannot compile libstdc++'s
/// views::transform.)
template <class Make>
class generated {
public:
    generated(std::int64_t count, Make make) : count_{count}, make_{std::move(make)} {}

    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = decltype(std::declval<const Make&>()(std::int64_t{}));
        using difference_type = std::ptrdiff_t;

        iterator() = default;
        iterator(const Make* make, std::int64_t at) : make_{make}, at_{at} {}

        value_type operator*() const { return (*make_)(at_); }
        iterator& operator++() { return ++at_, *this; }
        void operator++(int) { ++at_; }
        friend bool operator==(const iterator& a, const iterator& b) { return a.at_ == b.at_; }

    private:
        const Make* make_ = nullptr;
        std::int64_t at_ = 0;
    };

    iterator begin() const { return {&make_, 0}; }
    iterator end() const { return {&make_, count_}; }

private:
    std::int64_t count_;
    Make make_;
};

}  // namespace test
