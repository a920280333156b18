#include <pgq/fsm/deferred_cursor.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace unit_fsm_deferred_cursor {

using namespace std::chrono_literals;
using pgq::deferred_peek;
using pgq::duration;
using pgq::time_point;
using pgq::fsm::deferred_cursor;

namespace {

constexpr time_point begin{1'000h};

// What a statement would do at that time.
bool scans(const deferred_cursor& c, time_point now) {
    const auto& p = c.position();
    return now < p.valid_from || now >= p.scan_at;
}
deferred_peek scan(time_point now, duration took) {
    return {.now = now, .run_at = now, .expires_at = now, .took = took};
}
void scan_thrice(deferred_cursor& c, time_point now, duration took, std::int64_t workers = 1) {
    for (int i = 0; i < 3; ++i) (void)c.peeked(scan(now, took), {}, workers);
}
deferred_peek behind(time_point now) {
    return {.now = now, .run_at = now, .expires_at = now, .took = 1us, .scanned = false};
}

}  // namespace

TEST_CASE("a session reads from the start at first, and as long as that is quick", "[fsm][deferred_cursor]") {
    deferred_cursor c;
    CHECK(scans(c, begin));
    CHECK(c.peeked(scan(begin, 1999us), 5s, 1) == duration{5s});
    CHECK(scans(c, begin));
    CHECK(scans(c, begin + 1us));
    CHECK(c.peeked(scan(begin, 1999us), std::nullopt, 1) == std::nullopt);
}

TEST_CASE("after a slow full scan it reads behind the cursor, and scans for a twentieth of the time at most",
          "[fsm][deferred_cursor]") {
    deferred_cursor c;
    (void)c.peeked(scan(begin, 10ms), {}, 1);
    (void)c.peeked(scan(begin, 10ms), {}, 1);
    CHECK(scans(c, begin));  // these may have waited for a CPU
    (void)c.peeked(scan(begin, 1s), {}, 1);
    CHECK_FALSE(scans(c, begin));
    CHECK_FALSE(scans(c, begin + 399ms));
    CHECK(scans(c, begin + 400ms));  // a promotion and a peek take 20 ms
    scan_thrice(c, begin, 10ms, 10);
    CHECK(c.position().scan_at == begin + 4s);  // ten workers share that time
    scan_thrice(c, begin, 1h, 1000);
    CHECK(c.position().scan_at == begin + 30s);  // however slow it is
    (void)c.peeked(scan(begin + 30s, 10us), {}, 1);
    CHECK(scans(c, begin + 30s));  // no dead rows any more
}

TEST_CASE("the cursor stays before the first job that waits, and before the present", "[fsm][deferred_cursor]") {
    deferred_cursor c;
    scan_thrice(c, begin, 10ms);
    (void)c.peeked({.now = begin, .run_at = begin - 3s, .expires_at = begin, .took = 10ms}, {}, 1);
    CHECK(c.position().run_at == begin - 3s - 50ms);
    CHECK(c.position().expires_at == begin - 50ms);
    (void)c.peeked({.now = begin + 1s, .run_at = begin - 2s, .expires_at = begin, .scanned = false}, {}, 1);
    CHECK(c.position().run_at == begin - 2s - 50ms);
    CHECK(c.position().expires_at == begin - 50ms);
    CHECK(c.position().scan_at == begin + 400ms);  // only a full scan puts that off
}

TEST_CASE("if the clock is set back, the session reads from the start", "[fsm][deferred_cursor]") {
    deferred_cursor c;
    scan_thrice(c, begin, 1s);
    CHECK_FALSE(scans(c, begin + 1s));
    CHECK(scans(c, begin - 1us));
}

TEST_CASE("after a look behind the cursor the caller comes again for the full scan", "[fsm][deferred_cursor]") {
    deferred_cursor c;
    scan_thrice(c, begin, 10ms);
    CHECK(c.peeked(behind(begin + 100ms), {}, 1) == duration{300ms});
    CHECK(c.peeked(behind(begin + 100ms), 1h, 1) == duration{300ms});
    CHECK(c.peeked(behind(begin + 100ms), 10ms, 1) == duration{10ms});
    CHECK(c.peeked(behind(begin + 100ms), -10ms, 1) == duration{-10ms});
    CHECK(c.peeked(behind(begin + 500ms), {}, 1) == duration{});
    CHECK(c.peeked(scan(begin + 500ms, 10ms), {}, 1) == std::nullopt);  // that one has seen all
}

TEST_CASE("a caller that only promotes peeks each 64th time, and each time while scans are slow",
          "[fsm][deferred_cursor]") {
    deferred_cursor c;
    for (int i = 0; i < 64; ++i) {
        CHECK_FALSE(c.should_peek());
        c.promoted();
    }
    CHECK(c.should_peek());
    (void)c.peeked(scan(begin, 1us), {}, 1);
    CHECK_FALSE(c.should_peek());
    scan_thrice(c, begin, 3ms);
    CHECK(c.should_peek());
}

}  // namespace unit_fsm_deferred_cursor
