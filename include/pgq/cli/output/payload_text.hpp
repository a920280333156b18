#pragma once

#include <pgq/detail/utf8.hpp>

#include <boost/json/error.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/parser.hpp>

#include <cstddef>
#include <string>
#include <string_view>

/// Payloads for people, without their types.
namespace pgq::cli {

/// Whether the bytes can be those of `serializer::encrypted`: a version byte, the length of the key's id, the id, a
/// nonce, the ciphertext with its tag. Text cannot begin so.
inline bool is_encrypted(std::string_view body) noexcept {
    constexpr std::size_t nonce_and_tag = 24 + 16;
    if (body.size() < 2 || body[0] != 1) return false;
    const std::size_t id = static_cast<unsigned char>(body[1]);
    return id > 0 && body.size() >= 2 + id + nonce_and_tag;
}

/// Whether they are those of `serializer::compressed`, compressed with Zstandard.
inline bool is_compressed(std::string_view body) noexcept {
    return body.starts_with(std::string_view{"\x01\x28\xB5\x2F\xFD", 5});
}

inline bool is_json(std::string_view text) {
    if (text.empty() || !detail::is_valid_utf8(text)) return false;
    boost::json::error_code error;
    boost::json::parse_options options;
    options.max_depth = 500;
    boost::json::parser parser{{}, options};
    return parser.write(text, error) == text.size() && !error;
}

/// At most so many bytes, and how many there are if that is not all. It cuts between characters.
inline std::string cut(std::string_view text, std::size_t most) {
    if (text.size() <= most) return std::string{text};
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
    return std::string{text.substr(0, most)} + "... (" + std::to_string(text.size()) + " bytes)";
}

inline std::string hex_digits(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += "0123456789abcdef"[byte >> 4U];
        out += "0123456789abcdef"[byte & 15U];
    }
    return out;
}

inline std::string hex_text(std::string_view bytes, std::size_t most) {
    const std::string out = "\\x" + hex_digits(bytes.substr(0, most));
    return bytes.size() <= most ? out : out + "... (" + std::to_string(bytes.size()) + " bytes)";
}

/// JSON as it is, other bytes in hexadecimal digits as PostgreSQL writes them. Of an encrypted or a compressed payload
/// only what it is.
inline std::string payload_text(std::string_view body, std::size_t most) {
    if (is_compressed(body)) return "compressed, " + std::to_string(body.size()) + " bytes";
    if (is_encrypted(body)) return "encrypted, " + std::to_string(body.size()) + " bytes";
    // `serializer::compressed` puts a zero before what it has not compressed.
    const std::string_view plain = body.starts_with('\0') ? body.substr(1) : body;
    return is_json(plain) ? cut(plain, most) : hex_text(body, most);
}

}  // namespace pgq::cli
