#include <pgq/backoff/spec.hpp>
#include <pgq/backoff/stored.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <limits>
#include <string>
#include <string_view>

namespace unit_backoff_spec {

using namespace pgq;
using namespace std::chrono_literals;
using backoff::exponential;
using backoff::fixed;
using backoff::jittered;
using backoff::linear;
using backoff::none;
using backoff::spec;
using backoff::spec_of;

namespace {

struct patient {
    using policy_category = backoff_tag;
    duration delay(int attempt) const noexcept { return as_spec().delay(attempt); }
    spec as_spec() const { return exponential{.first = 1min, .factor = 3, .cap = 12h}; }
};
struct without_text {
    using policy_category = backoff_tag;
    duration delay(int) const noexcept { return 1s; }
};
static_assert(backoff::has_spec<jittered<jittered<linear>>> && backoff::has_spec<jittered<patient>>);
static_assert(backoff::has_spec<spec> && backoff::has_spec<backoff::stored<patient>>);
static_assert(!backoff::has_spec<without_text> && !backoff::has_spec<jittered<without_text>>);
static_assert(!backoff::stored<without_text>::can_be_stored && backoff::stored<>::can_be_stored);

template <class Backoff>
void reads_back_equal(const Backoff& b) {
    const std::string text = spec_of(b).text();
    INFO(text);
    const auto read = spec::parse(text);
    REQUIRE(read);
    CHECK(read->text() == text);
    for (const int attempt : {1, 2, 3, 10, 1000, std::numeric_limits<int>::max()})
        CHECK(read->delay(attempt) == b.delay(attempt));
}

}  // namespace

TEST_CASE("a spec is written with the largest unit that is exact", "[backoff][spec]") {
    CHECK(spec{none{}}.text() == "none");
    CHECK(spec{fixed{.every = 90s}}.text() == "fixed 90s");
    CHECK(spec{linear{}}.text() == "linear 1s 5s 5min");
    CHECK(spec{exponential{}}.text() == "exponential 1s 2 5min");
    CHECK(spec{exponential{.first = 1500us, .factor = 1.1, .cap = 48h}}.text() == "exponential 1500us 1.1 48h");
    CHECK(spec_of(jittered<>{}).text() == "jittered 0.2 exponential 1s 2 5min");
    CHECK(spec_of(jittered{jittered{fixed{.every = 1ns}, 0.1}, 1}).text() == "jittered 1 jittered 0.1 fixed 1ns");
    CHECK(spec_of(patient{}).text() == "exponential 1min 3 12h");
    CHECK(spec_of(backoff::stored<patient>{}).text() == "exponential 1min 3 12h");
}

TEST_CASE("a spec is read back with the same answers", "[backoff][spec]") {
    reads_back_equal(none{});
    for (const duration d : {duration{0}, duration{1}, duration{1ms}, duration{7h}, duration::max(), duration{-1s}}) {
        reads_back_equal(fixed{.every = d});
        reads_back_equal(linear{.first = d, .step = 1s, .cap = duration::max()});
        reads_back_equal(linear{.first = 1s, .step = d, .cap = 1h});
        reads_back_equal(exponential{.first = 1s, .factor = 1.5, .cap = d});
        reads_back_equal(exponential{.first = d, .factor = 2, .cap = duration::max()});
    }
    for (const double factor : {0.0, -1.0, 1.0, 1e300, std::numeric_limits<double>::infinity()})
        reads_back_equal(exponential{.factor = factor});
    reads_back_equal(jittered{fixed{.every = 1min}, 0.0});
}

TEST_CASE("a jitter that was read stays within its spread", "[backoff][spec]") {
    const auto read = spec::parse(spec_of(jittered{jittered{fixed{.every = 1min}, 0.5}, 0.5}).text());
    REQUIRE(read);
    duration least = 1h, most{};
    for (int i = 0; i < 1000; ++i) {
        const duration d = read->delay(1);
        least = std::min(least, d);
        most = std::max(most, d);
    }
    CHECK(least >= 15s);
    CHECK(least < 25s);
    CHECK(most <= 1min);
    CHECK(most > 50s);
}

TEST_CASE("a text that is no spec is not read", "[backoff][spec]") {
    for (const std::string_view text : {"",
                                        " ",
                                        "none none",
                                        "fixed",
                                        "fixed 1",
                                        "fixed s",
                                        "fixed 1s 2s",
                                        "fixed -1s",
                                        "fixed 1.5s",
                                        "fixed 1 s",
                                        "fixed  1s",
                                        "Fixed 1s",
                                        "fixed 1S",
                                        "fixed 1d",
                                        "fixed 99999999999999999999s",
                                        "fixed 9223372036854775807s",
                                        "fixed 2562048h",
                                        "linear 1s 2s",
                                        "exponential 1s x 2s",
                                        "exponential 1s nan 2s",
                                        "exponential 1s 1e999 2s",
                                        "exponential 1s 2s 2s",
                                        "jittered",
                                        "jittered 0.2",
                                        "jittered fixed 1s",
                                        "jittered 0.2x fixed 1s",
                                        "jittered 1 jittered 1 jittered 1 jittered 1 jittered 1 none",
                                        "\xff",
                                        "none\n"}) {
        INFO(text);
        CHECK_FALSE(spec::parse(text));
    }
    CHECK(spec::parse("fixed 2562047h")->delay(1) == 2562047h);
    CHECK(spec::parse("jittered 1 jittered 1 jittered 1 jittered 1 none"));
}

TEST_CASE("of more jitters than a text may have the outer ones are left out", "[backoff][spec]") {
    const jittered five{jittered{jittered{jittered{jittered{fixed{}, 0.5}, 0.4}, 0.3}, 0.2}, 0.1};
    CHECK(spec_of(five).text() == "jittered 0.2 jittered 0.3 jittered 0.4 jittered 0.5 fixed 10s");
}

}  // namespace unit_backoff_spec
