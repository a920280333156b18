#include "request.hpp"

#include <catch2/catch.hpp>

#include <optional>

using namespace pgq::web;

TEST_CASE("a target is a path as it is, and decoded parameters", "[web][request]") {
    const auto t = parse_target("/api/jobs?q=state%3aheld+x%2By&after=7&empty=&flag&&");
    REQUIRE(t);
    CHECK(t->path == "/api/jobs");
    CHECK(t->get("q") == "state:held x+y");
    CHECK(t->get("after") == "7");
    CHECK(t->get("flag").empty());
    CHECK(t->get("none").empty());
    CHECK(parse_target("/%2e%2e/x")->path == "/%2e%2e/x");
    CHECK(parse_target("/?")->path == "/");
}

TEST_CASE("a target that cannot be read is refused", "[web][request]") {
    for (const char* wrong : {"", "*", "x", "http://x/", "/?q=%", "/?q=%1", "/?q=%zz", "/?q=%ff", "/?q=%00", "/?%ff=1"})
        CHECK_FALSE(parse_target(wrong));
}

TEST_CASE("an error is JSON whatever its text is", "[web][request]") {
    const auto r = error_response(400, "a \"b\"\n\xff", "<c>");
    CHECK(r.status == 400);
    CHECK(r.body == "{\"error\":{\"message\":\"a \\\"b\\\"\\n\xEF\xBF\xBD\",\"hint\":\"<c>\"}}");
}
