#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace pgq::detail {

/// A list of types.
template <class... Ts>
struct type_list {
    static constexpr std::size_t size = sizeof...(Ts);
};

template <class T, class List>
inline constexpr bool contains_v = false;
template <class T, class... Ts>
inline constexpr bool contains_v<T, type_list<Ts...>> = (std::is_same_v<T, Ts> || ...);

/// The position of `T` in the list, from 0; the size of the list if `T` is not in it.
template <class T, class... Ts>
constexpr std::size_t index_of(type_list<Ts...>) noexcept {
    std::size_t i = 0;
    (void)((std::is_same_v<T, Ts> || (++i, false)) || ...);
    return i;
}

template <class A, class B>
struct concat;
template <class... As, class... Bs>
struct concat<type_list<As...>, type_list<Bs...>> {
    using type = type_list<As..., Bs...>;
};

template <class... Lists>
struct join {
    using type = type_list<>;
};
template <class First, class... Rest>
struct join<First, Rest...> : concat<First, typename join<Rest...>::type> {};

/// One list of what is in all of them, in their order.
template <class... Lists>
using join_t = typename join<Lists...>::type;

/// A list of `T`, or an empty one.
template <bool Wanted, class T>
using list_if = std::conditional_t<Wanted, type_list<T>, type_list<>>;

template <std::size_t I, class List>
struct at;
template <std::size_t I, class... Ts>
struct at<I, type_list<Ts...>> : std::tuple_element<I, std::tuple<Ts...>> {};

/// The type at position `I`.
template <std::size_t I, class List>
using at_t = typename at<I, List>::type;

}  // namespace pgq::detail
