#include <pgq/fsm/shutdown.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace unit_fsm_shutdown {

using namespace std::chrono_literals;
using pgq::steady_time;
using pgq::fsm::shutdown;
using pgq::fsm::worker_do;

namespace {

constexpr steady_time begin{1h};
constexpr steady_time never = steady_time::max();

shutdown begun() {
    shutdown s{30s};
    s.begin(begin);
    return s;
}

}  // namespace

TEST_CASE("a worker that nothing runs in stops at once", "[fsm][shutdown]") {
    CHECK_FALSE(shutdown{30s}.has_begun());
    shutdown s = begun();
    CHECK(s.has_begun());
    CHECK(s.next(0, never, begin).what == worker_do::stop);
}

TEST_CASE("handlers get the grace time, then a second after their stop tokens, and are abandoned", "[fsm][shutdown]") {
    shutdown s = begun();
    const auto a = s.next(2, never, begin + 10s);
    CHECK(a.what == worker_do::wait);
    CHECK(a.timeout == 20s);
    CHECK(s.next(2, never, begin + 30s).what == worker_do::interrupt);
    CHECK(s.next(2, never, begin + 30s).timeout == 1s);
    CHECK(s.next(2, never, begin + 31s).what == worker_do::abandon);
    CHECK(s.next(0, never, begin + 31s).what == worker_do::stop);
}

TEST_CASE("an interrupted worker stops as soon as its handlers have ended", "[fsm][shutdown]") {
    shutdown s = begun();
    (void)s.next(1, never, begin + 30s);
    CHECK(s.next(0, never, begin + 30s).what == worker_do::stop);
}

TEST_CASE("a stopping worker wakes up when something is to be acknowledged", "[fsm][shutdown]") {
    shutdown s = begun();
    CHECK(s.next(1, begin + 50ms, begin).timeout == 50ms);
    CHECK(s.next(1, begin + 50ms, begin + 50ms).timeout == 1ms);
}

TEST_CASE("a stopping worker without a connection is hopeless a second after the grace time", "[fsm][shutdown]") {
    CHECK(shutdown{30s}.give_up_at() == never);
    shutdown s = begun();
    CHECK(s.give_up_at() == begin + 31s);
    CHECK(s.next(2, never, begin + 30s).what == worker_do::interrupt);
    CHECK(s.give_up_at() == begin + 31s);
}

}  // namespace unit_fsm_shutdown
