#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/executor/decorator.hpp>
#include <pgq/executor/default_inner.hpp>
#include <pgq/executor/settings.hpp>
#include <pgq/executor/time_limit.hpp>
#include <pgq/executor/watchdog.hpp>
#include <pgq/time/static_duration.hpp>

#include <chrono>
#include <type_traits>

namespace pgq::executor {

/// The class behind the alias `timeout`.
template <static_duration Limit, static_duration Grace, executor_policy Inner>
class basic_timeout : public decorator<Inner> {
public:
    /// The defaults come from the template arguments.
    struct settings {
        duration limit = Limit.value();
        duration grace = Grace.value();
    };
    static constexpr duration static_limit = Limit.value();
    static constexpr bool needs_stop_token = true;

    basic_timeout() = default;
    explicit basic_timeout(settings s, const Inner& inner = Inner{}) : decorator<Inner>{inner}, settings_{s} {}
    explicit basic_timeout(const Inner& inner) : decorator<Inner>{inner} {}

    class attempt : public pgq::detail::time_limit {
    public:
        attempt(const basic_timeout& of, const pgq::detail::attempt_services& services)
            : time_limit{of.settings_.limit, of.settings_.grace, services} {}
    };

private:
    settings settings_{};
};

}  // namespace pgq::executor

namespace pgq::detail {

using wrong_argument_of_timeout = wrong_argument_of<is_executor, is_grace>;

template <static_duration Limit, class... Args>
struct timeout_of {
    using type = invalid_decorator<typename wrong_argument_of_timeout::template among<Args...>::type>;
};
template <static_duration Limit, class... Args>
    requires(std::is_void_v<typename wrong_argument_of_timeout::template among<Args...>::type>)
struct timeout_of<Limit, Args...> {
    using grace = pick_t<is_grace, executor::grace<std::chrono::seconds{5}>, Args...>;
    using type = executor::basic_timeout<Limit, static_duration{grace::value},
                                         pick_t<is_executor, executor::default_inner, Args...>>;
};

}  // namespace pgq::detail

namespace pgq::executor {

/// Limits the time of a handler: `timeout<30s>`, `timeout<30s, grace<1s>, retrying<backoff::fixed>>`.
///
/// When the time is over, the stop token of the handler fires. From then on the result of the handler is ignored, even
/// "done": the attempt fails with "timed out after 30 s", and the job runs again after its back-off. A handler can see
/// the end of its time in `context::must_end_by()`. A handler without a context does not compile with a timeout, unless
/// it runs in a `process`.
///
/// A handler that still runs after the `grace` time (default 5 s) is reported as `event::handler_exceeded_timeout`.
/// From then until it ends, a `thread_pool` or `coroutine` executor runs one more task at once. No thread is ever
/// killed.
///
/// A thread of the worker fires the token, and callbacks that the handler registers with it run there, so they must be
/// fast. Around `retrying` the time limits all tries together; inside it, each try. An object can have other times than
/// its type: `timeout<30s>{{.limit = t}}`.
template <static_duration Limit, class... Policies>
using timeout = typename pgq::detail::timeout_of<Limit, Policies...>::type;

}  // namespace pgq::executor
