#pragma once

#include <pgq/error/result.hpp>
#include <pgq/health/worker_health.hpp>

#include <concepts>
#include <stop_token>

namespace pgq {

/// Something that pgq::run can run, such as a worker.
///
/// `run(stop)` works in the caller's thread until `stop` fires, or until nothing is left to do; then it succeeds. It
/// returns an error if it cannot go on. It may be called again after it has returned.
template <class T>
concept runnable = requires(T& t, std::stop_token stop) {
    { t.run(stop) } -> std::same_as<result<void>>;
};

/// It says how it is. Any thread may call `health()` at any time, also while nothing runs; it does not block.
template <class T>
concept reports_health = requires(const T& t) {
    { t.health() } -> std::same_as<worker_health>;
};

}  // namespace pgq
