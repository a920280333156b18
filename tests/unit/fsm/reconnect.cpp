#include <pgq/fsm/reconnect.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <limits>

namespace unit_fsm_reconnect {

using namespace std::chrono_literals;
using pgq::duration;
using pgq::fsm::reconnect;

TEST_CASE("the wait before a reconnect doubles after each failure, up to the maximum", "[fsm][reconnect]") {
    reconnect r{{.first = 100ms, .last = 500ms}};
    CHECK(r.failed(1.0) == 100ms);
    CHECK(r.failed(1.0) == 200ms);
    CHECK(r.failed(1.0) == 400ms);
    CHECK(r.failed(1.0) == 500ms);
    CHECK(r.failed(1.0) == 500ms);
}

TEST_CASE("jitter chooses a wait between half of the step and the whole step", "[fsm][reconnect]") {
    reconnect r{{.first = 100ms, .last = 100ms}};
    CHECK(r.failed(0.0) == 50ms);
    CHECK(r.failed(0.5) == 75ms);
    CHECK(r.failed(1.0) == 100ms);
    SECTION("and never another, whatever the random number") {
        CHECK(r.failed(-3.0) == 50ms);
        CHECK(r.failed(17.0) == 100ms);
        CHECK(r.failed(std::numeric_limits<double>::quiet_NaN()) == 50ms);
    }
}

TEST_CASE("a success resets the wait to the first one", "[fsm][reconnect]") {
    reconnect r{{.first = 100ms, .last = 10s}};
    CHECK(r.tries() == 0);
    (void)r.failed(1.0);
    (void)r.failed(1.0);
    CHECK(r.tries() == 2);
    r.succeeded();
    CHECK(r.tries() == 0);
    CHECK(r.failed(1.0) == 100ms);
}

TEST_CASE("the default waits start at 100 ms and end at 10 s", "[fsm][reconnect]") {
    reconnect r;
    CHECK(r.failed(1.0) == 100ms);
    for (int i = 0; i < 20; ++i) (void)r.failed(1.0);
    CHECK(r.failed(1.0) == 10s);
}

TEST_CASE("reconnect options that are out of range cause no busy loop and no overflow", "[fsm][reconnect]") {
    SECTION("zero and negative durations") {
        reconnect r{{.first = 0s, .last = -1s}};
        for (int i = 0; i < 100; ++i) CHECK(r.failed(1.0) == 1ms);
    }
    SECTION("the longest duration") {
        reconnect r{{.first = 1s, .last = duration::max()}};
        duration before{};
        for (int i = 0; i < 100; ++i) {
            const duration wait = r.failed(1.0);
            CHECK(wait >= before);
            before = wait;
        }
        CHECK(before > 24h * 365 * 100);
    }
}

}  // namespace unit_fsm_reconnect
