#include "request.hpp"

#include <pgq/detail/json_text.hpp>
#include <pgq/detail/utf8.hpp>

#include <cstddef>

namespace pgq::web {

namespace {

std::string quoted(std::string_view text) {
    std::string out;
    (void)detail::json_text::append_quoted(out, detail::make_storable(text, 4096));
    return out;
}

std::optional<unsigned> hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

std::optional<std::string> decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] == '%') {
            if (i + 2 >= text.size()) return std::nullopt;
            const auto high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
            if (!high || !low) return std::nullopt;
            out += static_cast<char>(*high << 4 | *low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    if (!detail::is_storable_text(out)) return std::nullopt;
    return out;
}

}  // namespace

response error_response(unsigned status, std::string_view message, std::string_view hint) {
    response r{.status = status};
    r.body = R"({"error":{"message":)" + quoted(message) + R"(,"hint":)" + quoted(hint) + "}}";
    return r;
}

std::string_view request_target::get(std::string_view name) const noexcept {
    for (const auto& [key, value] : query)
        if (key == name) return value;
    return {};
}

std::optional<request_target> parse_target(std::string_view target) {
    if (!target.starts_with('/')) return std::nullopt;
    const auto mark = target.find('?');
    request_target out{.path = std::string{target.substr(0, mark)}};
    if (mark == std::string_view::npos) return out;
    std::string_view rest = target.substr(mark + 1);
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const std::string_view part = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        if (part.empty()) continue;
        const auto equals = part.find('=');
        auto name = decode(part.substr(0, equals));
        auto value = decode(equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1));
        if (!name || !value) return std::nullopt;
        out.query.emplace_back(std::move(*name), std::move(*value));
    }
    return out;
}

}  // namespace pgq::web
