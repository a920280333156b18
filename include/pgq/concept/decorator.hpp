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

/// One call of a handler, as the decorators around it see it. A decorator may change `stop` and `must_end_by` for what is inside
/// of it: its own token has to fire when the one it found does, its own end must not be later than the one it found.
struct try_scope {
    job_id id{};
    std::string_view entrypoint{};
    std::int16_t attempt = 1;
    steady_time began{};  ///< when this decorator was entered
    std::stop_token stop{};
    steady_time must_end_by = steady_time::max();
};

/// What came of a call, or of all calls that a decorator made of one.
struct try_result {
    outcome what{};
    bool names_delay = true;  ///< false for what failed without saying when to run again, which the backoff then says

    bool failed() const noexcept { return what.what() == outcome::kind::retry; }
};

/// An executor made of another, which it keeps as `inner()` and hands everything on to: `executor::decorator<Inner>` does
/// that much. An entrypoint's policy may be one, and then it decorates what the queue runs handlers with.
template <class E>
concept executor_decorator = executor_policy<E> && executor_policy<typename E::inner_type> && requires(const E& e) {
    { e.inner() } noexcept -> std::same_as<const typename E::inner_type&>;
};

template <class A>
concept can_enter = requires(A& a, try_scope& inside) { a.enter(inside); };

template <class A>
concept can_leave = requires(A& a, const try_scope& outside, try_result& r, steady_time now) {
    { a.leave(outside, r, now) } -> std::same_as<std::optional<duration>>;
};

/// A decorator that takes part in how an attempt is run: of its class `attempt` one object is made, from the decorator, for each
/// attempt. `enter(inside)` is told before a call of the handler and may change what the handler gets to see. `leave(outside,
/// result, now)` is told what came of it and may replace that; when it gives a time, the handler is called again after so long,
/// unless the worker is told to stop or the stop token fires meanwhile, which leaves the result as it is. It waits for nothing
/// itself, so it is the same for functions and coroutines. Each object is used by one thread at a time.
template <class D>
concept shapes_tries = executor_decorator<D> && can_enter<typename D::attempt> && can_leave<typename D::attempt>;

/// What is to be done next about an attempt.
enum class try_do : std::uint8_t {
    run,    ///< call the handler
    pause,  ///< wait until `until`, or until a stop token fires
    stop,   ///< nothing: it is over
};
struct try_action {
    try_do what = try_do::stop;
    steady_time until{};
};

/// An executor that can make up for a handler that does not end: from `stand_in()` to `stand_down()` it runs one more at once.
/// Both are called from any thread, and as often as each other.
template <class E>
concept can_stand_in = requires(E& e) {
    { e.stand_in() } noexcept;
    { e.stand_down() } noexcept;
};

}  // namespace pgq
