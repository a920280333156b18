#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace pgq {

/// What pgq must know about a job type: its entrypoint. Add `static constexpr std::string_view entrypoint` to your own
/// type. For a type that you cannot change, specialize this template with the same member.
template <class Job>
struct job_traits {};

namespace detail {

template <class T>
concept names_entrypoint = requires {
    { T::entrypoint } -> std::convertible_to<std::string_view>;
};

// GCC reports a member of each object where it is used, also in a concept.
template <class T>
concept has_static_entrypoint = names_entrypoint<T> && requires {
    requires !std::is_member_pointer_v<decltype(&T::entrypoint)>;
};

// The size is a template argument, so this is false, and no error, if the compiler cannot read the name.
template <class T>
concept has_constant_entrypoint = has_static_entrypoint<T> && requires {
    typename std::integral_constant<std::size_t, std::string_view{T::entrypoint}.size()>;
};

}  // namespace detail

template <class Job>
    requires detail::has_constant_entrypoint<Job>
struct job_traits<Job> {
    static constexpr std::string_view entrypoint = Job::entrypoint;
};

template <class Job>
concept has_entrypoint = detail::has_constant_entrypoint<job_traits<Job>>;

namespace detail {

/// A type that has an entrypoint, but one that is not a constant.
template <class Job>
concept has_variable_entrypoint = !has_entrypoint<Job> && (names_entrypoint<Job> || names_entrypoint<job_traits<Job>>);

}  // namespace detail

/// The name under which the database stores jobs of this type.
template <has_entrypoint Job>
inline constexpr std::string_view entrypoint_of = job_traits<Job>::entrypoint;

/// The longest name of an entrypoint or a queue, in bytes.
inline constexpr std::size_t max_name_bytes = 255;

}  // namespace pgq
