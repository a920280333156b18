#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace pgq {

/// A job's name for its whole life, over all attempts. Ids grow in the order in which they are allocated, which is
/// not quite the order in which their transactions commit.
struct job_id {
    std::int64_t value = 0;
    friend constexpr auto operator<=>(job_id, job_id) = default;
};

/// entrypoint x queue name, as the database numbers it.
struct lane_id {
    std::int32_t value = 0;
    friend constexpr auto operator<=>(lane_id, lane_id) = default;
};

/// One registered worker process.
struct worker_id {
    std::int32_t value = 0;
    friend constexpr auto operator<=>(worker_id, worker_id) = default;
};

/// A claimed batch: `id` is the fencing token and is never used again, `place` is where its row lies
/// (block << 16 | offset; 0 for drivers that need none).
struct lease_ref {
    std::int64_t id = 0;
    std::uint64_t place = 0;
    friend constexpr auto operator<=>(lease_ref, lease_ref) = default;
};

}  // namespace pgq

template <>
struct std::hash<pgq::job_id> {
    std::size_t operator()(pgq::job_id id) const noexcept { return std::hash<std::int64_t>{}(id.value); }
};
