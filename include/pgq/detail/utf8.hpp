#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace pgq::detail {

/// One step through a text: how many bytes it takes, and whether they are one valid character.
struct utf8_step {
    std::size_t bytes = 0;
    bool valid = false;
};

/// Reads the first character of `text`, which must not be empty. If it is invalid, the step covers the bytes that could
/// have begun a character. So a truncated character gets one replacement, and the next character is found.
constexpr utf8_step utf8_front(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {1, true};
    if (lead < 0xC2 || lead > 0xF4) return {1, false};  // a continuation byte, an overlong form, or above U+10FFFF
    const std::size_t length = lead < 0xE0 ? 2u : lead < 0xF0 ? 3u : 4u;
    // The range of the second byte excludes overlong forms (E0, F0), surrogates (ED) and what is above U+10FFFF (F4).
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (std::size_t i = 1; i < length; ++i) {
        if (i == text.size() || byte(i) < low || byte(i) > high) return {i, false};
        low = 0x80;
        high = 0xBF;
    }
    return {length, true};
}

/// Counts the ASCII bytes at the front of `text`, eight at a time. The answer may be up to seven bytes too small.
inline std::size_t ascii_run(std::string_view text) noexcept {
    std::size_t n = 0;
    for (std::uint64_t eight = 0; n + sizeof eight <= text.size(); n += sizeof eight) {
        std::memcpy(&eight, text.data() + n, sizeof eight);
        if ((eight & 0x8080808080808080u) != 0) break;
    }
    return n;
}

constexpr bool is_valid_utf8(std::string_view text) noexcept {
    while (true) {
        if (!std::is_constant_evaluated()) text.remove_prefix(ascii_run(text));
        // After a short ASCII run, single steps are cheaper than another call of ascii_run.
        for (int i = 0; i < 8; ++i) {
            if (text.empty()) return true;
            const auto [bytes, valid] = utf8_front(text);
            if (!valid) return false;
            text.remove_prefix(bytes);
        }
    }
}

/// Whether a column of type `text` can store it: valid UTF-8 without a zero byte.
constexpr bool is_storable_text(std::string_view text) noexcept {
    return text.find('\0') == std::string_view::npos && is_valid_utf8(text);
}

/// Makes a text that a column of type `text` can store, of at most `max_bytes` bytes. Invalid characters become U+FFFD
/// and zero bytes become U+2400. A text that is too long is cut between two characters. If `max_bytes` leaves room for
/// it, a note at the end says how many bytes of the original are missing.
inline std::string make_storable(std::string_view text, std::size_t max_bytes) {
    if (text.size() <= max_bytes && is_storable_text(text)) return std::string{text};

    const auto note = [](std::size_t left_out) {
        return "\xE2\x80\xA6 (" + std::to_string(left_out) + " bytes left out)";
    };
    const std::size_t longest_note = note(text.size()).size();
    const bool has_note = longest_note <= max_bytes;
    const std::size_t room = has_note ? max_bytes - longest_note : max_bytes;

    std::string out;
    out.reserve(std::min(max_bytes, text.size() + text.size() / 8));
    std::size_t cut_out = 0;  // where to cut the output and the input if the whole text does not fit
    std::size_t cut_in = 0;
    for (std::size_t in = 0; in < text.size();) {
        const auto [bytes, valid] = utf8_front(text.substr(in));
        std::string_view character = valid ? text.substr(in, bytes) : std::string_view{"\xEF\xBF\xBD"};
        if (character == std::string_view{"\0", 1}) character = "\xE2\x90\x80";
        if (out.size() + character.size() > max_bytes) {
            out.resize(cut_out);
            return has_note ? out + note(text.size() - cut_in) : out;
        }
        out += character;
        in += bytes;
        if (out.size() <= room) {
            cut_out = out.size();
            cut_in = in;
        }
    }
    return out;
}

}  // namespace pgq::detail
