#pragma once

#include <pgq/detail/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// Writes text as a JSON string: escapes it and checks that it is UTF-8.
namespace pgq::detail::json_text {

inline bool is_plain(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

// Tests eight bytes at once. Each term sets the high bit of a byte that needs attention: below 0x20, a quote, a
// backslash, or above 0x7F.
inline bool are_plain(std::uint64_t eight) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    constexpr std::uint64_t highs = ones * 0x80U;
    const auto zero_in = [](std::uint64_t x) { return (x - ones) & ~x; };
    const std::uint64_t control = (eight - ones * 0x20U) & ~eight;
    return ((control | zero_in(eight ^ (ones * '"')) | zero_in(eight ^ (ones * '\\')) | eight) & highs) == 0;
}

inline const char* skip_plain(const char* p, const char* end) noexcept {
    for (std::uint64_t eight = 0; end - p >= 8; p += 8) {
        std::memcpy(&eight, p, 8);
        if (!are_plain(eight)) break;
    }
    while (p != end && is_plain(*p)) ++p;
    return p;
}

inline void append_escape(std::string& out, char c) {
    constexpr const char* hex = "0123456789abcdef";
    switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
    }
    const auto byte = static_cast<unsigned char>(c);
    const char unicode[6] = {'\\', 'u', '0', '0', hex[byte >> 4U], hex[byte & 15U]};
    out.append(unicode, sizeof unicode);
}

/// Appends `text` with quotes. Returns false if it is not UTF-8; a part of it may have been appended.
inline bool append_quoted(std::string& out, std::string_view text) {
    out.push_back('"');
    const char* run = text.data();
    const char* const end = run + text.size();
    for (const char* p = skip_plain(run, end); p != end; p = skip_plain(p, end)) {
        if (static_cast<unsigned char>(*p) >= 0x80) {
            const auto [bytes, valid] = utf8_front({p, static_cast<std::size_t>(end - p)});
            if (!valid) return false;
            p += bytes;
            continue;
        }
        out.append(run, static_cast<std::size_t>(p - run));
        append_escape(out, *p);
        run = ++p;
    }
    if (run != end) out.append(run, static_cast<std::size_t>(end - run));
    out.push_back('"');
    return true;
}

}  // namespace pgq::detail::json_text
