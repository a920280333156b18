#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgq {

/// Serialized payloads in one buffer. A serializer appends to `bytes()`, then `close()` ends the element. `clear()`
/// keeps the memory, so a second use allocates nothing.
class bodies {
public:
    std::string& bytes() noexcept { return bytes_; }
    void close() { ends_.push_back(bytes_.size()); }
    /// Removes the bytes that were appended since the last `close()`.
    void abandon() { bytes_.resize(ends_.empty() ? 0 : ends_.back()); }
    void clear() noexcept { bytes_.clear(), ends_.clear(); }

    std::size_t size() const noexcept { return ends_.size(); }
    bool empty() const noexcept { return ends_.empty(); }
    std::size_t total_bytes() const noexcept { return bytes_.size(); }
    std::string_view operator[](std::size_t i) const noexcept {
        const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
        return std::string_view{bytes_}.substr(begin, ends_[i] - begin);
    }

private:
    std::string bytes_;
    std::vector<std::size_t> ends_;
};

}  // namespace pgq
