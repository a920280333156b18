#pragma once

#include <pgq/detail/require_cxx20.hpp>

namespace pgq {

template <class Job>
struct job_traits;

/// Says how a type that is a member of a payload is written and read. Specialize it for your own type:
///
///     template <>
///     struct pgq::codec<app::color> {
///         static void write(const app::color& c, pgq::serializer::json_writer& out) { out.string(c.name()); }
///         static bool read(pgq::serializer::json_value in, app::color& c) {
///             if (!in.is_string()) return in.expected("a string");
///             return c.assign(in.text()) || in.fail("expected the name of a color");
///         }
///     };
///
/// `write` must write exactly one value. `read` must set its whole argument and return true, or call `fail` with a
/// reason and return false. A codec of a type that contains other types lists them, so that they are checked too:
/// `using parts = pgq::detail::type_list<...>`.
template <class T>
struct codec;

namespace serializer {

class json_writer;
class json_value;

}  // namespace serializer

}  // namespace pgq
