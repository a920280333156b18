#pragma once

#include <pgq/detail/utf8.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Text of others on a terminal: how wide it is, and what of it must not get there.
namespace pgq::cli {

struct code_range {
    char32_t first;
    char32_t last;
};

/// Whether a terminal obeys the character, or shows the text around it in another order.
constexpr bool is_control(char32_t c) noexcept {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

/// How many columns of a terminal the character takes.
inline int width_of(char32_t c) noexcept {
    static constexpr std::array zero{
        code_range{0x0300, 0x036F}, code_range{0x0483, 0x0489},  code_range{0x0591, 0x05BD}, code_range{0x0610, 0x061A},
        code_range{0x064B, 0x065F}, code_range{0x0E34, 0x0E3A},  code_range{0x0E47, 0x0E4E}, code_range{0x1AB0, 0x1AFF},
        code_range{0x1DC0, 0x1DFF}, code_range{0x200B, 0x200D},  code_range{0x20D0, 0x20FF}, code_range{0xFE00, 0xFE0F},
        code_range{0xFE20, 0xFE2F}, code_range{0xE0100, 0xE01EF}};
    static constexpr std::array wide{
        code_range{0x1100, 0x115F},   code_range{0x2E80, 0x303E},   code_range{0x3041, 0x4DBF},
        code_range{0x4E00, 0xA4CF},   code_range{0xA960, 0xA97F},   code_range{0xAC00, 0xD7A3},
        code_range{0xF900, 0xFAFF},   code_range{0xFE30, 0xFE6F},   code_range{0xFF00, 0xFF60},
        code_range{0xFFE0, 0xFFE6},   code_range{0x1F300, 0x1F64F}, code_range{0x1F680, 0x1F6FF},
        code_range{0x1F900, 0x1F9FF}, code_range{0x20000, 0x3FFFD}};
    const auto has = [c](const auto& ranges) {
        return std::any_of(ranges.begin(), ranges.end(), [c](code_range r) { return c >= r.first && c <= r.last; });
    };
    return has(zero) ? 0 : has(wide) ? 2 : 1;
}

/// Calls `f(character, its bytes)` for each character; invalid bytes are U+FFFD.
template <class F>
void each_character(std::string_view text, F f) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";
    while (!text.empty()) {
        const auto [bytes, valid] = detail::utf8_front(text);
        const std::string_view here = valid ? text.substr(0, bytes) : replacement;
        const auto lead = static_cast<unsigned char>(here[0]);
        char32_t c = here.size() == 1 ? lead : lead & (0x7FU >> here.size());
        for (std::size_t i = 1; i < here.size(); ++i) c = c << 6 | (static_cast<unsigned char>(here[i]) & 0x3FU);
        f(c, here);
        text.remove_prefix(bytes);
    }
}

inline std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    each_character(text, [&](char32_t c, std::string_view) { width += static_cast<std::size_t>(width_of(c)); });
    return width;
}

/// `prefix` and the number of the character in at least `digits` hexadecimal digits.
inline std::string hexadecimal(std::string_view prefix, char32_t c, std::size_t digits) {
    std::string number;
    for (; c != 0 || number.size() < digits; c >>= 4) number.insert(0, 1, "0123456789abcdef"[c & 15]);
    return std::string{prefix} + number;
}

/// The text without control characters: "\n", "\x1b", "\u202e" stand for them.
inline std::string safe(std::string_view text) {
    std::string out;
    each_character(text, [&](char32_t c, std::string_view bytes) {
        if (!is_control(c)) out += bytes;
        else if (c == '\n') out += "\\n";
        else if (c == '\t') out += "\\t";
        else out += c < 0x100 ? hexadecimal("\\x", c, 2) : hexadecimal("\\u", c, 4);
    });
    return out;
}

}  // namespace pgq::cli
