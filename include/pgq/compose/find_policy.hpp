#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/detail/type_list.hpp>

#include <type_traits>

namespace pgq::detail {

template <class Category, class Default, class... Policies>
struct find_policy {
    using type = Default;
};
template <class Category, class Default, class First, class... Rest>
struct find_policy<Category, Default, First, Rest...>
    : std::conditional_t<policy_of<First, Category>, std::type_identity<First>,
                         find_policy<Category, Default, Rest...>> {};

/// The first of `Policies` in `Category`; `Default` when there is none.
template <class Category, class Default, class... Policies>
using find_policy_t = typename find_policy<Category, Default, Policies...>::type;

/// Those of `Policies` that are of these categories, in the order of the categories.
template <class Categories, class... Policies>
struct policies_of;
template <class... Categories, class... Policies>
struct policies_of<type_list<Categories...>, Policies...> {
    using type = join_t<list_if<!std::is_void_v<find_policy_t<Categories, void, Policies...>>,
                                find_policy_t<Categories, void, Policies...>>...>;
};

}  // namespace pgq::detail
