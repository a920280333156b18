#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace pgq::detail {

/// One step through text: how many bytes it takes and whether they are one character.
struct utf8_step {
    std::size_t bytes = 0;
    bool valid = false;
};

/// Looks at the front of `text`, which is not empty. What is not a character is as long as the part that could have
/// begun one, so that a broken character becomes one replacement and the next one is found again.
inline utf8_step utf8_front(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {1, true};
    if (lead < 0xC2 || lead > 0xF4) return {1, false};  // a stray trailing byte, overlong, or beyond U+10FFFF
    const std::size_t length = lead < 0xE0 ? 2u : lead < 0xF0 ? 3u : 4u;
    // The second byte alone tells overlong forms (E0, F0), surrogates (ED) and what lies beyond U+10FFFF (F4).
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (std::size_t i = 1; i < length; ++i) {
        if (i == text.size() || byte(i) < low || byte(i) > high) return {i, false};
        low = 0x80;
        high = 0xBF;
    }
    return {length, true};
}

/// How many bytes at the front of `text` are ASCII, looked at eight at a time; may say fewer than there are, by at
/// most seven.
inline std::size_t ascii_run(std::string_view text) noexcept {
    std::size_t n = 0;
    for (std::uint64_t eight = 0; n + sizeof eight <= text.size(); n += sizeof eight) {
        std::memcpy(&eight, text.data() + n, sizeof eight);
        if ((eight & 0x8080808080808080u) != 0) break;
    }
    return n;
}

inline bool is_valid_utf8(std::string_view text) noexcept {
    while (true) {
        text.remove_prefix(ascii_run(text));
        // After a short ASCII run single steps are cheaper than looking for the next run at once.
        for (int i = 0; i < 8; ++i) {
            if (text.empty()) return true;
            const auto [bytes, valid] = utf8_front(text);
            if (!valid) return false;
            text.remove_prefix(bytes);
        }
    }
}

/// Whether a `text` column takes it: valid UTF-8 without a zero byte.
inline bool is_storable_text(std::string_view text) noexcept {
    return text.find('\0') == std::string_view::npos && is_valid_utf8(text);
}

/// The text in a form that a `text` column takes, in at most `max_bytes`: broken characters become U+FFFD, zero bytes
/// U+2400. What is too long is cut between two characters and says how much of the original is missing, where there is
/// room to say it.
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
    std::size_t cut_out = 0;  // where to cut both texts, should the whole not fit
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
