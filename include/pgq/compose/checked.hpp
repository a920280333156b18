#pragma once

#include <pgq/diagnostic/arguments.hpp>
#include <pgq/diagnostic/delivery.hpp>
#include <pgq/diagnostic/jobs.hpp>
#include <pgq/diagnostic/payload.hpp>
#include <pgq/diagnostic/schedules.hpp>
#include <pgq/diagnostic/settings.hpp>
// The messages come first: GCC prints a line for each header between the program and the message.
#include <pgq/compose/canonical.hpp>
#include <pgq/compose/composition.hpp>
#include <pgq/compose/execution_plan.hpp>
#include <pgq/compose/job_checks.hpp>
#include <pgq/compose/policy_checks.hpp>
#include <pgq/compose/problem.hpp>
#include <pgq/compose/settings.hpp>

#include <type_traits>

namespace pgq {
namespace detail {

template <class... Executors>
consteval bool any_retries(type_list<Executors...>) {
    return (limits_tries<Executors> || ...);
}

/// Whether the policies of a job allow that it is acknowledged before it runs.
template <class Composed, class Job>
consteval auto delivery_problem() {
    using decl = at_t<Composed::template index_of<Job>, typename Composed::declarations>;
    using backoff = typename decl_policy<decl, backoff_tag, void>::type;
    using attempts = typename decl_policy<decl, attempts_tag, void>::type;
    using limiter = typename Composed::template limiter_of<Job>;
    using whole = typename Composed::limiter;
    if constexpr (!Composed::template delivery_of<Job>::acknowledges_first) return fine{};
    else if constexpr (any_retries(typename execution_plan<Composed, Job>::executors{})) {
        return problem<diagnostic::retried_at_most_once<Job>>{};
    } else if constexpr (!std::is_void_v<backoff>) return problem<diagnostic::backoff_at_most_once<Job, backoff>>{};
    else if constexpr (!std::is_void_v<attempts>) return problem<diagnostic::attempts_at_most_once<Job, attempts>>{};
    else if constexpr (counts_running<limiter>) return problem<diagnostic::global_limit_at_most_once<Job, limiter>>{};
    else return unless<!counts_running<whole>, diagnostic::global_limit_at_most_once<Job, whole>>{};
}

/// Whether the settings of a job fit together, wherever they come from.
template <class Composed, class Job>
consteval auto settings_problem() {
    using settings = settings_for<Composed, Job>;
    using delay = typename settings::template setting<delay_tag>;
    using expiry = typename settings::template setting<expiry_tag>;
    if constexpr (std::is_void_v<delay> || std::is_void_v<expiry>) return fine{};
    else return unless<(expiry::value > delay::value), diagnostic::expires_while_delayed<Job, delay, expiry>>{};
}

template <class Composed, class... Jobs>
consteval auto jobs_problem(type_list<Jobs...>) {
    using single = first_problem_t<decltype(job_problem<Jobs>())...>;
    if constexpr (!is_fine<single>) return single{};
    else if constexpr (!is_fine<decltype(same_entrypoint_problem(type_list<Jobs...>{}))>) {
        return same_entrypoint_problem(type_list<Jobs...>{});
    } else if constexpr (std::is_void_v<typename Composed::driver>) {
        return problem<diagnostic::no_driver<Jobs...>>{};
    } else {
        return first_problem_t<decltype(payload_problem<Jobs, typename Composed::template serializer_of<Jobs>>())...,
                               decltype(delivery_problem<Composed, Jobs>())...,
                               decltype(settings_problem<Composed, Jobs>())...>{};
    }
}

/// The first thing that is wrong with the arguments of a queue: each alone, then together, then job by job.
template <class... Args>
consteval auto queue_problem() {
    using composed = composition<Args...>;
    using single = first_problem_t<decltype(argument_problem<Args>())...>;
    using shared = shared_category_in<join_t<list_if<is_policy<Args>, Args>...>>;
    if constexpr (!is_fine<single>) return single{};
    else if constexpr (!is_fine<typename shared::type>) return typename shared::type{};
    else if constexpr (composed::jobs::size == 0) return problem<diagnostic::no_jobs<Args...>>{};
    else return jobs_problem<composed>(typename composed::jobs{});
}

template <bool Valid, class... Args>
struct composition_if {
    using type = composition<>;
};
template <class... Args>
struct composition_if<true, Args...> {
    using type = canonical_t<Args...>;
};

}  // namespace detail

/// Checks the arguments of a queue. If they fit together, `composition_type` is their canonical composition. If not,
/// there is one error that says what is wrong and what to do, and `composition_type` is `composition<>`, which knows no
/// job: code that uses a queue checks `valid` first and stays silent.
template <class... Args>
struct checked {
private:
    using check = decltype(detail::queue_problem<Args...>());
    static_assert(sizeof(typename check::message) != 0);

public:
    static constexpr bool valid = detail::is_fine<check>;
    using composition_type = typename detail::composition_if<valid, Args...>::type;
};

}  // namespace pgq
