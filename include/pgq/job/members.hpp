#pragma once

#include <pgq/detail/type_list.hpp>

#include <boost/hana/accessors.hpp>
#include <boost/hana/adapt_struct.hpp>
#include <boost/hana/at.hpp>
#include <boost/hana/define_struct.hpp>
#include <boost/hana/first.hpp>
#include <boost/hana/length.hpp>
#include <boost/hana/second.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace pgq {

namespace detail {

template <class Job>
using accessors_of = decltype(boost::hana::accessors<Job>());

template <class Job>
inline constexpr std::size_t member_count = decltype(boost::hana::length(std::declval<accessors_of<Job>>()))::value;

template <class Job, std::size_t I>
using accessor_at = std::remove_cvref_t<decltype(boost::hana::at_c<I>(std::declval<accessors_of<Job>>()))>;

template <class Job, std::size_t I>
using member_name = std::remove_cvref_t<decltype(boost::hana::first(std::declval<accessor_at<Job, I>>()))>;

template <class Job, std::size_t I>
using member_getter = std::remove_cvref_t<decltype(boost::hana::second(std::declval<accessor_at<Job, I>>()))>;

// BOOST_HANA_ADAPT_ADT gives access through functions. Such a member has no address that a serializer can read into.
template <class Job, std::size_t... Is>
consteval bool members_are_objects(std::index_sequence<Is...>) {
    return (std::is_lvalue_reference_v<std::invoke_result_t<member_getter<Job, Is>, Job&>> && ...);
}

template <class T>
concept hana_struct = std::is_class_v<T> && std::same_as<T, std::remove_cv_t<T>> && boost::hana::Struct<T>::value;

}  // namespace detail

/// A struct whose members are listed with `BOOST_HANA_ADAPT_STRUCT` or `BOOST_HANA_DEFINE_STRUCT`.
template <class T>
concept adapted = detail::hana_struct<T> &&
    detail::members_are_objects<T>(std::make_index_sequence<detail::member_count<T>>{});

/// Adapted member number `I` of `Job`, counted from 0 in the order in which the members are listed.
template <adapted Job, std::size_t I>
struct member {
    using type = std::remove_reference_t<std::invoke_result_t<detail::member_getter<Job, I>, Job&>>;

    static constexpr std::string_view name{detail::member_name<Job, I>::c_str()};

    static constexpr auto& get(Job& job) noexcept { return detail::member_getter<Job, I>{}(job); }
    static constexpr auto& get(const Job& job) noexcept { return detail::member_getter<Job, I>{}(job); }
};

namespace detail {

template <class Job, class Indexes>
struct member_pack;
template <class Job, std::size_t... Is>
struct member_pack<Job, std::index_sequence<Is...>> {
    using type = type_list<member<Job, Is>...>;
};

}  // namespace detail

/// All adapted members of `Job`: `detail::type_list<member<Job, 0>, member<Job, 1>, ...>`.
template <adapted Job>
using members_of = typename detail::member_pack<Job, std::make_index_sequence<detail::member_count<Job>>>::type;

}  // namespace pgq
