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

/// An executor and what it decorates, from the outside in.
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

/// What an executor is when its decorators are taken off.
template <class Executor>
struct undecorated {
    using type = Executor;
};
template <executor_decorator Executor>
struct undecorated<Executor> : undecorated<typename Executor::inner_type> {};

/// Those of a chain that take part in how an attempt is run.
template <class Executor>
auto layers_of(const Executor& e) noexcept {
    if constexpr (!executor_decorator<Executor>) return std::tuple<>{};
    else if constexpr (!shapes_tries<Executor>) return layers_of(e.inner());
    else return std::tuple_cat(std::tuple<const Executor&>{e}, layers_of(e.inner()));
}

template <class Layer>
concept needs_services = std::constructible_from<typename Layer::attempt, const Layer&, const attempt_services&>;

/// The decorators' parts of one attempt, each around the next.
template <class... Layers>
class layer_stack;

template <>
class layer_stack<> {
public:
    explicit layer_stack(const attempt_services&) {}

    void enter(try_scope&, steady_time) noexcept {}
    std::optional<duration> leave(try_result&, steady_time, std::stop_token&) noexcept { return std::nullopt; }
    void again(try_scope&, steady_time) noexcept {}
    std::optional<duration> give_up(try_result&, steady_time, std::stop_token&) noexcept { return std::nullopt; }
};

template <class First, class... Rest>
class layer_stack<First, Rest...> {
public:
    layer_stack(const attempt_services& services, const First& first, const Rest&... rest)
        : own_{make(services, first)}, rest_{services, rest...} {}

    /// Before the first call of the handler. `scope` becomes what the handler gets to see.
    void enter(try_scope& scope, steady_time now) {
        outside_ = scope;
        go_in(scope, now);
    }
    /// A call is over. When there is to be another one after a pause, that comes back, and in `watch` what may cut it short; then
    /// `again` or `give_up` is called.
    std::optional<duration> leave(try_result& r, steady_time now, std::stop_token& watch) {
        if (auto pause = rest_.leave(r, now, watch)) return pause;
        return leave_own(r, now, watch);
    }
    void again(try_scope& scope, steady_time now) {
        if (!asked_) return rest_.again(scope, now);
        asked_ = false;
        go_in(scope, now);
    }
    /// The pause was cut short: the result stands. Whoever is around hears of it, and may want a pause for itself.
    std::optional<duration> give_up(try_result& r, steady_time now, std::stop_token& watch) {
        if (asked_) {
            asked_ = false;
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
    void go_in(try_scope& scope, steady_time now) {
        scope = outside_;
        scope.began = now;
        own_.enter(scope);
        rest_.enter(scope, now);
    }
    std::optional<duration> leave_own(try_result& r, steady_time now, std::stop_token& watch) {
        auto pause = own_.leave(outside_, r, now);
        asked_ = pause.has_value();
        if (asked_) watch = outside_.stop;
        return pause;
    }

    try_scope outside_{};
    typename First::attempt own_;
    layer_stack<Rest...> rest_;
    bool asked_ = false;
};

template <class Tuple>
struct stack_over;
template <class... Layers>
struct stack_over<std::tuple<const Layers&...>> {
    using type = layer_stack<Layers...>;
};

}  // namespace pgq::detail
