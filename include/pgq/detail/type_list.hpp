#pragma once

#include <cstddef>
#include <type_traits>

namespace pgq::detail {

/// A pack of types as one type.
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

}  // namespace pgq::detail
