#pragma once

#include <pgq/compose/composition.hpp>
#include <pgq/compose/decorator_stack.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/concept/decorator.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/time/clock.hpp>

#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace pgq::detail {

template <class Executor>
concept keeps_strands = requires {
    Executor::strand_member;
};
template <class Executor>
concept needs_stop_token = requires {
    requires Executor::needs_stop_token;
};
template <class Executor>
concept makes_processes = requires {
    requires Executor::makes_processes;
};

template <class... Executors>
consteval bool any_keeps_strands(type_list<Executors...>) {
    return (keeps_strands<Executors> || ...);
}
template <class... Executors>
consteval bool any_needs_stop_token(type_list<Executors...>) {
    return (needs_stop_token<Executors> || ...);
}
template <class... Executors>
consteval bool any_makes_processes(type_list<Executors...>) {
    return (makes_processes<Executors> || ...);
}

template <class List>
struct strand_in;
template <class First, class... Rest>
struct strand_in<type_list<First, Rest...>> : strand_in<type_list<Rest...>> {};
template <keeps_strands First, class... Rest>
struct strand_in<type_list<First, Rest...>> {
    using type = First;
};

template <class Executor>
duration grace_of(const Executor& e) noexcept {
    if constexpr (makes_processes<Executor>) return e.grace();
    else return grace_of(e.inner());
}

template <class T>
struct no_own_executor {};

/// How jobs of one type are run: in the decorators of their entrypoint, which are around the executor of the queue.
template <class Composition, class Job>
struct execution_plan {
    using declared_executor = typename Composition::template own_executor_of<Job>;
    using own_executor = std::conditional_t<std::is_void_v<declared_executor>, no_own_executor<Job>, declared_executor>;
    using executors = typename concat<chain_t<declared_executor>, chain_t<typename Composition::executor>>::type;

    static constexpr bool in_strands = any_keeps_strands(executors{});
    static constexpr bool has_timeout = settings_for<Composition, Job>::time_limit.has_value();
    static constexpr bool needs_watchdog = has_timeout || any_needs_stop_token(executors{});
    static constexpr bool in_process = any_makes_processes(executors{});

    /// The decorators that take part in an attempt, from the outside in.
    static auto decorators(const own_executor& own, const typename Composition::executor& queue_wide) noexcept {
        return std::tuple_cat(decorators_of(own), decorators_of(queue_wide));
    }
    static constexpr bool is_decorated =
        std::tuple_size_v<decltype(decorators(std::declval<const own_executor&>(),
                                              std::declval<const typename Composition::executor&>()))> != 0;

    /// How long a child process may go on after its SIGTERM; the outermost `process` says it.
    static duration process_grace(const own_executor& own, const typename Composition::executor& queue_wide) noexcept {
        if constexpr (any_makes_processes(chain_t<declared_executor>{})) return grace_of(own);
        else return grace_of(queue_wide);
    }

    /// The key of the job's strand; the jobs of one key run one after the other.
    static auto key(const Job& job) {
        return std::remove_cvref_t<decltype(std::invoke(strand_in<executors>::type::strand_member, job))>(
            std::invoke(strand_in<executors>::type::strand_member, job));
    }
};

/// What the plans of all jobs need together.
template <class Composition, class Jobs>
struct execution_plans;
template <class Composition, class... Jobs>
struct execution_plans<Composition, type_list<Jobs...>> {
    using own_executors = std::tuple<typename execution_plan<Composition, Jobs>::own_executor...>;
    static constexpr bool needs_watchdog = (execution_plan<Composition, Jobs>::needs_watchdog || ...);
    static constexpr bool in_process = (execution_plan<Composition, Jobs>::in_process || ...);
};

}  // namespace pgq::detail
