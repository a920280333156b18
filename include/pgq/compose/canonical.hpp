#pragma once

#include <pgq/compose/composition.hpp>
#include <pgq/compose/find_policy.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/detail/type_list.hpp>

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace pgq {
namespace detail {

/// Positions of a composition's jobs by entrypoint.
template <class Composed>
consteval auto entrypoint_order() {
    constexpr auto& names = Composed::entrypoints;
    std::array<std::size_t, names.size()> order{};
    for (std::size_t i = 0; i < order.size(); ++i) {
        std::size_t at = i;
        for (; at > 0 && names[i] < names[order[at - 1]]; --at) order[at] = order[at - 1];
        order[at] = i;
    }
    return order;
}

template <class... Policies>
using entrypoint_policies =
    typename policies_of<join_t<type_list<serializer_tag, backoff_tag, limiter_tag, uniqueness_tag, executor_tag,
                                          delivery_tag, schedule_tag>,
                                setting_categories>,
                         Policies...>::type;

template <class Job, class Policies>
struct make_decl;
template <class Job, class... Policies>
struct make_decl<Job, type_list<Policies...>> {
    using type = job<Job, Policies...>;
};

template <class Decl>
struct canonical_decl;
template <class Job, class... Policies>
struct canonical_decl<job<Job, Policies...>> : make_decl<Job, entrypoint_policies<Policies...>> {};

template <class List>
struct make_composition;
template <class... Args>
struct make_composition<type_list<Args...>> {
    using type = composition<Args...>;
};

template <class Composed, class Order = std::make_index_sequence<Composed::jobs::size>>
struct canonical;
template <class Composed, std::size_t... I>
struct canonical<Composed, std::index_sequence<I...>> {
    static constexpr auto order = entrypoint_order<Composed>();
    using serializer = typename Composed::template queue_policy<serializer_tag>;
    using delivery = typename Composed::template queue_policy<delivery_tag, default_delivery>;
    using type = typename make_composition<join_t<
        type_list<typename canonical_decl<at_t<order[I], typename Composed::declarations>>::type...>,
        type_list<typename Composed::driver>, list_if<!std::is_void_v<serializer>, serializer>,
        type_list<typename Composed::executor, typename Composed::template queue_policy<backoff_tag, default_backoff>,
                  typename Composed::limiter, typename Composed::observer>,
        list_if<!std::is_same_v<delivery, default_delivery>, delivery>, typename Composed::queue_settings>>::type;
};

}  // namespace detail

/// The one form of a queue, in whatever order it is written: jobs by entrypoint, then driver, serializer, executor,
/// backoff, limiter and observer, with the defaults filled in, then the settings. Only for arguments that `checked`
/// accepts.
template <class... Args>
using canonical_t = typename detail::canonical<composition<Args...>>::type;

namespace detail {

template <class P, class Q>
inline constexpr bool same_category = false;
template <has_policy_category P, has_policy_category Q>
inline constexpr bool same_category<P, Q> = std::is_same_v<typename P::policy_category, typename Q::policy_category>;

}  // namespace detail

/// The same queue (or composition) with `Policy` instead of the queue-wide policy of its category, or with `Policy`
/// added if there is none. The policies of entrypoints stay.
template <class Composed, class Policy>
struct rebind_policy;

template <template <class...> class Composed, class... Args, class Policy>
struct rebind_policy<Composed<Args...>, Policy> {
    using type = std::conditional_t<(detail::same_category<Args, Policy> || ...),
                                    Composed<std::conditional_t<detail::same_category<Args, Policy>, Policy, Args>...>,
                                    Composed<Args..., Policy>>;
};

template <class... Args, class Policy>
struct rebind_policy<composition<Args...>, Policy>
    : std::conditional_t<
          (detail::same_category<Args, Policy> || ...),
          detail::canonical<composition<std::conditional_t<detail::same_category<Args, Policy>, Policy, Args>...>>,
          detail::canonical<composition<Args..., Policy>>> {};

template <class Composed, class Policy>
using rebind_policy_t = typename rebind_policy<Composed, Policy>::type;

}  // namespace pgq
