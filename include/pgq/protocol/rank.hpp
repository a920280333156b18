#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <compare>
#include <cstdint>

namespace pgq {

/// The position of a job in its lane, as one number: the smallest rank runs first. It sorts by priority (higher first),
/// then by deadline (earlier first, none last). Jobs of equal rank run in the order of their ids: first in, first out.
///
/// The upper 16 bits are the complement of the priority; the lower 48 are the deadline in milliseconds since 1970.
struct rank {
    std::int64_t value = 0;

    static constexpr std::int64_t no_deadline = (std::int64_t{1} << 48) - 1;

    /// A deadline out of range becomes 0 or `no_deadline`.
    static constexpr rank of(std::int16_t priority, std::int64_t deadline_ms = no_deadline) noexcept {
        if (deadline_ms < 0) deadline_ms = 0;
        if (deadline_ms > no_deadline) deadline_ms = no_deadline;
        const auto high = static_cast<std::uint64_t>(static_cast<std::uint16_t>(~priority)) << 48;
        return {static_cast<std::int64_t>(high | static_cast<std::uint64_t>(deadline_ms))};
    }
    constexpr std::int16_t priority() const noexcept {
        return static_cast<std::int16_t>(~static_cast<std::uint16_t>(static_cast<std::uint64_t>(value) >> 48));
    }
    /// Milliseconds since 1970, or `no_deadline`.
    constexpr std::int64_t deadline_ms() const noexcept { return value & no_deadline; }

    friend constexpr auto operator<=>(rank, rank) = default;
};

static_assert(rank::of(0).value == -1);
static_assert(rank::of(1) < rank::of(0) && rank::of(0) < rank::of(-1));
static_assert(rank::of(0, 5) < rank::of(0, 6) && rank::of(0, 6) < rank::of(0));
static_assert(rank::of(32767) < rank::of(-32768));
static_assert(rank::of(-7, 12).priority() == -7 && rank::of(-7, 12).deadline_ms() == 12);

}  // namespace pgq
