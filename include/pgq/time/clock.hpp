#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <chrono>

namespace pgq {

/// A span of time in nanoseconds. The database stores microseconds and drops the rest.
using duration = std::chrono::nanoseconds;

/// A calendar time (UTC, microseconds), as the database stores it.
using time_point = std::chrono::sys_time<std::chrono::microseconds>;

/// A time of the monotonic clock of this process. State machines get it as a parameter and never read the clock.
using steady_time = std::chrono::steady_clock::time_point;

}  // namespace pgq
