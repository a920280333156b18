#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bench {

/// Measured values.
class samples {
public:
    void add(double v) { values_.push_back(v), sorted_ = false; }
    void add(const samples& more) {
        values_.insert(values_.end(), more.values_.begin(), more.values_.end()), sorted_ = false;
    }
    bool empty() const noexcept { return values_.empty(); }
    std::size_t size() const noexcept { return values_.size(); }

    /// The quantile q, from 0 to 1; 0 without values.
    double at(double q) const {
        if (values_.empty()) return 0;
        if (!sorted_) std::sort(values_.begin(), values_.end()), sorted_ = true;
        return values_[static_cast<std::size_t>(q * static_cast<double>(values_.size() - 1) + 0.5)];
    }
    double median() const { return at(0.5); }
    double min() const { return at(0); }
    double max() const { return at(1); }

private:
    mutable std::vector<double> values_;
    mutable bool sorted_ = true;
};

}  // namespace bench
