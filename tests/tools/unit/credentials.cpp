#include "credentials.hpp"

#include <pgq/error/result.hpp>

#include <catch2/catch.hpp>

#include <optional>
#include <string>

using namespace pgq::web;

TEST_CASE("two texts are compared whole", "[web][credentials]") {
    CHECK(equal_in_constant_time("abc", "abc"));
    CHECK(equal_in_constant_time("", ""));
    for (const char* other : {"", "ab", "abd", "abcabc", "Abc"}) {
        CHECK_FALSE(equal_in_constant_time(other, "abc"));
        CHECK_FALSE(equal_in_constant_time("abc", other));
    }
}

TEST_CASE("a user is known by name and password", "[web][credentials]") {
    credentials c;
    CHECK(c.empty());
    c.add_users("# comment\n\nalice:correct:horse\r\nbob:battery staple\n");
    CHECK_FALSE(c.empty());
    CHECK(c.user_of("Basic YWxpY2U6Y29ycmVjdDpob3JzZQ==") == "alice");  // alice:correct:horse
    CHECK(c.user_of("basic  Ym9iOmJhdHRlcnkgc3RhcGxl") == "bob");
    CHECK(c.user_of("Basic YWxpY2U6YmF0dGVyeSBzdGFwbGU=") == std::nullopt);  // alice with the password of bob
    for (const char* wrong : {"", "Basic", "Basic ", "Basic *", "Basic YWxpY2U=", "Bearer ", "Bearer correct:horse"})
        CHECK(c.user_of(wrong) == std::nullopt);
}

TEST_CASE("a token is a bearer's, or the password of any name", "[web][credentials]") {
    credentials c;
    c.add_token("0123456789abcdef\r\n");
    CHECK(c.user_of("Bearer 0123456789abcdef") == "token");
    CHECK(c.user_of("Basic eDowMTIzNDU2Nzg5YWJjZGVm") == "x");
    CHECK(c.user_of("Bearer 0123456789abcde") == std::nullopt);
    CHECK(c.user_of("Bearer 0123456789abcdef0123456789abcdef") == std::nullopt);
}

TEST_CASE("weak credentials are refused", "[web][credentials]") {
    credentials c;
    CHECK_THROWS_AS(c.add_token("short"), pgq::failure);
    CHECK_THROWS_AS(c.add_token(""), pgq::failure);
    for (const char* wrong : {"alice", ":password", "alice:", "alice:short"})
        CHECK_THROWS_AS(c.add_users(wrong), pgq::failure);
}
