#include "guard.hpp"

#include <algorithm>
#include <cstddef>

namespace pgq::web {

namespace {

bool is_digits(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_address(std::string_view name) noexcept {
    if (name.starts_with('[')) return name.ends_with(']');
    std::size_t dots = 0;
    for (const char c : name) {
        if (c == '.') ++dots;
        else if (c < '0' || c > '9') return false;
    }
    return dots == 3;
}

bool is_known_host(std::string_view host, const site_rules& rules) {
    const std::string name = host_name(host);
    if (name.empty()) return false;
    if (rules.any_address && is_address(name)) return true;
    return std::find(rules.hosts.begin(), rules.hosts.end(), name) != rules.hosts.end();
}

/// "https://name:port" and "name:port" are the same place. A proxy may end TLS, so the scheme does not count.
bool is_same_origin(const request& r) {
    if (!r.fetch_site.empty()) return r.fetch_site == "same-origin";
    const auto slashes = r.origin.find("://");
    return slashes != std::string::npos && std::string_view{r.origin}.substr(slashes + 3) == r.host;
}

bool is_json(std::string_view content_type) noexcept {
    content_type = content_type.substr(0, content_type.find(';'));
    while (content_type.ends_with(' ')) content_type.remove_suffix(1);
    return content_type == "application/json";
}

}  // namespace

bool is_loopback(std::string_view address) noexcept {
    return address == "::1" || address == "localhost" || (address.starts_with("127.") && is_address(address));
}

std::string host_name(std::string_view host) {
    std::size_t end = host.starts_with('[') ? host.find(']') : host.find(':');
    if (host.starts_with('[')) {
        if (end == std::string_view::npos) return {};
        ++end;
    }
    const std::string_view port = end >= host.size() ? std::string_view{} : host.substr(end);
    if (!port.empty() && (port[0] != ':' || !is_digits(port.substr(1)))) return {};
    std::string name{host.substr(0, end)};
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return name;
}

std::optional<response> refuse(const request& r, const site_rules& rules) {
    if (!is_known_host(r.host, rules))
        return error_response(421, "this server does not answer to the host name of the request",
                              "start pgq web with --allow-host NAME");
    if (!rules.users.empty() && !rules.users.user_of(r.authorization)) {
        auto answer = error_response(401, "the request has no credentials, or wrong ones");
        answer.headers.emplace_back("WWW-Authenticate", R"(Basic realm="pgq", charset="UTF-8")");
        return answer;
    }
    if (r.verb == method::other) {
        auto answer = error_response(405, "the method is none of GET, HEAD and POST");
        answer.headers.emplace_back("Allow", "GET, HEAD, POST");
        return answer;
    }
    if (r.verb != method::post) return std::nullopt;
    const bool is_program = !rules.users.empty() && is_bearer(r.authorization);  // no other site can make one do it
    if (!is_program && !is_same_origin(r))
        return error_response(403, "the request does not say that it comes from this site",
                              "a program sends Authorization: Bearer, or Sec-Fetch-Site: same-origin");
    if (!is_json(r.content_type)) return error_response(415, "the body of a POST is application/json");
    return std::nullopt;
}

}  // namespace pgq::web
