#include <pgq/job/header.hpp>
#include <pgq/trace/context.hpp>
#include <pgq/trace/current.hpp>
#include <pgq/trace/headers.hpp>

#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace unit_trace_headers {

using namespace pgq;

namespace {

constexpr std::string_view parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

}  // namespace

TEST_CASE("a context goes into headers and comes back", "[trace]") {
    const auto c = trace::parse(parent, "vendor=1");
    REQUIRE(c);
    const trace::headers made{*c};
    REQUIRE(made.all().size() == 2);
    CHECK(made.all()[0] == header{"traceparent", parent});
    CHECK(made.all()[1] == header{"tracestate", "vendor=1"});
    CHECK(trace::read(made.all()) == c);
    CHECK(check_headers(made.all()));

    const header_list as_option = made;
    CHECK(as_option.data() == made.all().data());
}

TEST_CASE("a context without a state makes one header", "[trace]") {
    const trace::headers made{*trace::parse(parent)};
    CHECK(made.all().size() == 1);
}

TEST_CASE("a state that is too long is shortened in the headers", "[trace]") {
    std::string state;
    for (int i = 0; i < 7; ++i) state += (i == 0 ? "k" : ",k") + std::to_string(i) + "=" + std::string(97, 'v');
    const trace::headers made{*trace::parse(parent, state)};
    REQUIRE(made.all().size() == 2);
    CHECK(made.all()[1].value == state.substr(0, 504));
}

TEST_CASE("of headers only a valid traceparent makes a context", "[trace]") {
    CHECK_FALSE(trace::read(std::vector<header>{}));
    CHECK_FALSE(trace::read(std::vector<header>{{"tenant", "acme"}, {"tracestate", "a=1"}}));
    CHECK_FALSE(trace::read(std::vector<header>{{"traceparent", "rubbish"}, {"tracestate", "a=1"}}));
    CHECK_FALSE(trace::read(std::vector<header>{{"Traceparent", parent}}));

    const auto without_state = trace::read(std::vector<header>{{"tracestate", "NO"}, {"traceparent", parent}});
    REQUIRE(without_state);
    CHECK(without_state->state.empty());
}

TEST_CASE("the current context is that of the innermost scope of the thread", "[trace]") {
    CHECK(trace::current() == nullptr);
    const auto outer = *trace::parse(parent);
    {
        const trace::scope one{outer};
        CHECK(*trace::current() == outer);
        {
            auto inner = outer;
            inner.span.bytes[0] ^= 1U;
            const trace::scope two{inner};
            CHECK(*trace::current() == inner);
        }
        CHECK(*trace::current() == outer);
        bool none = false;
        std::jthread{[&] { none = trace::current() == nullptr; }}.join();
        CHECK(none);
    }
    CHECK(trace::current() == nullptr);
}

}  // namespace unit_trace_headers
