#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/jittered.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <limits>
#include <set>
#include <type_traits>

namespace unit_backoff_jittered {

using namespace std::chrono_literals;
using pgq::duration;
using pgq::backoff::exponential;
using pgq::backoff::fixed;
using pgq::backoff::jittered;

TEST_CASE("a jittered back-off shortens the delay by at most its spread", "[backoff][jittered]") {
    const jittered<fixed> b{.inner = {.every = 10s}, .spread = 0.5};
    CHECK(b.delay(1, 0.0) == 10s);
    CHECK(b.delay(1, 0.5) == 7500ms);
    CHECK(b.delay(1, 1.0) == 5s);
}

TEST_CASE("a jittered back-off grows with the attempts as its inner back-off does", "[backoff][jittered]") {
    const jittered b{exponential{.first = 1s, .cap = 4s}, 0.5};
    STATIC_REQUIRE(std::is_same_v<decltype(b), const jittered<exponential>>);
    CHECK(b.delay(1, 0.0) == 1s);
    CHECK(b.delay(2, 0.0) == 2s);
    CHECK(b.delay(99, 0.0) == 4s);
    CHECK(b.delay(99, 1.0) == 2s);
}

TEST_CASE("random delays differ and stay between the shortest and the longest delay", "[backoff][jittered]") {
    const jittered<fixed> b{.inner = {.every = 10s}};
    std::set<duration> seen;
    for (int i = 0; i < 1000; ++i) {
        const duration d = b.delay(1);
        if (d < 8s || d > 10s) FAIL_CHECK(d.count());
        seen.insert(d);
    }
    CHECK(seen.size() > 900);
    CHECK(*seen.begin() < 8500ms);
    CHECK(*seen.rbegin() > 9500ms);
}

TEST_CASE("a spread out of range counts as the nearest limit", "[backoff][jittered]") {
    CHECK(jittered{fixed{10s}, -1.0}.delay(1, 1.0) == 10s);
    CHECK(jittered{fixed{10s}, 7.0}.delay(1, 1.0) == 0s);
    CHECK(jittered{fixed{10s}, 7.0}.delay(1, 0.5) == 5s);
    CHECK(jittered{fixed{10s}, std::numeric_limits<double>::quiet_NaN()}.delay(1, 0.5) == 0s);
    CHECK(jittered{fixed{duration::max()}, 0.0}.delay(1, 0.5) == duration::max());
    CHECK(jittered{fixed{duration::max()}, 1e-18}.delay(1, 1.0) > 24h * 365 * 290);
}

}  // namespace unit_backoff_jittered
