#pragma once

#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace pgq {

/// What a limit counts. The values are stored.
enum class limit_kind : char {
    running = 'c',         ///< at most `amount` jobs run at once
    running_by_key = 'k',  ///< at most `amount` jobs with the same key run at once
    rate = 'r',            ///< at most `amount` jobs start in each period `per`
};

constexpr std::string_view name_of(limit_kind k) noexcept {
    return k == limit_kind::rate ? "rate" : k == limit_kind::running_by_key ? "running_by_key" : "running";
}

/// A limit for all workers together, as the database stores it.
struct limit_spec {
    limit_kind kind = limit_kind::running;
    std::int16_t number = 0;                 ///< distinguishes several limits of one kind
    std::int32_t amount = 1;                 ///< 0: no job starts
    duration per = std::chrono::seconds{1};  ///< for a rate: the period; at least one microsecond
    std::int32_t burst = 1;                  ///< for a rate: jobs that may start at once after idle time; at least 1

    friend constexpr bool operator==(const limit_spec&, const limit_spec&) = default;
};

/// A limit and its scope: the lanes of one entrypoint together, or all lanes of the queue together.
struct lane_limit {
    std::string entrypoint{};  ///< empty: the whole queue
    limit_spec limit{};

    friend bool operator==(const lane_limit&, const lane_limit&) = default;
};

/// Whether both describe the same limit, perhaps with different settings.
inline bool same_limit(const lane_limit& a, const lane_limit& b) noexcept {
    return a.entrypoint == b.entrypoint && a.limit.kind == b.limit.kind && a.limit.number == b.limit.number;
}

}  // namespace pgq
