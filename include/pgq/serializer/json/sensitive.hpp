#pragma once

#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/json/codec.hpp>

namespace pgq {

/// Written as the value itself, but only if the payload is encrypted afterwards. Otherwise the queue does not compile.
/// If the value is inside a codec that does not name its `parts`, the compiler cannot see it, and writing fails
/// instead. An error names the member and nothing inside it.
template <class T>
struct codec<sensitive<T>> {
    using parts = detail::type_list<T>;

    static void write(const sensitive<T>& value, serializer::json_writer& out) {
        if (out.masks()) return out.string(serializer::secret_mask);
        if (!out.reveals()) return out.fail("a sensitive value cannot be written without encryption");
        serializer::encode(value.reveal(), out);
        if (out.failed()) out.redact();
    }
    static bool read(serializer::json_value in, sensitive<T>& out) {
        return serializer::decode(in, out.reveal()) || in.redact();
    }
};

}  // namespace pgq
