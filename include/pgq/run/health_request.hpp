#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pgq::detail {

/// What the bytes that a client has sent so far ask for.
enum class health_request : std::uint8_t {
    incomplete,
    health,     // GET /healthz
    readiness,  // GET /readyz
    elsewhere,  // another target
    other_method,
    too_large,
    malformed,
};

/// Reads an HTTP/1 request up to the blank line behind its headers. Only the first line counts.
class health_request_reader {
public:
    static constexpr std::size_t max_bytes = 4096;

    static health_request read(std::string_view bytes) noexcept {
        const auto line_end = bytes.find('\n');
        if (line_end == std::string_view::npos)
            return bytes.size() >= max_bytes ? health_request::too_large : prefix(bytes);
        auto line = bytes.substr(0, line_end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        const auto what = read_line(line);
        if (what == health_request::malformed) return what;
        const auto headers = bytes.substr(line_end);
        if (headers.find("\n\r\n") != std::string_view::npos || headers.find("\n\n") != std::string_view::npos)
            return what;
        return bytes.size() >= max_bytes ? health_request::too_large : health_request::incomplete;
    }

private:
    static bool is_method(std::string_view s) noexcept {
        return !s.empty() && s.size() <= 16 &&
               std::all_of(s.begin(), s.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    }
    static bool is_target(std::string_view s) noexcept {
        return s.starts_with('/') && std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    }
    // A line that has not ended: bytes that are no beginning of a request are refused at once.
    static health_request prefix(std::string_view bytes) noexcept {
        const auto method = bytes.substr(0, bytes.find(' '));
        return bytes.empty() || is_method(method) ? health_request::incomplete : health_request::malformed;
    }
    static health_request read_line(std::string_view line) noexcept {
        const auto first = line.find(' ');
        const auto last = line.rfind(' ');
        if (first == std::string_view::npos || first == last) return health_request::malformed;
        const auto method = line.substr(0, first);
        auto target = line.substr(first + 1, last - first - 1);
        const auto version = line.substr(last + 1);
        if (!is_method(method) || !is_target(target) || (version != "HTTP/1.1" && version != "HTTP/1.0"))
            return health_request::malformed;
        if (method != "GET") return health_request::other_method;
        target = target.substr(0, target.find('?'));
        if (target == "/healthz") return health_request::health;
        if (target == "/readyz") return health_request::readiness;
        return health_request::elsewhere;
    }
};

/// The whole answer to a request. `json`: the body of answers about the health.
inline std::string health_response(health_request what, bool healthy, bool ready, std::string json) {
    const char* status = "400 Bad Request";
    bool about_health = false;
    switch (what) {
    case health_request::health:
        about_health = true;
        status = healthy ? "200 OK" : "503 Service Unavailable";
        break;
    case health_request::readiness:
        about_health = true;
        status = ready ? "200 OK" : "503 Service Unavailable";
        break;
    case health_request::elsewhere: status = "404 Not Found"; break;
    case health_request::other_method: status = "405 Method Not Allowed\r\nAllow: GET"; break;
    case health_request::too_large: status = "431 Request Header Fields Too Large"; break;
    default: break;
    }
    const std::string body = about_health ? std::move(json) + "\n" : std::string{};
    std::string out = "HTTP/1.1 ";
    out += status;
    if (about_health) out += "\r\nContent-Type: application/json";
    out += "\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size());
    out += "\r\n\r\n" + body;
    return out;
}

}  // namespace pgq::detail
