#pragma once

#include <pgq/serializer/json.hpp>

namespace pgq::cli {

/// The serializer that decorators such as `encrypted` stand around.
template <class Serializer>
struct innermost {
    using type = Serializer;
};
template <class Serializer>
    requires requires { typename Serializer::inner_serializer; }
struct innermost<Serializer> : innermost<typename Serializer::inner_serializer> {};

/// What people write and read in place of a payload: JSON of the same members. A serializer names it `as_text`; for any
/// other, such as `raw`, it is the JSON of the adapted members.
template <class Serializer, serializer::json_options Options, class Secrets>
struct text_form {
    using type = serializer::basic_json<Options, Secrets>;
};
template <class Serializer, serializer::json_options Options, class Secrets>
    requires requires { typename innermost<Serializer>::type::template as_text<Options, Secrets>; }
struct text_form<Serializer, Options, Secrets> {
    using type = typename innermost<Serializer>::type::template as_text<Options, Secrets>;
};

/// For a job that a person writes: each member must be one of the type, and none may be missing.
inline constexpr serializer::json_options strict_json{.missing = serializer::if_missing::fail,
                                                      .unknown = serializer::if_unknown::fail};
/// The same, but a missing member has its default.
inline constexpr serializer::json_options partial_json{.unknown = serializer::if_unknown::fail};

template <class Serializer, serializer::json_options Options>
using written_form = typename text_form<Serializer, Options, serializer::detail::reveals>::type;
/// For a job that a person reads: "***" stands for sensitive members.
template <class Serializer>
using shown_form = typename text_form<Serializer, serializer::json_options{}, serializer::detail::masks>::type;

}  // namespace pgq::cli
