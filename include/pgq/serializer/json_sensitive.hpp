#pragma once

#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/json_codec.hpp>

namespace pgq {

/// As the value itself, but only where all of it is encrypted afterwards: elsewhere the queue was refused already, unless
/// the value is hidden in a codec that does not name its `parts`. An error says that it was this value, and no more.
template <class T>
struct codec<sensitive<T>> {
    using parts = detail::type_list<T>;

    static void write(const sensitive<T>& value, serializer::json_writer& out) {
        if (!out.reveals()) return out.fail("a sensitive value, and nothing encrypts it");
        serializer::encode(value.reveal(), out);
        if (out.failed()) out.redact();
    }
    static bool read(serializer::json_value in, sensitive<T>& out) {
        return serializer::decode(in, out.reveal()) || in.redact();
    }
};

}  // namespace pgq
