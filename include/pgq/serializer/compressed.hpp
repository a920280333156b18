#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/error/result.hpp>
#include <pgq/serializer/decorator.hpp>

#include <zstd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>

namespace pgq::serializer {

/// Settings of `compressed`: `compressed<json, compression_options{.min_bytes = 2000}>`.
struct compression_options {
    std::size_t min_bytes = 512;  ///< shorter payloads are not compressed
    int level = 1;                ///< the Zstandard level: a higher one is smaller and slower, one below 0 is faster
    std::size_t max_bytes = 16U << 20U;  ///< before compression: a larger payload is neither written nor read
};

namespace detail {

// The first byte of a payload says how the rest is stored.
enum class compression : char { none = 0, zstd = 1 };

struct free_zstd {
    void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
    void operator()(ZSTD_DCtx* d) const noexcept { ZSTD_freeDCtx(d); }
};

/// The Zstandard context of this thread, created at its first use.
inline ZSTD_CCtx* compressor() {
    thread_local const std::unique_ptr<ZSTD_CCtx, free_zstd> mine{ZSTD_createCCtx()};
    if (!mine) throw std::bad_alloc{};
    return mine.get();
}
inline ZSTD_DCtx* decompressor() {
    thread_local const std::unique_ptr<ZSTD_DCtx, free_zstd> mine{ZSTD_createDCtx()};
    if (!mine) throw std::bad_alloc{};
    return mine.get();
}

inline error_info too_large_to_compress() {
    return {errc::payload_too_large, "the payload is larger than compression_options::max_bytes before compression",
            "enqueue a reference to the data, or raise max_bytes in producers and workers"};
}
inline error_info not_compressed_by_us() {
    return {errc::invalid_payload, "the payload was not written by serializer::compressed, or a later version wrote it",
            "use the same serializer in the producer and in this worker"};
}
inline error_info does_not_decompress() {
    return {errc::invalid_payload, "the payload cannot be decompressed: a part is missing or was changed",
            "enqueue the job again"};
}

/// Compresses the bytes of `out` from index `from` to its end, in place. Returns false, and changes nothing, if that
/// does not make them smaller.
inline bool compress_tail(std::string& out, std::size_t from, int level) {
    const std::size_t whole = out.size() - from;
    thread_local std::string buffer;
    buffer.resize(ZSTD_compressBound(whole));
    const auto size = ZSTD_compressCCtx(compressor(), buffer.data(), buffer.size(), out.data() + from, whole, level);
    const bool smaller = !ZSTD_isError(size) && size < whole;
    if (smaller) out.replace(from, whole, buffer, 0, size);
    if (buffer.capacity() > (1U << 20U)) std::string{}.swap(buffer);  // a thread keeps at most 1 MiB
    return smaller;
}

/// The frame starts with the size of its contents. The size is checked before memory is allocated.
inline result<void> decompress(std::string_view frame, std::size_t max_bytes, std::string& out) {
    const auto size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) return does_not_decompress();
    if (size > max_bytes) return too_large_to_compress();
    out.resize(static_cast<std::size_t>(size));
    const auto got = ZSTD_decompressDCtx(decompressor(), out.data(), out.size(), frame.data(), frame.size());
    if (ZSTD_isError(got) || got != size) return does_not_decompress();
    return {};
}

}  // namespace detail

/// Compresses the payloads of `Inner` with Zstandard. A payload below `min_bytes` is not compressed, nor is one that
/// compression does not make smaller. Each payload gets one more byte, which says whether it is compressed.
///
/// If a payload cannot be decompressed, reading returns errc::invalid_payload and the job is held. If a payload
/// declares more than `max_bytes`, reading returns errc::payload_too_large and allocates no memory. Each thread keeps a
/// Zstandard context and at most 1 MiB of buffer.
///
/// Compress first, then encrypt: `encrypted<compressed<json>, Keys>`. The reverse order is a compile error, because
/// encrypted bytes cannot be compressed. The length of a payload shows how well it compressed, also after encryption.
template <class Inner, compression_options Options = compression_options{}>
class compressed : public detail::decorator<Inner> {
    static_assert(Options.level <= 19, "pgq: compression_options::level is above 19. Use less: more is for archives.");

public:
    static constexpr compression_options options = Options;
    static constexpr serializer_error flaw = serializer_error_of<Inner> != serializer_error::none
                                                 ? serializer_error_of<Inner>
                                             : encrypting_serializer<Inner> ? serializer_error::compresses_ciphertext
                                                                            : serializer_error::none;

    /// This serializer inside `encrypted`.
    using revealing = compressed<detail::revealing_t<Inner>, Options>;

    template <class Job>
        requires can_write<Inner, Job> result<void> write(const Job& job, std::string& out)
    const {
        const std::size_t mark = out.size();
        out += static_cast<char>(detail::compression::none);
        if (auto written = Inner{}.write(job, out); !written) return written;
        const std::size_t size = out.size() - mark - 1;
        if (size > Options.max_bytes) return detail::too_large_to_compress();
        if (size >= Options.min_bytes && detail::compress_tail(out, mark + 1, Options.level))
            out[mark] = static_cast<char>(detail::compression::zstd);
        return {};
    }

    template <class Job>
        requires can_read<Inner, Job> result<void> read(std::string_view body, Job& job)
    const {
        if (body.empty()) return detail::not_compressed_by_us();
        const std::string_view rest = body.substr(1);
        switch (static_cast<detail::compression>(body.front())) {
        case detail::compression::none:
            if (rest.size() > Options.max_bytes) return detail::too_large_to_compress();
            return Inner{}.read(rest, job);
        case detail::compression::zstd: {
            std::string plain;
            if (auto d = detail::decompress(rest, Options.max_bytes, plain); !d) return d;
            return Inner{}.read(plain, job);
        }
        }
        return detail::not_compressed_by_us();
    }
};

}  // namespace pgq::serializer
