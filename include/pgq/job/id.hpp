#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace pgq {

/// Identifies a job through all its attempts. Ids grow in the order in which the database allocates them. This is not
/// always the order in which the transactions commit.
struct job_id {
    std::int64_t value = 0;
    friend constexpr auto operator<=>(job_id, job_id) = default;
};

/// Identifies a lane: one queue, entrypoint and payload version. The database assigns the number.
struct lane_id {
    std::int32_t value = 0;
    friend constexpr auto operator<=>(lane_id, lane_id) = default;
};

/// Identifies a registered worker.
struct worker_id {
    std::int32_t value = 0;
    friend constexpr auto operator<=>(worker_id, worker_id) = default;
};

/// Identifies a lease, which is a batch of claimed jobs. `id` is the fencing token and is never used again. `place` is
/// the location of its row: block << 16 | offset, or 0 for a driver that needs none.
struct lease_ref {
    std::int64_t id = 0;
    std::uint64_t location = 0;
    friend constexpr auto operator<=>(lease_ref, lease_ref) = default;
};

}  // namespace pgq

template <>
struct std::hash<pgq::job_id> {
    std::size_t operator()(pgq::job_id id) const noexcept { return std::hash<std::int64_t>{}(id.value); }
};
