#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/detail/type_list.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace pgq::detail {

template <class... Lists>
struct join {
    using type = type_list<>;
};
template <class First, class... Rest>
struct join<First, Rest...> : concat<First, typename join<Rest...>::type> {};

/// The lists, one behind the other.
template <class... Lists>
using join_t = typename join<Lists...>::type;

template <bool Wanted, class T>
using list_if = std::conditional_t<Wanted, type_list<T>, type_list<>>;

template <std::size_t I, class List>
struct at;
template <std::size_t I, class... Ts>
struct at<I, type_list<Ts...>> : std::tuple_element<I, std::tuple<Ts...>> {};

template <std::size_t I, class List>
using at_t = typename at<I, List>::type;

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
