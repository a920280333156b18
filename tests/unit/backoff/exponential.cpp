#include <pgq/backoff/exponential.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <climits>
#include <limits>

namespace unit_backoff_exponential {

using namespace std::chrono_literals;
using pgq::duration;
using pgq::backoff::exponential;

TEST_CASE("an exponential back-off multiplies by its factor up to its cap", "[backoff][exponential]") {
    const exponential b{.first = 2s, .factor = 3.0, .cap = 1min};
    CHECK(b.delay(1) == 2s);
    CHECK(b.delay(2) == 6s);
    CHECK(b.delay(3) == 18s);
    CHECK(b.delay(4) == 54s);
    CHECK(b.delay(5) == 1min);
    CHECK(b.delay(INT_MAX) == 1min);
}

TEST_CASE("by default an exponential back-off doubles from one second up to five minutes", "[backoff][exponential]") {
    const exponential b;
    CHECK(b.delay(1) == 1s);
    CHECK(b.delay(2) == 2s);
    CHECK(b.delay(9) == 256s);
    CHECK(b.delay(10) == 5min);
}

TEST_CASE("an exponential back-off treats an attempt below one as the first", "[backoff][exponential]") {
    CHECK(exponential{}.delay(0) == 1s);
    CHECK(exponential{}.delay(INT_MIN) == 1s);
}

TEST_CASE("an exponential back-off stays in range with any settings", "[backoff][exponential]") {
    CHECK(exponential{.first = 10min}.delay(1) == 5min);
    CHECK(exponential{.first = 0s}.delay(INT_MAX) == 0s);
    CHECK(exponential{.first = -1s}.delay(5) == 0s);
    CHECK(exponential{.cap = -1s}.delay(5) == 0s);
    CHECK(exponential{.factor = 0.5}.delay(5) == 1s);
    CHECK(exponential{.factor = std::numeric_limits<double>::quiet_NaN()}.delay(5) == 1s);
    CHECK(exponential{.factor = std::numeric_limits<double>::infinity()}.delay(2) == 5min);
    CHECK(exponential{.cap = duration::max()}.delay(INT_MAX) == duration::max());
}

}  // namespace unit_backoff_exponential
