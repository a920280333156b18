#include <pgq/time/clock.hpp>
#include <pgq/time/static_duration.hpp>
#include <pgq/time/when.hpp>

#include <support/catch.hpp>

#include <chrono>

namespace unit_time_when {

using namespace pgq;
using namespace std::chrono_literals;

TEST_CASE("a time is unset, relative or absolute, in microseconds", "[time][when]") {
    STATIC_REQUIRE_FALSE(when{}.is_set());
    STATIC_REQUIRE(in(2ms).how() == when::kind::relative);
    STATIC_REQUIRE(in(2ms).micros() == 2000);
    STATIC_REQUIRE(at(time_point{3s}).how() == when::kind::absolute);
    STATIC_REQUIRE(at(time_point{3s}).micros() == 3'000'000);
}

TEST_CASE("a relative time drops what is below a microsecond", "[time][when]") {
    STATIC_REQUIRE(in(1999ns).micros() == 1);
    STATIC_REQUIRE(in(-1999ns).micros() == -1);
}

TEST_CASE("a relative and an absolute time of the same number differ", "[time][when]") {
    STATIC_REQUIRE(in(1s) == when{1s});
    STATIC_REQUIRE(in(1s) != at(time_point{1s}));
    STATIC_REQUIRE(in(0s) != when{});
}

TEST_CASE("a static duration keeps nanoseconds, whatever the unit was", "[time][static_duration]") {
    STATIC_REQUIRE(static_duration{1ms}.value() == 1'000'000ns);
    STATIC_REQUIRE(static_duration{2min} == static_duration{120s});
}

}  // namespace unit_time_when
