#pragma once

#include <pgq/concept/serializer.hpp>

namespace pgq::serializer::detail {

// Whether a serializer writes `sensitive` values. Only `encrypted` asks for that, by `revealing`.
struct conceals {};
struct reveals {};

/// What a serializer becomes inside of one that encrypts: its `revealing`, when it makes a difference to it.
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

/// The part of a decorator that a queue's checks look at: what `Inner` says, unless the decorator says otherwise. One that
/// is to be put inside of `encrypted` names its own `revealing`, around that of `Inner`.
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

    /// Lanes are named by the versions of a queue's own serializer; one inside of another would be overlooked.
    static constexpr bool hides_versions = requires { requires Inner::keeps_versions; };
    static constexpr bool encrypts = encrypting_serializer<Inner>;
    static constexpr serializer_flaw flaw = flaw_of<Inner>;

    static constexpr bool by_members = requires { requires Inner::by_members; };
    template <class Job>
    static constexpr bool writes_whole = inner_writes_whole<Job>();
    template <class T>
    static constexpr bool supports_member = inner_supports_member<T>();
    template <class Job>
    static constexpr bool supports_job = inner_supports_job<Job>();
};

}  // namespace pgq::serializer::detail
