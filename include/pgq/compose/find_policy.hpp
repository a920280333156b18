#pragma once

#include <pgq/concept/policy.hpp>

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

}  // namespace pgq::detail
