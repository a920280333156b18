#pragma once

#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace pgq {

enum class limit_kind : char {
    running = 'c',         ///< so many at once
    running_by_key = 'k',  ///< so many at once of one key
    rate = 'r',            ///< so many begin in `per`
};

/// A limit that holds for all workers together, as the database keeps it.
struct limit_spec {
    limit_kind kind = limit_kind::running;
    std::int16_t number = 0;                 ///< tells several of one kind apart
    std::int32_t amount = 1;                 ///< 0: nothing begins
    duration per = std::chrono::seconds{1};  ///< of a rate, at least a microsecond
    std::int32_t burst = 1;                  ///< of a rate: how many may begin at once after a quiet time, at least 1

    friend constexpr bool operator==(const limit_spec&, const limit_spec&) = default;
};

/// A limit and what it is for: the lanes of one entrypoint, or those of the whole queue together.
struct lane_limit {
    std::string entrypoint{};  ///< empty: the queue
    limit_spec limit{};

    friend bool operator==(const lane_limit&, const lane_limit&) = default;
};

/// Whether both are settings of one limit.
inline bool same_limit(const lane_limit& a, const lane_limit& b) noexcept {
    return a.entrypoint == b.entrypoint && a.limit.kind == b.limit.kind && a.limit.number == b.limit.number;
}

}  // namespace pgq
