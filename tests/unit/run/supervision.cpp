#include <pgq/backoff/exponential.hpp>
#include <pgq/run/run_result.hpp>
#include <pgq/run/supervision.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <cstddef>
#include <type_traits>

namespace unit_run_supervision {

using namespace std::chrono_literals;
using pgq::errc;
using pgq::run_result;
using pgq::steady_time;
using pgq::detail::supervision;
using pgq::detail::supervision_do;

namespace {

constexpr steady_time start{1h};
const pgq::result<void> fine{};
const pgq::result<void> lost{errc::connection_lost};
const pgq::result<void> older{errc::schema_older};

supervision of(std::size_t parts) {
    return supervision{parts, pgq::backoff::exponential{.first = 1s, .factor = 2, .cap = 4s}};
}
// Starts all parts; nothing else is to do then.
supervision running(std::size_t parts) {
    auto s = of(parts);
    for (std::size_t i = 0; i < parts; ++i) {
        const auto a = s.next(start);
        CHECK(a.what == supervision_do::start);
        CHECK(a.part == i);
    }
    CHECK(s.next(start).what == supervision_do::wait);
    CHECK(s.next(start).until == steady_time::max());
    return s;
}

}  // namespace

TEST_CASE("all parts start, and the program ends when all have ended without an error", "[unit][run]") {
    auto s = running(2);
    CHECK(s.runs(0));
    CHECK_FALSE(s.ended(0, fine, start + 1s));
    CHECK(s.is_done(0));
    CHECK(s.next(start + 1s).what == supervision_do::wait);
    CHECK_FALSE(s.ended(1, fine, start + 2s));
    CHECK(s.next(start + 2s).what == supervision_do::finish);
    CHECK(s.outcome());
    CHECK_FALSE(s.stopping());
}

TEST_CASE("a part with an error that may pass starts again after growing pauses", "[unit][run]") {
    auto s = running(2);
    auto now = start;
    for (const auto pause : {1s, 2s, 4s, 4s}) {
        REQUIRE(s.ended(1, lost, now) == pause);
        CHECK_FALSE(s.runs(1));
        CHECK_FALSE(s.is_done(1));
        const auto a = s.next(now);
        CHECK(a.what == supervision_do::wait);
        CHECK(a.until == now + pause);
        now += pause;
        CHECK(s.next(now - 1ns).what == supervision_do::wait);
        const auto again = s.next(now);
        CHECK(again.what == supervision_do::start);
        CHECK(again.part == 1);
    }
    CHECK(s.runs(0));
}

TEST_CASE("contention is no reason to stop, either", "[unit][run]") {
    auto s = running(1);
    CHECK(s.ended(0, pgq::error_info{pgq::make_sqlstate("40P01")}, start) == 1s);
}

TEST_CASE("a part that was ready for as long as its last pause starts over with the first pause", "[unit][run]") {
    auto s = running(1);
    CHECK(s.ended(0, lost, start) == 1s);
    (void)s.next(start + 1s);
    CHECK(s.ended(0, lost, start + 1s) == 2s);
    (void)s.next(start + 3s);
    s.became_ready(0, start + 4s);
    s.became_ready(0, start + 5s);  // still
    CHECK(s.ended(0, lost, start + 6s - 1ns) == 4s);
    (void)s.next(start + 20s);
    s.became_ready(0, start + 20s);
    CHECK(s.ended(0, lost, start + 24s) == 1s);
    (void)s.next(start + 30s);
    CHECK(s.ended(0, lost, start + 60s) == 2s);  // it was not ready this time
}

TEST_CASE("after an error that does not pass all parts stop, and it is the outcome", "[unit][run]") {
    auto s = running(3);
    CHECK(s.ended(2, lost, start) == 1s);  // waits to start again
    CHECK_FALSE(s.ended(0, older, start));
    CHECK(s.next(start).what == supervision_do::stop);
    CHECK(s.next(start + 1h).what == supervision_do::wait);  // part 2 does not start again
    CHECK_FALSE(s.ended(1, errc::invalid_option, start + 1s));
    CHECK(s.next(start + 1s).what == supervision_do::finish);
    REQUIRE_FALSE(s.outcome());
    CHECK(s.outcome().error() == errc::schema_older);  // the first one
}

TEST_CASE("an error of another library does not count as one that passes", "[unit][run]") {
    auto s = running(1);
    CHECK_FALSE(s.ended(0, pgq::error_info{std::make_error_code(std::errc::bad_message)}, start));
    CHECK(s.next(start).what == supervision_do::stop);
    CHECK(s.next(start).what == supervision_do::finish);
    CHECK_FALSE(s.outcome());
}

TEST_CASE("a stop request stops all parts once, and the program waits for them", "[unit][run]") {
    auto s = running(2);
    s.stop_requested();
    s.stop_requested();
    CHECK(s.stopping());
    CHECK(s.next(start).what == supervision_do::stop);
    CHECK(s.next(start).what == supervision_do::wait);
    CHECK_FALSE(s.ended(0, lost, start));  // does not start again
    CHECK(s.next(start).what == supervision_do::wait);
    CHECK_FALSE(s.ended(1, fine, start));
    CHECK(s.next(start).what == supervision_do::finish);
    CHECK(s.outcome());
}

TEST_CASE("a stop request during a pause ends the program without another start", "[unit][run]") {
    auto s = running(1);
    CHECK(s.ended(0, lost, start) == 1s);
    s.stop_requested();
    CHECK(s.next(start + 5s).what == supervision_do::stop);
    CHECK(s.next(start + 5s).what == supervision_do::finish);
}

TEST_CASE("a stop request before the first start starts nothing", "[unit][run]") {
    auto s = of(2);
    s.stop_requested();
    CHECK(s.next(start).what == supervision_do::stop);
    CHECK(s.next(start).what == supervision_do::finish);
    CHECK(s.outcome());
}

TEST_CASE("the first signal stops the parts, and the second one ends the process", "[unit][run]") {
    auto s = running(1);
    s.signalled();
    CHECK(s.next(start).what == supervision_do::stop);
    CHECK(s.next(start).what == supervision_do::wait);
    s.signalled();
    CHECK(s.next(start).what == supervision_do::end_now);
    s.signalled();
    CHECK(s.next(start).what == supervision_do::end_now);
}

TEST_CASE("a single signal after a stop request does not end the process", "[unit][run]") {
    auto s = running(1);
    s.stop_requested();
    CHECK(s.next(start).what == supervision_do::stop);
    s.signalled();
    CHECK(s.next(start).what == supervision_do::wait);
}

TEST_CASE("the exit code says whether a person must correct something", "[unit][run]") {
    CHECK(run_result{fine} == 0);
    CHECK(run_result{pgq::result<void>{errc::protocol}} == 1);
    CHECK(run_result{older} == 78);
    CHECK_THROWS_AS(run_result{older}.value(), pgq::failure);
    CHECK_NOTHROW(run_result{fine}.value());
    STATIC_REQUIRE(std::is_convertible_v<run_result, int>);
}

}  // namespace unit_run_supervision
