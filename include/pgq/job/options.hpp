#pragma once

#include <pgq/job/header.hpp>
#include <pgq/time/when.hpp>

#include <cstdint>
#include <span>
#include <type_traits>

namespace pgq {

/// How a job is enqueued. Everything is a view: what `headers` points to must live until the call returns.
struct enqueue_options {
    std::int16_t priority = 0;          ///< higher runs first
    when run_at{};                      ///< not before: `in(1min)` or `at(tp)`; unset or past means at once
    when expected_at{};                 ///< the deadline it is ordered by inside its priority; unset runs last
    std::span<const header> headers{};  ///< stored with the job, given back in its context

    /// Whether the plain statement is enough: nothing but a priority.
    constexpr bool is_plain() const noexcept { return !run_at.is_set() && !expected_at.is_set() && headers.empty(); }
};

// GCC 12 destroys brace-initialized aggregates twice inside co_await expressions; one without a destructor survives it.
static_assert(std::is_trivially_destructible_v<enqueue_options>);

}  // namespace pgq
