#pragma once

#include <pgq/compose/decorator_stack.hpp>
#include <pgq/compose/execution_plan.hpp>
#include <pgq/compose/executor_checks.hpp>
#include <pgq/compose/find_policy.hpp>
#include <pgq/compose/job_decl.hpp>
#include <pgq/compose/problem.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/concept/backoff.hpp>
#include <pgq/concept/delivery.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/concept/limiter.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/concept/policy.hpp>
#include <pgq/concept/schedule.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/concept/tracer.hpp>
#include <pgq/concept/uniqueness.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/diagnostic/arguments.hpp>
#include <pgq/diagnostic/delivery.hpp>
#include <pgq/diagnostic/executors.hpp>
#include <pgq/diagnostic/payload.hpp>
#include <pgq/diagnostic/schedules.hpp>
#include <pgq/diagnostic/settings.hpp>
#include <pgq/diagnostic/uniqueness.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/observer/none.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace pgq::detail {

// The library makes serializers, backoffs and limiters by default where it uses them.
template <class Policy>
using unless_not_default = unless<std::default_initializable<Policy>, diagnostic::no_default_policy<Policy>>;

template <class Limiter>
consteval auto limiter_problem() {
    constexpr limiter_error mistake = mistake_of<Limiter>;
    if constexpr (mistake == limiter_error::no_rate) return problem<diagnostic::rate_of_zero<Limiter>>{};
    else if constexpr (mistake == limiter_error::no_burst) return problem<diagnostic::burst_of_zero<Limiter>>{};
    else if constexpr (mistake == limiter_error::no_concurrency) {
        return problem<diagnostic::concurrency_of_zero<Limiter>>{};
    } else if constexpr (mistake == limiter_error::two_keys) return problem<diagnostic::two_keys<Limiter>>{};
    else {
        return first_problem_t<unless<limiter_policy<Limiter>, diagnostic::incomplete_limiter<Limiter>>,
                               unless_not_default<Limiter>>{};
    }
}

template <class Backoff>
concept cannot_be_stored = stored_backoff<Backoff> && requires {
    requires !Backoff::can_be_stored;
};

template <class Serializer>
consteval auto serializer_problem() {
    constexpr auto flaw = serializer_error_of<Serializer>;
    if constexpr (flaw == serializer_error::inner_is_no_serializer) {
        return problem<diagnostic::inner_is_no_serializer<Serializer>>{};
    } else if constexpr (flaw == serializer_error::incomplete_keys) {
        return problem<diagnostic::incomplete_keys<Serializer>>{};
    } else if constexpr (flaw == serializer_error::compresses_ciphertext) {
        return problem<diagnostic::compresses_ciphertext<Serializer>>{};
    } else if constexpr (requires { requires Serializer::hides_versions; }) {
        return problem<diagnostic::hidden_versions<Serializer>>{};
    } else return unless_not_default<Serializer>{};
}

template <class Policy>
consteval auto observer_problem();

template <class... Parts>
consteval auto parts_problem(type_list<Parts...>) {
    return first_problem_t<decltype(observer_problem<Parts>())...>{};
}

/// Of an observer and of its parts, if it is made of some.
template <class Policy>
consteval auto observer_problem() {
    if constexpr (std::same_as<Policy, observer::none>) return fine{};
    else if constexpr (has_tracers<Policy>) return problem<diagnostic::two_tracers<Policy>>{};
    else if constexpr (changes_events<Policy>) return problem<diagnostic::observer_changes_event<Policy>>{};
    else if constexpr (requires { typename Policy::observers; }) return parts_problem(typename Policy::observers{});
    else if constexpr (looks_like_tracer<Policy> && !tracer<Policy>)
        return problem<diagnostic::incomplete_tracer<Policy>>{};
    else if constexpr (!observes_something<Policy> && !tracer<Policy>)
        return problem<diagnostic::observes_nothing<Policy>>{};
    else return unless<!hides_overload<Policy>, diagnostic::observer_hides_overload<Policy>>{};
}

