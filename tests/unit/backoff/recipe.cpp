#include <pgq/backoff/recipe.hpp>
#include <pgq/backoff/travelling.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <limits>
#include <string>
#include <string_view>

namespace unit_backoff_recipe {

using namespace pgq;
using namespace std::chrono_literals;
using backoff::exponential;
using backoff::fixed;
using backoff::jittered;
using backoff::linear;
using backoff::none;
using backoff::recipe;
using backoff::recipe_of;

namespace {

struct patient {
    using policy_category = backoff_tag;
    duration delay(int attempt) const noexcept { return as_recipe().delay(attempt); }
    recipe as_recipe() const { return exponential{.first = 1min, .factor = 3, .cap = 12h}; }
};
struct without_text {
    using policy_category = backoff_tag;
    duration delay(int) const noexcept { return 1s; }
};
static_assert(backoff::has_recipe<jittered<jittered<linear>>> && backoff::has_recipe<jittered<patient>>);
static_assert(backoff::has_recipe<recipe> && backoff::has_recipe<backoff::travelling<patient>>);
static_assert(!backoff::has_recipe<without_text> && !backoff::has_recipe<jittered<without_text>>);
static_assert(!backoff::travelling<without_text>::can_travel && backoff::travelling<>::can_travel);

template <class Backoff>
void reads_back_equal(const Backoff& b) {
    const std::string text = recipe_of(b).text();
    INFO(text);
    const auto read = recipe::parse(text);
    REQUIRE(read);
    CHECK(read->text() == text);
    for (const int attempt : {1, 2, 3, 10, 1000, std::numeric_limits<int>::max()})
        CHECK(read->delay(attempt) == b.delay(attempt));
}

}  // namespace

TEST_CASE("a back-off is written in the largest exact units", "[backoff][recipe]") {
    CHECK(recipe{none{}}.text() == "none");
    CHECK(recipe{fixed{.every = 90s}}.text() == "fixed 90s");
    CHECK(recipe{linear{}}.text() == "linear 1s 5s 5min");
    CHECK(recipe{exponential{}}.text() == "exponential 1s 2 5min");
    CHECK(recipe{exponential{.first = 1500us, .factor = 1.1, .cap = 48h}}.text() == "exponential 1500us 1.1 48h");
    CHECK(recipe_of(jittered<>{}).text() == "jittered 0.2 exponential 1s 2 5min");
    CHECK(recipe_of(jittered{jittered{fixed{.every = 1ns}, 0.1}, 1}).text() == "jittered 1 jittered 0.1 fixed 1ns");
    CHECK(recipe_of(patient{}).text() == "exponential 1min 3 12h");
    CHECK(recipe_of(backoff::travelling<patient>{}).text() == "exponential 1min 3 12h");
}

TEST_CASE("a back-off that is written and read has the same delays", "[backoff][recipe]") {
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

TEST_CASE("a jitter that was read from text stays within its spread", "[backoff][recipe]") {
    const auto read = recipe::parse(recipe_of(jittered{jittered{fixed{.every = 1min}, 0.5}, 0.5}).text());
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

TEST_CASE("parse refuses a text that is not a back-off", "[backoff][recipe]") {
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
        CHECK_FALSE(recipe::parse(text));
    }
    CHECK(recipe::parse("fixed 2562047h")->delay(1) == 2562047h);
    CHECK(recipe::parse("jittered 1 jittered 1 jittered 1 jittered 1 none"));
}

TEST_CASE("a back-off with too many nested jitters is written without the outer ones", "[backoff][recipe]") {
    const jittered five{jittered{jittered{jittered{jittered{fixed{}, 0.5}, 0.4}, 0.3}, 0.2}, 0.1};
    CHECK(recipe_of(five).text() == "jittered 0.2 jittered 0.3 jittered 0.4 jittered 0.5 fixed 10s");
}

}  // namespace unit_backoff_recipe
