#pragma once

#include <chrono>

namespace pgq {

/// A span of time. The database keeps microseconds; anything finer is cut off there.
using duration = std::chrono::nanoseconds;

/// A moment by the calendar, as the database's clock counts it (UTC, microseconds).
using time_point = std::chrono::sys_time<std::chrono::microseconds>;

/// A moment by this process's own monotonic clock. State machines are told the time in it and never ask for it.
using steady_time = std::chrono::steady_clock::time_point;

}  // namespace pgq
