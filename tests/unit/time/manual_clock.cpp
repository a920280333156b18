#include <pgq/time/clock.hpp>
#include <pgq/time/manual_clock.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <vector>

namespace unit_time_manual_clock {

using namespace pgq;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{1'000'000s};

}  // namespace

TEST_CASE("advance moves both clocks, set moves only the calendar", "[time][manual_clock]") {
    manual_clock clock{start};
    const steady_time began = clock.steady_now();
    clock.advance(90s);
    CHECK(clock.now() == start + 90s);
    CHECK(clock.steady_now() == began + 90s);
    clock.set(start);
    CHECK(clock.now() == start);
    CHECK(clock.steady_now() == began + 90s);
    clock.advance(1s);
    CHECK(clock.now() == start + 1s);
}

TEST_CASE("a manual clock does not go back when it advances by a negative span", "[time][manual_clock]") {
    manual_clock clock{start};
    clock.advance(-1h);
    CHECK(clock.now() == start);
}

TEST_CASE("copies of a manual clock show the same time", "[time][manual_clock]") {
    manual_clock clock{start};
    const manual_clock copy = clock;
    clock.advance(1s);
    CHECK(copy.now() == start + 1s);
}

TEST_CASE("a watcher is called after each change, with the new time, until it is destroyed", "[time][manual_clock]") {
    manual_clock clock{start};
    std::vector<time_point> seen;
    auto watcher = clock.watch([&] { seen.push_back(clock.now()); });
    clock.advance(1s);
    clock.set(start);
    watcher.reset();
    clock.advance(1s);
    CHECK(seen == std::vector{start + 1s, start});
}

}  // namespace unit_time_manual_clock
