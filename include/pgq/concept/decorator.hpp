#pragma once

#include <pgq/concept/executor.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string_view>

namespace pgq {

/// One call of a handler (a try), as a decorator sees it. A decorator may replace `stop` and `must_end_by` for the
/// inner decorators and the handler. Its token must fire when the one it replaces fires. Its `must_end_by` must not be
/// later than the one it replaces.
struct try_scope {
    job_id id{};
    std::string_view entrypoint{};
    std::int16_t attempt = 1;
    steady_time began{};  ///< when `enter` of this decorator was called
    std::stop_token stop{};
    steady_time must_end_by = steady_time::max();
    std::string_view queue{};  ///< the name of the job's queue
};

/// The result of one call of the handler, or of all calls that a decorator made for one attempt.
struct try_result {
    outcome what{};
    bool has_delay = true;  ///< false: the handler failed without a delay, so the back-off decides when to run again

    bool failed() const noexcept { return what.what() == outcome::kind::retry; }
};

/// An executor that wraps another executor, `inner()`, and forwards every call to it. `executor::decorator<Inner>` is a
/// base class that does this. If the executor policy of an entrypoint is a decorator, it wraps the executor of the
/// queue.
template <class E>
concept executor_decorator = executor_policy<E> && executor_policy<typename E::inner_type> && requires(const E& e) {
    { e.inner() } -> std::same_as<const typename E::inner_type&>;
    requires noexcept(e.inner());
};

template <class A>
concept can_enter = requires(A& a, try_scope& inside) {
    a.enter(inside);
};

template <class A>
concept can_leave = requires(A& a, const try_scope& outside, try_result& r, steady_time now) {
    { a.leave(outside, r, now) } -> std::same_as<std::optional<duration>>;
};

/// A decorator that changes how an attempt runs. For each attempt the worker makes one object of its class `attempt`
/// from the decorator. One thread at a time uses the object.
///
/// - `enter(inside)` is called before each call of the handler. It may change what the handler sees.
/// - `leave(outside, result, now)` is called after it, and may replace the result. If it returns a time, the worker
///   calls the handler again after that time. If the worker is asked to stop or the stop token fires before, the result
///   stays.
///
/// Neither function waits, so the same decorator works for functions and coroutines.
template <class D>
concept intercepts_tries = executor_decorator<D> && can_enter<typename D::attempt> && can_leave<typename D::attempt>;

/// What the worker must do next for an attempt.
enum class try_do : std::uint8_t {
    run,    ///< call the handler
    pause,  ///< wait until `until`, or until a stop token fires
    stop,   ///< nothing: the attempt has ended
};
struct try_action {
    try_do what = try_do::stop;
    steady_time until{};
};

/// An executor that can replace a thread which is blocked by a handler that does not end. After `add_spare_thread()` it
/// runs one task more at once, until `remove_spare_thread()`. Any thread may call them. Each `add_spare_thread()` is
/// followed by one `remove_spare_thread()`.
template <class E>
concept can_add_spare_thread = requires(E& e) {
    requires noexcept(e.add_spare_thread());
    requires noexcept(e.remove_spare_thread());
};

}  // namespace pgq
