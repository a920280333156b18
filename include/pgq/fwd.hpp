#pragma once

namespace pgq {

template <class Job>
struct job_traits;

/// How a type that is a member of a payload is written and read. Specialize it for a type of one's own:
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
/// `write` writes exactly one value. `read` sets all of its argument, or says by `fail` why it cannot and returns
/// false. One that is made of other types names them, `using parts = pgq::detail::type_list<...>`, so that they are
/// checked too.
template <class T>
struct codec;

namespace serializer {

class json_writer;
class json_value;

}  // namespace serializer

}  // namespace pgq
