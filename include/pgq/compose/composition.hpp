#pragma once

#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/compose/job_decl.hpp>
#include <pgq/compose/pack.hpp>
#include <pgq/concept/policy.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/observer/none.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace pgq {

/// What a queue has when nothing is said. Driver and serializer are always said.
using default_executor = executor::thread_pool;
using default_backoff = backoff::jittered<backoff::exponential>;
using default_observer = observer::none;

namespace detail {

template <class Decl, class Category, class QueueWide>
struct decl_policy;
template <class Job, class... Policies, class Category, class QueueWide>
struct decl_policy<job<Job, Policies...>, Category, QueueWide> : find_policy<Category, QueueWide, Policies...> {};

template <class... Jobs>
consteval std::array<std::string_view, sizeof...(Jobs)> entrypoints_of(type_list<Jobs...>) {
    return {entrypoint_of<Jobs>...};
}

}  // namespace detail

/// The answers to what a queue is made of: its jobs and its policies. Nothing is checked here: see `checked`, which makes
/// these, each in canonical form, so that one queue written in two orders has one composition.
template <class... Args>
struct composition {
    /// False for what stands in for a queue that did not compile.
    static constexpr bool valid = sizeof...(Args) != 0;

    /// The declarations `job<J, Policies...>`, and the job types, in the same order.
    using declarations =
        detail::join_t<std::conditional_t<detail::is_policy<Args>, detail::type_list<>,
                                          detail::type_list<typename detail::job_decl_of<Args>::type>>...>;
    using jobs = detail::join_t<std::conditional_t<detail::is_policy<Args>, detail::type_list<>,
                                                   detail::type_list<detail::declared_job_t<Args>>>...>;

    template <class Job>
    static constexpr bool contains = detail::contains_v<Job, jobs>;
    /// The position in `jobs` and `entrypoints`; their size when it is not there.
    template <class Job>
    static constexpr std::size_t index_of = detail::index_of<Job>(jobs{});

    template <class Category, class Default = void>
    using queue_policy = detail::find_policy_t<Category, Default, Args...>;
    /// The entrypoint's own policy, else the queue's, else `Default`.
    template <class Job, class Category, class Default = void>
    using policy_for = typename detail::decl_policy<detail::at_t<index_of<Job>, declarations>, Category,
                                                    queue_policy<Category, Default>>::type;

    using driver = queue_policy<driver_tag>;
    using executor = queue_policy<executor_tag, default_executor>;
    using observer = queue_policy<observer_tag, default_observer>;
    template <class Job>
    using serializer_of = policy_for<Job, serializer_tag>;
    template <class Job>
    using backoff_of = policy_for<Job, backoff_tag, default_backoff>;

    static constexpr std::array<std::string_view, jobs::size> entrypoints = detail::entrypoints_of(jobs{});
};

}  // namespace pgq
