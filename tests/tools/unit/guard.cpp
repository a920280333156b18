#include "guard.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace {

using namespace pgq::web;

site_rules local() { return {.hosts = {"localhost", "127.0.0.1", "[::1]"}}; }

unsigned status(const request& r, const site_rules& rules = local()) {
    const auto no = refuse(r, rules);
    return no ? no->status : 200;
}

request post(std::string origin, std::string fetch_site, std::string type = "application/json") {
    return {.verb = method::post,
            .host = "localhost:8080",
            .origin = std::move(origin),
            .fetch_site = std::move(fetch_site),
            .content_type = std::move(type)};
}

}  // namespace

TEST_CASE("a host is a name and perhaps a port", "[web][guard]") {
    CHECK(host_name("LocalHost") == "localhost");
    CHECK(host_name("localhost:8080") == "localhost");
    CHECK(host_name("[::1]:8080") == "[::1]");
    CHECK(host_name("[::1]") == "[::1]");
    for (const char* wrong : {"", "[::1", "localhost:", "localhost:x", "localhost:80:80", "[::1]x", ":80"})
        CHECK(host_name(wrong).empty());
}

TEST_CASE("only addresses of this machine are loopback", "[web][guard]") {
    for (const char* yes : {"127.0.0.1", "127.1.2.3", "::1", "localhost"}) CHECK(is_loopback(yes));
    for (const char* no : {"0.0.0.0", "::", "10.0.0.1", "127.0.0.1.evil.example", "127.evil.example", ""})
        CHECK_FALSE(is_loopback(no));
}

TEST_CASE("a request for another host is refused", "[web][guard]") {
    CHECK(status({.host = "localhost"}) == 200);
    CHECK(status({.host = "127.0.0.1:9"}) == 200);
    CHECK(status({.host = "evil.example"}) == 421);
    CHECK(status({.host = "10.0.0.1"}) == 421);
    CHECK(status({.host = ""}) == 421);
    site_rules open = local();
    open.any_address = true;
    CHECK(status({.host = "10.0.0.1:80"}, open) == 200);
    CHECK(status({.host = "[2001:db8::1]"}, open) == 200);
    CHECK(status({.host = "10.0.0.1.evil.example"}, open) == 421);
}

TEST_CASE("a POST comes from the same origin and is JSON", "[web][guard]") {
    CHECK(status(post("", "same-origin")) == 200);
    CHECK(status(post("http://evil.example", "same-origin")) == 200);  // the browser has compared the origins
    CHECK(status(post("http://localhost:8080", "")) == 200);
    CHECK(status(post("https://localhost:8080", "")) == 200);  // a proxy ends TLS
    CHECK(status(post("http://localhost:8080", "cross-site")) == 403);
    CHECK(status(post("", "same-site")) == 403);
    CHECK(status(post("", "none")) == 403);
    CHECK(status(post("", "")) == 403);
    CHECK(status(post("null", "")) == 403);
    CHECK(status(post("http://localhost", "")) == 403);
    CHECK(status(post("http://localhost:8080.evil.example", "")) == 403);
    CHECK(status(post("", "same-origin", "application/json; charset=utf-8")) == 200);
    for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"})
        CHECK(status(post("", "same-origin", type)) == 415);
}

TEST_CASE("other methods are refused", "[web][guard]") {
    CHECK(status({.verb = method::other, .host = "localhost"}) == 405);
    CHECK(status({.verb = method::head, .host = "localhost"}) == 200);
}

TEST_CASE("credentials are asked for first of all but the host", "[web][guard]") {
    site_rules closed = local();
    closed.users.add_token("0123456789abcdef\nanother line");
    CHECK(status({.host = "localhost"}, closed) == 401);
    CHECK(status({.host = "evil.example"}, closed) == 421);
    CHECK(status({.verb = method::other, .host = "localhost"}, closed) == 401);
    CHECK(status({.host = "localhost", .authorization = "Bearer 0123456789abcdef"}, closed) == 200);
}
