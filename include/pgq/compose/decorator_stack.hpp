#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/executor/watchdog.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>

namespace pgq::detail {

/// An executor and those that it decorates, from the outside in.
template <class Executor>
struct chain {
    using type = type_list<Executor>;
};
template <>
struct chain<void> {
    using type = type_list<>;
};
template <executor_decorator Executor>
struct chain<Executor> : concat<type_list<Executor>, typename chain<typename Executor::inner_type>::type> {};
template <class Executor>
using chain_t = typename chain<Executor>::type;

/// The executor inside of all decorators.
template <class Executor>
struct undecorated {
    using type = Executor;
};
template <executor_decorator Executor>
struct undecorated<Executor> : undecorated<typename Executor::inner_type> {};

/// The decorators of a chain that take part in an attempt, from the outside in.
template <class Executor>
auto decorators_of(const Executor& e) noexcept {
    if constexpr (!executor_decorator<Executor>) return std::tuple<>{};
    else if constexpr (!intercepts_tries<Executor>) return decorators_of(e.inner());
    else return std::tuple_cat(std::tuple<const Executor&>{e}, decorators_of(e.inner()));
}

template <class Decorator>
concept needs_services =
    std::constructible_from<typename Decorator::attempt, const Decorator&, const attempt_services&>;

/// The decorators' parts of one attempt, each around the next. The caller passes in the time and waits.
///
/// If a decorator throws, the caller ends the attempt without asking the stack again; the decorators' destructors clean
/// up.
template <class... Decorators>
class decorator_stack;

template <>
class decorator_stack<> {
public:
    explicit decorator_stack(const attempt_services&) {}

    void enter(try_scope&, steady_time) noexcept {}
    std::optional<duration> leave(try_result&, steady_time, std::stop_token&) noexcept { return std::nullopt; }
    void again(try_scope&, steady_time) noexcept {}
    std::optional<duration> give_up(try_result&, steady_time, std::stop_token&) noexcept { return std::nullopt; }
};

template <class First, class... Rest>
class decorator_stack<First, Rest...> {
public:
    decorator_stack(const attempt_services& services, const First& first, const Rest&... rest)
        : own_{make(services, first)}, rest_{services, rest...} {}

    /// Before the first call of the handler. `scope` becomes what the handler sees.
    void enter(try_scope& scope, steady_time now) {
        outside_ = scope;
        enter_own(scope, now);
    }
    /// After a call, from the inside out. A returned duration asks for a pause before the next call, which `watch` may
    /// cut short; then the caller calls `again` or `give_up`. Without one `r` is the result of the attempt.
    std::optional<duration> leave(try_result& r, steady_time now, std::stop_token& watch) {
        if (auto pause = rest_.leave(r, now, watch)) return pause;
        return leave_own(r, now, watch);
    }
    /// The pause is over: what is inside of the decorator that asked for it begins anew.
    void again(try_scope& scope, steady_time now) {
        if (!pausing_) return rest_.again(scope, now);
        pausing_ = false;
        enter_own(scope, now);
    }
    /// The pause was cut short: the result stands. The decorators around see it, and may ask for a pause of their own.
    std::optional<duration> give_up(try_result& r, steady_time now, std::stop_token& watch) {
        if (pausing_) {
            pausing_ = false;
            return std::nullopt;
        }
        if (auto pause = rest_.give_up(r, now, watch)) return pause;
        return leave_own(r, now, watch);
    }

private:
    static typename First::attempt make(const attempt_services& services, const First& first) {
        if constexpr (needs_services<First>) return typename First::attempt(first, services);
        else return typename First::attempt(first);
    }
    void enter_own(try_scope& scope, steady_time now) {
        scope = outside_;
        scope.began = now;
        own_.enter(scope);
        rest_.enter(scope, now);
    }
    std::optional<duration> leave_own(try_result& r, steady_time now, std::stop_token& watch) {
        auto pause = own_.leave(outside_, r, now);
        pausing_ = pause.has_value();
        if (pausing_) watch = outside_.stop;
        return pause;
    }

    try_scope outside_{};
    typename First::attempt own_;
    decorator_stack<Rest...> rest_;
    bool pausing_ = false;  // this decorator has asked for the present pause
};

/// The stack over a `std::tuple<const Decorators&...>`.
template <class Tuple>
struct decorator_stack_of;
template <class... Decorators>
struct decorator_stack_of<std::tuple<const Decorators&...>> {
    using type = decorator_stack<Decorators...>;
};

}  // namespace pgq::detail
