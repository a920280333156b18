#pragma once

#include <pgq/detail/type_list.hpp>
#include <pgq/job/members.hpp>
#include <pgq/job/sensitive.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

// Whether BOOST_HANA_ADAPT_STRUCT lists all members of a struct, and each once. A member that is not listed is not
// stored, silently.
namespace pgq::detail {

enum class listing_error : std::uint8_t { none, left_out, twice };

template <class T>
concept partly_adapted = requires {
    requires T::partly_adapted;
};

/// Converts to the type of any member of `Struct`. It does not convert to a base: the compiler then goes through the
/// members of the base, as they are listed.
template <class Struct>
struct any_member {
    template <class T>
        requires(!std::is_base_of_v<T, Struct>)
    constexpr operator T() const noexcept;
};
template <class Struct, std::size_t>
using any_member_at = any_member<Struct>;

template <class Struct, class Indexes>
inline constexpr bool is_made_of = false;
template <class Struct, std::size_t... Is>
    requires requires { Struct{any_member_at<Struct, Is>{}...}; }
inline constexpr bool is_made_of<Struct, std::index_sequence<Is...>> = true;

/// An array member takes as many initializers as it has elements.
template <class T>
inline constexpr std::size_t initializers_of = 1;
template <class T, std::size_t N>
inline constexpr std::size_t initializers_of<T[N]> = N* initializers_of<T>;

template <class... Members>
consteval std::size_t initializers(type_list<Members...>) {
    return (std::size_t{0} + ... + initializers_of<typename Members::type>);
}

template <class... Members>
consteval bool lists_twice(type_list<Members...>) {
    const std::array<std::string_view, sizeof...(Members)> names{Members::name...};
    for (std::size_t i = 0; i < names.size(); ++i)
        for (std::size_t k = 0; k < i; ++k)
            if (names[i] == names[k]) return true;
    return false;
}

/// Of one struct. An aggregate has more members than are listed, if it can be made of one value more. Only that is
/// asked, so a struct of any size costs one attempt.
template <adapted T>
consteval listing_error own_listing_error() {
    using members = members_of<T>;
    if (lists_twice(members{})) return listing_error::twice;
    if constexpr (std::is_aggregate_v<T> && !partly_adapted<T>) {
        if (is_made_of<T, std::make_index_sequence<initializers(members{}) + 1>>) return listing_error::left_out;
    }
    return listing_error::none;
}

template <class T, listing_error What>
struct listing_mistake {
    using type = T;
    static constexpr listing_error what = What;
};
using no_listing_mistake = listing_mistake<void, listing_error::none>;

template <class... Mistakes>
struct first_mistake : std::type_identity<no_listing_mistake> {};
template <class First, class... Rest>
struct first_mistake<First, Rest...>
    : std::conditional_t<First::what == listing_error::none, first_mistake<Rest...>, std::type_identity<First>> {};

// Whether a type is an adapted struct or has one among its template arguments. It depends on the type alone, so the
// compiler finds out once for std::string, and not once for each job type.
template <class T>
inline constexpr bool holds_struct = false;
template <class... Parts>
consteval bool any_holds_struct(type_list<Parts...>) {
    return (holds_struct<std::remove_cv_t<Parts>> || ...);
}
template <class T>
    requires std::is_class_v<T>
inline constexpr bool holds_struct<T> = [] {
    if constexpr (adapted<T>) return true;
    else return any_holds_struct(typename component_types<T>::type{});
}();

template <class T, class Seen>
consteval auto find_listing_mistake();
template <class Seen, class... Parts>
consteval auto find_listing_mistake_in(type_list<Parts...>) {
    return typename first_mistake<decltype(find_listing_mistake<std::remove_cv_t<Parts>, Seen>())...>::type{};
}
template <class T>
consteval auto own_listing_mistake() {
    if constexpr (adapted<T>) return listing_mistake<T, own_listing_error<T>()>{};
    else return no_listing_mistake{};
}
template <class T, class Seen>
consteval auto find_listing_mistake() {
    if constexpr (!holds_struct<T> || contains_v<T, Seen>) return no_listing_mistake{};
    else {
        using own = decltype(own_listing_mistake<T>());
        if constexpr (own::what != listing_error::none) return own{};
        else
            return find_listing_mistake_in<typename concat<Seen, type_list<T>>::type>(
                typename component_types<T>::type{});
    }
}

/// The first mistake in the lists of `T` and of the structs that it consists of.
template <class T>
using listing_mistake_t = decltype(find_listing_mistake<T, type_list<>>());

}  // namespace pgq::detail
