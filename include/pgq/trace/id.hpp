#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pgq::trace {
namespace detail {

/// The value of a lower-case hexadecimal digit, or -1. W3C Trace Context allows no other digits.
constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}
constexpr std::optional<std::uint8_t> read_byte(std::string_view two) noexcept {
    const int high = hex_value(two[0]), low = hex_value(two[1]);
    if (high < 0 || low < 0) return std::nullopt;
    return static_cast<std::uint8_t>(high * 16 + low);
}
constexpr void write_byte(std::uint8_t value, char* out) noexcept {
    constexpr char digits[] = "0123456789abcdef";
    out[0] = digits[value / 16];
    out[1] = digits[value % 16];
}

}  // namespace detail

/// An identifier of `Bytes` bytes. All zero means that there is none.
template <std::size_t Bytes>
struct id {
    static constexpr std::size_t digits = 2 * Bytes;

    std::array<std::uint8_t, Bytes> bytes{};

    constexpr bool is_set() const noexcept { return *this != id{}; }
    friend constexpr bool operator==(const id&, const id&) = default;

    /// Reads exactly `digits` lower-case hexadecimal digits. Nullopt for any other text, and for zeros only.
    static constexpr std::optional<id> parse(std::string_view text) noexcept {
        if (text.size() != digits) return std::nullopt;
        id read;
        for (std::size_t i = 0; i < Bytes; ++i) {
            const auto byte = detail::read_byte(text.substr(2 * i, 2));
            if (!byte) return std::nullopt;
            read.bytes[i] = *byte;
        }
        if (!read.is_set()) return std::nullopt;
        return read;
    }
    /// Writes `digits` characters.
    constexpr void write(char* out) const noexcept {
        for (std::size_t i = 0; i < Bytes; ++i) detail::write_byte(bytes[i], out + 2 * i);
    }
    constexpr std::array<char, digits> text() const noexcept {
        std::array<char, digits> all{};
        write(all.data());
        return all;
    }
};

/// Identifies a trace: the spans of one request through all programs.
using trace_id = id<16>;
/// Identifies a span of a trace.
using span_id = id<8>;

}  // namespace pgq::trace
