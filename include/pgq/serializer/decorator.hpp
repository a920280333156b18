#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/serializer/json/secret_values.hpp>

#include <concepts>

namespace pgq::serializer::detail {

// What a serializer does with `sensitive` values. Only `encrypted` selects `reveals`, through the type `revealing`.
// Code that shows jobs to people selects `masks`.
struct conceals {};
struct reveals {};
struct masks {};

template <class Secrets>
inline constexpr secret_values secret_values_of = std::same_as<Secrets, reveals> ? secret_values::reveal
                                                  : std::same_as<Secrets, masks> ? secret_values::mask
                                                                                 : secret_values::conceal;

/// The form of a serializer inside `encrypted`: its member type `revealing`, or the serializer itself if it has none.
template <class Inner>
struct revealing {
    using type = Inner;
};
template <class Inner>
    requires requires { typename Inner::revealing; }
struct revealing<Inner> {
    using type = typename Inner::revealing;
};
template <class Inner>
using revealing_t = typename revealing<Inner>::type;

/// The base of serializer decorators. It has the constants that a queue checks at compile time, with the values of
/// `Inner`; a decorator redefines those that differ. A decorator that may be used inside `encrypted` defines its own
/// `revealing`, which wraps the one of `Inner`.
template <class Inner>
class decorator {
    template <class T>
    static consteval bool inner_supports_member() {
        if constexpr (requires { Inner::template supports_member<T>; }) return Inner::template supports_member<T>;
        else return true;
    }
    template <class Job>
    static consteval bool inner_supports_job() {
        if constexpr (requires { Inner::template supports_job<Job>; }) return Inner::template supports_job<Job>;
        else return true;
    }
    template <class Job>
    static consteval bool inner_writes_whole() {
        if constexpr (requires { Inner::template writes_whole<Job>; }) return Inner::template writes_whole<Job>;
        else return false;
    }

public:
    using policy_category = serializer_tag;
    using inner_serializer = Inner;

    /// A lane's name contains the version only if `versioned` is the outermost serializer. If it is inside another one,
    /// the version is lost.
    static constexpr bool hides_versions = requires { requires Inner::keeps_versions; };
    static constexpr bool encrypts = encrypting_serializer<Inner>;
    static constexpr serializer_error flaw = serializer_error_of<Inner>;

    static constexpr bool by_members = requires { requires Inner::by_members; };
    template <class Job>
    static constexpr bool writes_whole = inner_writes_whole<Job>();
    template <class T>
    static constexpr bool supports_member = inner_supports_member<T>();
    template <class Job>
    static constexpr bool supports_job = inner_supports_job<Job>();
};

}  // namespace pgq::serializer::detail
