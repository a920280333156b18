#pragma once

#include <pgq/detail/lifetimebound.hpp>
#include <pgq/detail/require_cxx20.hpp>

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <ranges>
#include <span>

namespace pgq {

/// Identifies a job through all its attempts. Ids grow in the order in which the database allocates them. This is not
/// always the order in which the transactions commit.
struct job_id {
    std::int64_t value = 0;
    friend constexpr auto operator<=>(job_id, job_id) = default;
};

/// Ids in an option: `{.after = parent}`, `{.after = {left, right}}`, or any contiguous range of ids. It is a view:
/// what it was made of must live until the call returns. A list in braces does, if it is written in the call itself.
class job_id_list : public std::span<const job_id> {
    using view = std::span<const job_id>;

public:
    constexpr job_id_list() noexcept = default;
    constexpr job_id_list(view all) noexcept : view{all} {}
    constexpr job_id_list(const job_id& only PGQ_LIFETIMEBOUND) noexcept : view{&only, 1} {}
    constexpr job_id_list(std::initializer_list<job_id> all PGQ_LIFETIMEBOUND) noexcept
        : view{std::ranges::data(all), all.size()} {}
    template <std::ranges::contiguous_range Range>
        requires(std::same_as<std::ranges::range_value_t<Range>, job_id> && !std::derived_from<Range, view>)
    constexpr job_id_list(const Range& all PGQ_LIFETIMEBOUND) noexcept
        : view{std::ranges::data(all), std::ranges::size(all)} {}
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
