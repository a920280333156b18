#pragma once

#include <pgq/protocol/admin.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace pgq::detail {

/// For run_until::drained: adds up the jobs of all lanes, one lane at a time. Ready jobs count as well: any worker may
/// have just promoted them. So do leased jobs: they become ready or deferred again if a handler fails or a worker dies.
class deferred_count {
public:
    /// The position of the next lane to count.
    std::size_t next() const noexcept { return lanes_; }
    /// Takes the counts of that lane. The sum, after the last one of `lanes`.
    std::optional<std::int64_t> add(const lane_counts& n, std::size_t lanes) noexcept {
        jobs_ += n.deferred + n.blocked + n.ready + n.leased;
        if (++lanes_ < lanes) return std::nullopt;
        lanes_ = 0;
        return std::exchange(jobs_, 0);
    }
    void start_over() noexcept { *this = {}; }

private:
    std::size_t lanes_ = 0;
    std::int64_t jobs_ = 0;
};

}  // namespace pgq::detail
