#include "credentials.hpp"

#include <pgq/error/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace pgq::web {

namespace {

constexpr std::size_t shortest_token = 16, shortest_password = 8;

std::string_view line_of(std::string_view& text) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

bool is_word(std::string_view text, std::string_view word) noexcept {  // in any case
    return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

std::optional<std::string> decode_base64(std::string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const auto value = digits.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out += static_cast<char>(bits >> count & 0xFF);
    }
    return out;
}

}  // namespace

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
    // Of a shorter secret the bytes are compared again: the time depends on the length of `a`, what the client sent.
    std::size_t differs = a.size() ^ b.size();
    for (std::size_t i = 0; i < a.size(); ++i) {
        const char other = b.empty() ? '\0' : b[i % b.size()];
        differs |= static_cast<unsigned char>(a[i] ^ other);
    }
    return differs == 0;
}

void credentials::add_token(std::string_view text) {
    token_ = std::string{line_of(text)};
    if (token_.size() < shortest_token)
        throw failure{error_info{errc::invalid_option, "the token has less than 16 bytes", "use a longer one"}};
}

void credentials::add_users(std::string_view text) {
    while (!text.empty()) {
        const std::string_view line = line_of(text);
        if (line.empty() || line.starts_with('#')) continue;
        const auto colon = line.find(':');
        if (colon == 0 || colon == std::string_view::npos || line.size() - colon - 1 < shortest_password)
            throw failure{error_info{errc::invalid_option, "a line of the users is not NAME:PASSWORD",
                                     "write one user a line, with a password of at least 8 bytes"}};
        users_.push_back({std::string{line.substr(0, colon)}, std::string{line.substr(colon + 1)}});
    }
}

bool is_bearer(std::string_view authorization) noexcept {
    const auto space = authorization.find(' ');
    return space != std::string_view::npos && is_word(authorization.substr(0, space), "bearer");
}

std::optional<std::string> credentials::user_of(std::string_view authorization) const {
    const auto space = authorization.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const std::string_view scheme = authorization.substr(0, space);
    std::string_view value = authorization.substr(space + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    if (is_bearer(authorization))
        return !token_.empty() && equal_in_constant_time(value, token_) ? std::optional<std::string>{"token"}
                                                                        : std::nullopt;
    if (!is_word(scheme, "basic")) return std::nullopt;
    const auto pair = decode_base64(value);
    const auto colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) return std::nullopt;
    const std::string_view name = std::string_view{*pair}.substr(0, colon);
    const std::string_view password = std::string_view{*pair}.substr(colon + 1);
    bool known = false;  // no early exit: the time does not say which user exists
    for (const user& u : users_) {
        const bool same_name = equal_in_constant_time(name, u.name);
        const bool same_password = equal_in_constant_time(password, u.password);
        known |= same_name & same_password;
    }
    if (!token_.empty()) known |= equal_in_constant_time(password, token_);
    return known ? std::optional{std::string{name}} : std::nullopt;
}

}  // namespace pgq::web
