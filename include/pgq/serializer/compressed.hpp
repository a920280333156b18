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
    std::size_t min_bytes = 512;         ///< shorter payloads stay as they are
    int level = 1;                       ///< of Zstandard: higher is smaller and slower, below 0 faster
    std::size_t max_bytes = 16U << 20U;  ///< of a payload before compression: a longer one is neither written nor read
};

namespace detail {

// The first byte of a payload.
enum class compression : char { none = 0, zstd = 1 };

struct free_zstd {
    void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
    void operator()(ZSTD_DCtx* d) const noexcept { ZSTD_freeDCtx(d); }
};

/// A thread's own working memory, made when it is first needed.
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
    return {errc::payload_too_large, "more bytes than compression_options::max_bytes before compression",
            "enqueue a reference to the data, or raise max_bytes in producers and workers"};
}
inline error_info not_compressed_by_us() {
    return {errc::invalid_payload, "the payload is not one of serializer::compressed, or by a later version of pgq",
            "let the producer write with the serializer that this worker reads with"};
}
inline error_info does_not_decompress() {
    return {errc::invalid_payload, "the payload does not decompress: a part is missing or was changed",
            "let the producer enqueue it again"};
}

/// Compresses what stands in `out` from `from` on, in the place of it; false when that does not make it smaller.
inline bool compress_tail(std::string& out, std::size_t from, int level) {
    const std::size_t whole = out.size() - from;
    thread_local std::string packed;
    packed.resize(ZSTD_compressBound(whole));
    const auto size = ZSTD_compressCCtx(compressor(), packed.data(), packed.size(), out.data() + from, whole, level);
    const bool smaller = !ZSTD_isError(size) && size < whole;
    if (smaller) out.replace(from, whole, packed, 0, size);
    if (packed.capacity() > (1U << 20U)) std::string{}.swap(packed);
    return smaller;
}

/// The size comes first, from the frame itself, and is looked at before any memory is taken.
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

/// What `Inner` writes, compressed with Zstandard when that makes it smaller. One byte in front says whether it did, so
/// short payloads cost no more than that.
///
/// What does not decompress is errc::invalid_payload, and the job is held. What claims to be larger than `max_bytes` is
/// errc::payload_too_large before any memory is taken for it. Each thread keeps some working memory of Zstandard.
///
/// Encrypt what was compressed, `encrypted<compressed<json>, Keys>`; the other way round is a compile error, because
/// what is encrypted does not compress. How well a payload compressed shows in its length, encrypted or not.
template <class Inner, compression_options Options = compression_options{}>
class compressed : public detail::decorator<Inner> {
    static_assert(Options.level <= 19, "pgq: compression_options::level is above 19. Use less: more is for archives.");

public:
    static constexpr compression_options options = Options;
    static constexpr serializer_flaw flaw = flaw_of<Inner> != serializer_flaw::none ? flaw_of<Inner>
                                            : encrypting_serializer<Inner> ? serializer_flaw::compresses_ciphertext
                                                                           : serializer_flaw::none;

    /// Inside of one that encrypts.
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
