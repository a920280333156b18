#include <pgq/time/clock.hpp>
#include <pgq/time/static_duration.hpp>
#include <pgq/time/when.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <cstdint>

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

TEST_CASE("a time point of any precision is rounded down to microseconds", "[time][when]") {
    using std::chrono::sys_time, std::chrono::sys_days;
    STATIC_REQUIRE(at(sys_time<std::chrono::nanoseconds>{1999ns}).micros() == 1);
    STATIC_REQUIRE(at(sys_time<std::chrono::nanoseconds>{-1ns}).micros() == -1);
    STATIC_REQUIRE(at(sys_days{std::chrono::days{1}}).micros() == 86'400'000'000);
    STATIC_REQUIRE(at(sys_time<std::chrono::duration<double>>{1.5s}).micros() == 1'500'000);
    const when as_option = std::chrono::system_clock::now() + 1h;
    CHECK(as_option.how() == when::kind::absolute);
}

TEST_CASE("a time that the server cannot store is out of range", "[time][when]") {
    using namespace std::chrono;
    STATIC_REQUIRE(when{}.is_in_range());
    STATIC_REQUIRE(in(24h * 365 * 4000).is_in_range());
    STATIC_REQUIRE(at(sys_days{year{9999} / 12 / 31}).is_in_range());
    STATIC_REQUIRE(at(pgq::time_point::min()).is_in_range());
    STATIC_REQUIRE_FALSE(at(pgq::time_point::max()).is_in_range());
    STATIC_REQUIRE_FALSE(at(sys_days{year{10000} / 1 / 1}).is_in_range());
    STATIC_REQUIRE_FALSE(in(hours::max()).is_in_range());
    STATIC_REQUIRE(in(hours::max()).micros() == INT64_MAX);
    STATIC_REQUIRE(in(hours::min()).micros() == INT64_MIN);
}

TEST_CASE("a static duration keeps nanoseconds, whatever the unit was", "[time][static_duration]") {
    STATIC_REQUIRE(static_duration{1ms}.value() == 1'000'000ns);
    STATIC_REQUIRE(static_duration{2min} == static_duration{120s});
}

}  // namespace unit_time_when
