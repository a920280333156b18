#pragma once

#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/compose/find_policy.hpp>
#include <pgq/compose/job_decl.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/concept/policy.hpp>
#include <pgq/delivery/at_least_once.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/limiter/none.hpp>
#include <pgq/observer/none.hpp>
#include <pgq/protocol/lane.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace pgq {

/// The policies of a queue that names none of their category. A queue always names its driver and serializer.
using default_executor = executor::thread_pool;
using default_backoff = backoff::jittered<backoff::exponential>;
using default_limiter = limiter::none;
using default_observer = observer::none;
using default_delivery = delivery::at_least_once;

/// A lane of a queue: its name, the position of its job type, and the position of the version that it holds.
struct lane_entry {
    lane_name name{};
    std::size_t job = 0;
    std::size_t version = 0;
};

namespace detail {

template <class Decl, class Category, class QueueWide>
struct decl_policy;
template <class Job, class... Policies, class Category, class QueueWide>
struct decl_policy<job<Job, Policies...>, Category, QueueWide> : find_policy<Category, QueueWide, Policies...> {};

template <class... Jobs>
consteval std::array<std::string_view, sizeof...(Jobs)> entrypoints_of(type_list<Jobs...>) {
    return {entrypoint_of<Jobs>...};
}

// The serializer says it: Clang 14 does not find `versions` when a concept asks for it.
template <class Serializer, class Job>
concept has_versions = requires {
    requires Serializer::keeps_versions;
};

template <class Serializer, class Job>
consteval auto versions_of() {
    if constexpr (has_versions<Serializer, Job>) return Serializer::template versions<Job>;
    else return std::array<std::string_view, 1>{};
}

template <class Composed, class... Jobs>
consteval std::size_t count_lanes(type_list<Jobs...>) {
    return (std::size_t{0} + ... + versions_of<typename Composed::template serializer_of<Jobs>, Jobs>().size());
}

template <class Composed, std::size_t N, class... Jobs>
consteval std::array<lane_entry, N> lanes_of(type_list<Jobs...>) {
    std::array<lane_entry, N> lanes{};
    [[maybe_unused]] std::size_t at = 0, job = 0;
    [[maybe_unused]] const auto put = [&](std::string_view entrypoint, const auto& versions) {
        for (std::size_t v = 0; v < versions.size(); ++v)
            lanes[at++] = {.name = {entrypoint, versions[v]}, .job = job, .version = v};
        ++job;
    };
    (put(entrypoint_of<Jobs>, versions_of<typename Composed::template serializer_of<Jobs>, Jobs>()), ...);
    return lanes;
}

template <std::size_t N>
consteval std::array<lane_name, N> names_of(const std::array<lane_entry, N>& lanes) {
    std::array<lane_name, N> names{};
    for (std::size_t i = 0; i < N; ++i) names[i] = lanes[i].name;
    return names;
}

}  // namespace detail

/// What a queue is made of: its jobs and its policies. It checks nothing. `checked` makes compositions in their
/// canonical form, so that one queue written in two orders has one composition.
template <class... Args>
struct composition {
    /// False for the composition of a queue that does not compile.
    static constexpr bool valid = sizeof...(Args) != 0;

    /// The declarations `job<J, Policies...>`, and the job types, in the same order.
    using declarations =
        detail::join_t<std::conditional_t<detail::is_policy<Args>, detail::type_list<>,
                                          detail::type_list<typename detail::job_decl_of<Args>::type>>...>;
    using jobs = detail::join_t<std::conditional_t<detail::is_policy<Args>, detail::type_list<>,
                                                   detail::type_list<detail::declared_job_t<Args>>>...>;

    template <class Job>
    static constexpr bool contains = detail::contains_v<Job, jobs>;
    /// The position in `jobs` and `entrypoints`; their size if the queue does not know the job.
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
    /// The decorators of one entrypoint around the queue's executor; void without any.
    template <class Job>
    using own_executor_of =
        typename detail::decl_policy<detail::at_t<index_of<Job>, declarations>, executor_tag, void>::type;
    using observer = queue_policy<observer_tag, default_observer>;
    template <class Job>
    using serializer_of = policy_for<Job, serializer_tag>;
    template <class Job>
    using backoff_of = policy_for<Job, backoff_tag, default_backoff>;
    template <class Job>
    using delivery_of = policy_for<Job, delivery_tag, default_delivery>;
    /// The limiter of the whole queue, and the one of an entrypoint; both hold.
    using limiter = queue_policy<limiter_tag, default_limiter>;
    template <class Job>
    using limiter_of =
        typename detail::decl_policy<detail::at_t<index_of<Job>, declarations>, limiter_tag, default_limiter>::type;

    /// The policy that makes the unique keys of one entrypoint's jobs; void without one.
    template <class Job>
    using uniqueness_of =
        typename detail::decl_policy<detail::at_t<index_of<Job>, declarations>, uniqueness_tag, void>::type;

    /// The settings of the whole queue; `detail::settings_for` has those of one job type.
    using queue_settings = typename detail::policies_of<detail::setting_categories, Args...>::type;

    static constexpr std::array<std::string_view, jobs::size> entrypoints = detail::entrypoints_of(jobs{});

    /// A lane for each version of each job, in the order of `jobs`; the present version of a job comes first.
    static constexpr std::size_t lane_count = detail::count_lanes<composition>(jobs{});
    // Their types are written out: the compiler finds the type of an `auto` member with the class, also for a queue
    // that does not compile.
    static constexpr std::array<lane_entry, lane_count> lanes = detail::lanes_of<composition, lane_count>(jobs{});
    static constexpr std::array<lane_name, lane_count> lane_names = detail::names_of(lanes);
    template <class Job>
    static constexpr std::size_t lane_of = [] {
        std::size_t i = 0;
        while (i < lanes.size() && lanes[i].job != index_of<Job>) ++i;
        return i;
    }();
};

}  // namespace pgq
