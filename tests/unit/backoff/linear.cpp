#include <pgq/backoff/linear.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <climits>

namespace unit_backoff_linear {

using namespace std::chrono_literals;
using pgq::duration;
using pgq::backoff::linear;

TEST_CASE("a linear back-off grows by its step up to its cap", "[backoff][linear]") {
    const linear b{.first = 1s, .step = 2s, .cap = 6s};
    CHECK(b.delay(1) == 1s);
    CHECK(b.delay(2) == 3s);
    CHECK(b.delay(3) == 5s);
    CHECK(b.delay(4) == 6s);
    CHECK(b.delay(INT_MAX) == 6s);
}

TEST_CASE("by default a linear back-off grows from one second up to five minutes", "[backoff][linear]") {
    CHECK(linear{}.delay(1) == 1s);
    CHECK(linear{}.delay(2) == 6s);
    CHECK(linear{}.delay(INT_MAX) == 5min);
}

TEST_CASE("a linear back-off treats an attempt below one as the first", "[backoff][linear]") {
    CHECK(linear{}.delay(0) == 1s);
    CHECK(linear{}.delay(INT_MIN) == 1s);
}

TEST_CASE("a linear back-off stays in range with any settings", "[backoff][linear]") {
    CHECK(linear{.first = 10s, .cap = 1s}.delay(1) == 1s);
    CHECK(linear{.first = 1s, .step = 0s}.delay(1000) == 1s);
    CHECK(linear{.first = 1s, .step = -1s}.delay(1000) == 1s);
    CHECK(linear{.first = -5s, .step = 1s}.delay(3) == 2s);
    CHECK(linear{.first = 1s, .step = 1s, .cap = -1s}.delay(3) == 0s);
    CHECK(linear{.first = 0s, .step = duration::max(), .cap = duration::max()}.delay(INT_MAX) == duration::max());
    CHECK(linear{.first = 0s, .step = 1h, .cap = duration::max()}.delay(INT_MAX) == duration::max());
}

}  // namespace unit_backoff_linear
