#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// Base 64 with the standard alphabet and padding (RFC 4648, section 4).
namespace pgq::serializer::detail {

inline constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::uint32_t no_digit = 64;

inline constexpr auto base64_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::size_t i = 0; i < base64_digits.size(); ++i) {
        values[static_cast<unsigned char>(base64_digits[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}();

inline void append_base64(std::string& out, std::span<const std::byte> bytes) {
    out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
    const auto byte = [&](std::size_t i) { return i < bytes.size() ? static_cast<std::uint32_t>(bytes[i]) : 0U; };
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::uint32_t group = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
        out.push_back(base64_digits[group >> 18U]);
        out.push_back(base64_digits[group >> 12U & 63U]);
        out.push_back(i + 1 < bytes.size() ? base64_digits[group >> 6U & 63U] : '=');
        out.push_back(i + 2 < bytes.size() ? base64_digits[group & 63U] : '=');
    }
}

inline std::size_t base64_padding(std::string_view text) noexcept {
    if (text.ends_with("==")) return 2;
    return text.ends_with('=') ? 1 : 0;
}

/// The number of bytes that base 64 `text` encodes; 0 if its length is not a multiple of 4.
inline std::size_t base64_size(std::string_view text) noexcept {
    return text.size() % 4 == 0 ? text.size() / 4 * 3 - base64_padding(text) : 0;
}

/// Decodes `text` into `out`, whose size must be `base64_size(text)`. Returns false if `append_base64` could not have
/// written `text`.
template <class Out>
bool read_base64(std::string_view text, Out&& out) {
    if (text.size() % 4 != 0) return false;
    const std::size_t digits = text.size() - base64_padding(text);
    std::size_t at = 0;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        std::uint32_t group = 0;
        for (std::size_t k = i; k < i + 4; ++k) {
            const std::uint32_t value = k < digits ? base64_values[static_cast<unsigned char>(text[k])] : 0U;
            if (value == no_digit) return false;
            group = group << 6U | value;
        }
        for (const std::uint32_t shift : {16U, 8U, 0U}) {
            const auto byte = static_cast<std::byte>(group >> shift & 255U);
            if (at < out.size()) out[at++] = byte;
            else if (byte != std::byte{0}) return false;  // extra bits after the last byte: not canonical
        }
    }
    return true;
}

}  // namespace pgq::serializer::detail
