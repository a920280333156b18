#include <pgq/limiter/rate.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace unit_limiter_rate {

using namespace std::chrono_literals;
using pgq::admission;
using pgq::steady_time;
using pgq::limiter::rate;

namespace {

const steady_time start = steady_time{} + 1h;

template <class Limiter>
std::uint32_t take_all(Limiter& l, steady_time now) {
    const auto n = l.admit(now).most;
    if (n != 0) l.began(n, now);
    return n;
}

}  // namespace

TEST_CASE("a rate admits its burst at once, and then as many as it refills", "[limiter][rate]") {
    rate<10, std::chrono::seconds, 4> l;
    CHECK(take_all(l, start) == 4);
    CHECK(take_all(l, start + 99ms) == 0);
    CHECK(take_all(l, start + 100ms) == 1);
    CHECK(take_all(l, start + 450ms) == 3);
    CHECK(take_all(l, start + 1h) == 4);  // the bucket never holds more than the burst
}

TEST_CASE("a rate admits the exact number of jobs in a minute, however often it is asked", "[limiter][rate]") {
    for (const auto step : {1ms, 7ms, 50ms}) {
        rate<100> l;
        std::uint32_t n = 0;
        for (auto t = 0ms; t <= 60s; t += step) n += take_all(l, start + t);
        CHECK(n >= 6000);
        CHECK(n <= 6010);  // 10 more is the burst: the jobs of 100 ms
    }
}

TEST_CASE("an empty rate returns the time until a quarter of its burst has refilled", "[limiter][rate]") {
    rate<100, std::chrono::seconds, 40> l;
    (void)take_all(l, start);
    const admission a = l.admit(start);
    CHECK(a.most == 0);
    CHECK(a.again >= 100ms);
    CHECK(a.again <= 101ms);
    CHECK(l.admit(start + a.again).most == 10);
}

TEST_CASE("the end of a job returns no token", "[limiter][rate]") {
    rate<1, std::chrono::hours, 2> l;
    CHECK(take_all(l, start) == 2);
    l.ended(2, start);
    CHECK(take_all(l, start) == 0);
}

TEST_CASE("a rate gets its values at run time, and has no limit before that", "[limiter][rate]") {
    rate<> l;
    CHECK(l.admit(start).most > 1'000'000);
    l = rate<>{3, 1s, 3};
    CHECK(take_all(l, start) == 3);
    rate<> below{-4, -1s, 0};
    CHECK(take_all(below, start) == 1);
}

}  // namespace unit_limiter_rate
