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

/// The limits are those of the serializer, if it has some.
template <class Serializer>
consteval serializer::json_options text_options(serializer::if_missing missing, serializer::if_unknown unknown) {
    using inner = typename innermost<Serializer>::type;
    serializer::json_options o{};
    if constexpr (requires { inner::options.max_depth; }) o.max_depth = inner::options.max_depth;
    if constexpr (requires { inner::options.max_bytes; }) o.max_bytes = inner::options.max_bytes;
    o.missing = missing;
    o.unknown = unknown;
    return o;
}

/// For a job that a person writes: each member must be one of the type.
template <class Serializer, serializer::if_missing Missing>
using written_form = typename text_form<Serializer, text_options<Serializer>(Missing, serializer::if_unknown::fail),
                                        serializer::detail::reveals>::type;
/// For a job that a person reads: "***" stands for sensitive members.
template <class Serializer>
using shown_form =
    typename text_form<Serializer,
                       text_options<Serializer>(serializer::if_missing::use_default, serializer::if_unknown::ignore),
                       serializer::detail::masks>::type;

}  // namespace pgq::cli
