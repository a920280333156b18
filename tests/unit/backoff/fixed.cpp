#include <pgq/backoff/fixed.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <climits>

namespace unit_backoff_fixed {

using namespace std::chrono_literals;
using pgq::backoff::fixed;

TEST_CASE("a fixed back-off waits the same time after every attempt", "[backoff][fixed]") {
    const fixed b{.every = 3s};
    CHECK(b.delay(1) == 3s);
    CHECK(b.delay(2) == 3s);
    CHECK(b.delay(INT_MAX) == 3s);
    CHECK(fixed{}.delay(1) == 10s);
}

TEST_CASE("a negative fixed back-off is zero", "[backoff][fixed]") { CHECK(fixed{.every = -3s}.delay(1) == 0s); }

}  // namespace unit_backoff_fixed
