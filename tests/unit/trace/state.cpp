#include <pgq/trace/state.hpp>

#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace unit_trace_state {

using pgq::trace::is_valid_state;
using pgq::trace::shorten_state;

static_assert(is_valid_state("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
static_assert(!is_valid_state("Rojo=1"));

namespace {

// `count` members of `bytes` characters each, with different keys.
std::string members(std::size_t count, std::size_t bytes) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string key = "k" + std::to_string(i) + "=";
        all += (i == 0 ? "" : ",") + key + std::string(bytes - key.size(), 'v');
    }
    return all;
}

}  // namespace

TEST_CASE("a tracestate of the recommendation is valid", "[trace][w3c]") {
    const std::vector<std::string> valid{
        "",
        ",",
        " , \t,",
        "a=1",
        "a=1,b=2",
        " a=1 ,\tb=2\t",
        "a=1,,b=2,",
        "a_-*/0=1",
        "0tenant@system=1",
        "a= 1",
        "a=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~",
        std::string(256, 'k') + "=1",
        std::string(241, 't') + "@" + std::string(14, 's') + "=1",
        "a=" + std::string(256, 'v'),
        members(32, 6),
    };
    for (const auto& text : valid) {
        CAPTURE(text);
        CHECK(is_valid_state(text));
    }
}

TEST_CASE("a tracestate that the recommendation forbids is refused as a whole", "[trace][w3c]") {
    const std::vector<std::string> refused{
        "a",
        "=1",
        "a=",
        "a =1",
        "A=1",
        "0=1",
        "a=1=2",
        "a=1;b=2",  // a semicolon belongs to the value, but `=` does not
        "a=\x01",
        "a=\x7f",
        "a=\xc3\xa4",
        "b=1,a",
        "a=1,b=2,a=3",  // two with one key
        "@system=1",
        "tenant@=1",
        "tenant@0system=1",
        "a@b@c=1",
        std::string(257, 'k') + "=1",
        std::string(242, 't') + "@s=1",
        "t@" + std::string(15, 's') + "=1",
        "a=" + std::string(257, 'v'),
        members(33, 6),
    };
    for (const auto& text : refused) {
        CAPTURE(text);
        CHECK_FALSE(is_valid_state(text));
    }
}

TEST_CASE("a tracestate of more than 512 characters loses whole members", "[trace][w3c]") {
    CHECK(shorten_state("a=1, ,b=2 ,") == "a=1,b=2");
    CHECK(shorten_state(members(5, 100)).size() == 504);

    SECTION("the long ones first") {
        const std::string longest = "long=" + std::string(124, 'v');  // 129 characters
        CHECK(shorten_state(longest + "," + members(4, 100)) == members(4, 100));
    }
    SECTION("then those at the end") { CHECK(shorten_state(members(6, 100)) == members(5, 100)); }
    SECTION("what fits stays") { CHECK(shorten_state(members(4, 128 - 1)).size() == 4 * 127 + 3); }
    SECTION("the result is valid") { CHECK(is_valid_state(shorten_state(members(32, 100)))); }
}

}  // namespace unit_trace_state