template <class Policy>
consteval auto uniqueness_problem() {
    if constexpr (!uniqueness_policy<Policy>) return problem<diagnostic::incomplete_uniqueness<Policy>>{};
    else {
        constexpr unique rule = Policy::rule;
        constexpr bool lasts = rule.scope() != unique_scope::period || rule.period() > duration{};
        return unless<lasts, diagnostic::unique_for_no_time<Policy>>{};
    }
}

template <class Setting>
consteval auto setting_problem() {
    using category = typename Setting::policy_category;
    if constexpr (std::same_as<category, attempts_tag>) {
        constexpr bool fits = Setting::value >= 1 && Setting::value <= INT16_MAX;
        return unless<fits, diagnostic::attempts_out_of_range<Setting>>{};
    } else if constexpr (std::same_as<category, priority_tag>) {
        constexpr bool fits = Setting::value >= INT16_MIN && Setting::value <= INT16_MAX;
        return unless<fits, diagnostic::priority_out_of_range<Setting>>{};
    } else if constexpr (std::same_as<category, timeout_tag>) {
        return unless<(Setting::static_limit > duration{}), diagnostic::no_time<Setting>>{};
    } else return unless<(Setting::value > duration{}), diagnostic::setting_of_no_time<Setting>>{};
}

/// The first two of `Policies` that share a category.
template <class... Policies>
struct shared_category {
    using type = fine;
};
template <class First, class... Rest>
struct shared_category<First, Rest...> {
    using second = find_policy_t<typename First::policy_category, void, Rest...>;
    using type =
        typename std::conditional_t<std::is_void_v<second>, shared_category<Rest...>,
                                    first_problem<problem<diagnostic::two_of_one_category<First, second>>>>::type;
};

template <class List>
struct shared_category_in;
template <class... Policies>
struct shared_category_in<type_list<Policies...>> : shared_category<Policies...> {};

template <class Option>
consteval auto schedule_option_problem() {
    if constexpr (!schedule_option<Option>) return problem<diagnostic::no_schedule_option<Option>>{};
    else if constexpr (Option::is_valid) return fine{};
    else if constexpr (policy_of<Option, schedule_zone_tag>) {
        return problem<diagnostic::unknown_schedule_zone<Option>>{};
    } else if constexpr (policy_of<Option, schedule_jitter_tag>) {
        return problem<diagnostic::schedule_jitter_out_of_range<Option>>{};
    } else return problem<diagnostic::missed_ticks_out_of_range<Option>>{};
}

template <class... Options>
consteval auto schedule_options_problem(type_list<Options...>) {
    using single = first_problem_t<decltype(schedule_option_problem<Options>())...>;
    if constexpr (!is_fine<single>) return single{};
    else {
        constexpr bool differ = is_fine<typename shared_category<Options...>::type>;
        return unless<differ, diagnostic::two_schedule_options<Options...>>{};
    }
}

template <class Policy>
consteval auto schedule_problem() {
    if constexpr (!schedule_policy<Policy>) return problem<diagnostic::incomplete_schedule<Policy>>{};
    else if constexpr (requires { typename Policy::options; }) {
        return schedule_options_problem(typename Policy::options{});
    } else return fine{};
}

