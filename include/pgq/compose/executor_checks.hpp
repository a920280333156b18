#pragma once

#include <pgq/compose/decorator_stack.hpp>
#include <pgq/compose/execution_plan.hpp>
#include <pgq/compose/problem.hpp>
#include <pgq/compose/strand_key.hpp>
#include <pgq/concept/decorator.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/diagnostic/arguments.hpp>
#include <pgq/diagnostic/executors.hpp>
#include <pgq/executor/default_inner.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>
#include <functional>
#include <type_traits>

// Whether an executor and its decorators fit together, and fit their job.
namespace pgq::detail {

template <class Policy>
concept has_stray = requires {
    typename Policy::wrong_argument;
};
template <class Policy>
concept limits_time = requires {
    { Policy::static_limit } -> std::convertible_to<duration>;
};
template <class Policy>
concept limits_tries = requires {
    { Policy::static_tries } -> std::convertible_to<int>;
};

template <class Policy>
consteval auto decorator_problem() {
    if constexpr (limits_time<Policy>) {
        return unless<(Policy::static_limit > duration{}), diagnostic::no_time<Policy>>{};
    } else if constexpr (limits_tries<Policy>) {
        return unless<(Policy::static_tries > 0), diagnostic::no_tries<Policy>>{};
    } else return fine{};
}

/// Of an executor and all that it decorates.
template <class Policy>
consteval auto executor_problem() {
    if constexpr (has_stray<Policy>) {
        if constexpr (std::same_as<typename Policy::wrong_argument, missing_backoff>) {
            return problem<diagnostic::retrying_without_backoff<Policy>>{};
        } else return problem<diagnostic::stray_argument<typename Policy::wrong_argument>>{};
    } else if constexpr (executor_decorator<Policy>) {
        return first_problem_t<decltype(decorator_problem<Policy>()),
                               decltype(executor_problem<typename Policy::inner_type>())>{};
    } else return unless<executor_policy<Policy>, diagnostic::incomplete_executor<Policy>>{};
}

template <class Job, class Policy>
consteval auto strand_problem() {
    if constexpr (!keeps_strands<Policy>) return fine{};
    else if constexpr (!std::invocable<decltype(Policy::strand_member), const Job&>) {
        return problem<diagnostic::strand_of_another_job<Job, Policy>>{};
    } else {
        using key = std::remove_cvref_t<std::invoke_result_t<decltype(Policy::strand_member), const Job&>>;
        return unless < hashable<key> || orderable<key>, diagnostic::strand_without_order < Job, key >> {};
    }
}
template <class Job, class... Executors>
consteval auto strands_problem(type_list<Executors...>) {
    return first_problem_t<decltype(strand_problem<Job, Executors>())...>{};
}

/// An entrypoint's executor decorates the queue's. It must not name an executor itself.
template <class Job, class Policy>
consteval auto own_executor_problem() {
    using own = decltype(executor_problem<Policy>());
    if constexpr (!executor_decorator<Policy> && executor_policy<Policy>) {
        return problem<diagnostic::queue_wide_policy<Job, Policy>>{};
    } else if constexpr (!is_fine<own>) return own{};
    else if constexpr (!std::same_as<typename undecorated<Policy>::type, executor::default_inner>) {
        return problem<diagnostic::queue_wide_policy<Job, typename undecorated<Policy>::type>>{};
    } else if constexpr (!std::default_initializable<Policy>) {
        return problem<diagnostic::no_default_policy<Policy>>{};
    } else return strands_problem<Job>(chain_t<Policy>{});
}

}  // namespace pgq::detail