/// Whether a policy is of a category we know and models its concept.
template <has_policy_category Policy>
consteval auto policy_problem() {
    using category = typename Policy::policy_category;
    if constexpr (std::same_as<category, driver_tag>) {
        return unless<driver_policy<Policy>, diagnostic::incomplete_driver<Policy>>{};
    } else if constexpr (std::same_as<category, executor_tag>) {
        return executor_problem<Policy>();
    } else if constexpr (std::same_as<category, backoff_tag>) {
        using modelled = unless<backoff_policy<Policy>, diagnostic::incomplete_backoff<Policy>>;
        using written_down = unless<!cannot_be_stored<Policy>, diagnostic::backoff_without_spec<Policy>>;
        return first_problem_t<modelled, unless_not_default<Policy>, written_down>{};
    } else if constexpr (std::same_as<category, serializer_tag>) {
        return serializer_problem<Policy>();
    } else if constexpr (std::same_as<category, limiter_tag>) {
        return limiter_problem<Policy>();
    } else if constexpr (std::same_as<category, delivery_tag>) {
        return unless<delivery_policy<Policy>, diagnostic::incomplete_delivery<Policy>>{};
    } else if constexpr (std::same_as<category, uniqueness_tag>) {
        return uniqueness_problem<Policy>();
    } else if constexpr (std::same_as<category, observer_tag>) {
        return observer_problem<Policy>();
    } else if constexpr (std::same_as<category, schedule_tag>) {
        return schedule_problem<Policy>();
    } else if constexpr (schedule_option<Policy>) {
        return problem<diagnostic::schedule_option_outside<Policy>>{};
    } else if constexpr (setting_policy<Policy>) {
        return setting_problem<Policy>();
    } else {
        return problem<diagnostic::unknown_category<Policy, category>>{};
    }
}

template <class Policy>
concept queue_wide_only = policy_of<Policy, driver_tag> || policy_of<Policy, observer_tag>;

template <class Job, class Policy>
consteval auto entrypoint_policy_problem() {
    if constexpr (!has_policy_category<Policy>) return problem<diagnostic::neither_job_nor_policy<Policy>>{};
    else if constexpr (queue_wide_only<Policy>) return problem<diagnostic::queue_wide_policy<Job, Policy>>{};
    else if constexpr (policy_of<Policy, executor_tag>) return own_executor_problem<Job, Policy>();
    else return policy_problem<Policy>();
}

/// Refuses what only an entrypoint can have.
template <class Policy>
consteval auto queue_policy_problem() {
    if constexpr (policy_of<Policy, uniqueness_tag>) return problem<diagnostic::unique_queue<Policy>>{};
    else if constexpr (policy_of<Policy, schedule_tag>) return problem<diagnostic::schedule_of_a_queue<Policy>>{};
    else if constexpr (!policy_of<Policy, executor_tag>) return policy_problem<Policy>();
    else if constexpr (any_keeps_strands(chain_t<Policy>{})) return problem<diagnostic::entrypoint_only<Policy>>{};
    else return policy_problem<Policy>();
}

/// A policy that goes by a key needs a job that has this key.
template <class Job, class Policy>
consteval auto key_problem() {
    if constexpr (keyed_limiter<Policy>)
        return unless<can_key<Policy, Job>, diagnostic::key_of_another_job<Job, Policy>>{};
    else if constexpr (uniqueness_policy<Policy>)
        return unless<can_make_key<Policy, Job>, diagnostic::unique_by_another_job<Job, Policy>>{};
    else return fine{};
}

template <class Job, class... Policies>
consteval auto decl_problem(std::type_identity<job<Job, Policies...>>) {
    using single = first_problem_t<decltype(entrypoint_policy_problem<Job, Policies>())...>;
    if constexpr (!is_fine<single>) return single{};
    else
        return first_problem_t<typename shared_category<Policies...>::type,
                               decltype(key_problem<Job, Policies>())...>{};
}

/// Whether a queue takes an argument, whatever the other arguments are.
template <class Argument>
consteval auto argument_problem() {
    if constexpr (is_job_decl<Argument>) return decl_problem(std::type_identity<Argument>{});
    else if constexpr (policy_of<Argument, limiter_tag> && keyed_limiter<Argument>) {
        return problem<diagnostic::keyed_limiter_of_a_queue<Argument>>{};
    } else if constexpr (has_policy_category<Argument>) return queue_policy_problem<Argument>();
    else {
        constexpr bool is_job = has_entrypoint<Argument> || has_variable_entrypoint<Argument>;
        return unless<is_job, diagnostic::neither_job_nor_policy<Argument>>{};
    }
}

}  // namespace pgq::detail
