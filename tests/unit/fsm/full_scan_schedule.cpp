#include <pgq/fsm/full_scan_schedule.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace unit_fsm_full_scan_schedule {

using namespace std::chrono_literals;
using pgq::steady_time;
using pgq::fsm::full_scan_schedule;

namespace {
constexpr steady_time begin{1h};
}

TEST_CASE("cursors are trusted for a while after a full scan", "[fsm][full_scan_schedule]") {
    full_scan_schedule s{250ms};
    CHECK(s.due(begin));
    s.scanned(1ms, true, begin);
    CHECK_FALSE(s.due(begin + 249ms));
    CHECK(s.due(begin + 250ms));
    s.invalidate();
    CHECK(s.due(begin));
}

TEST_CASE("a worker spends no more than a twentieth of its time on slow full scans", "[fsm][full_scan_schedule]") {
    full_scan_schedule s{250ms};
    s.scanned(100ms, true, begin);
    CHECK_FALSE(s.due(begin + 1999ms));
    CHECK(s.due(begin + 2s));
    s.scanned(10s, true, begin);
    CHECK(s.due_at() == begin + 5s);  // however slow they are
}

TEST_CASE("many workers share the time for full scans", "[fsm][full_scan_schedule]") {
    full_scan_schedule s{250ms};
    s.set_worker_count(16);
    s.scanned(1ms, true, begin);
    CHECK(s.due_at() == begin + 1s);
    s.scanned(50ms, true, begin);
    CHECK(s.due_at() == begin + 16s);
    s.scanned(1s, true, begin);
    CHECK(s.due_at() == begin + 30s);
}

TEST_CASE("a full scan that found nothing shows what scanning costs, and is not affordable at once",
          "[fsm][full_scan_schedule]") {
    full_scan_schedule s{250ms};
    s.scanned(10ms, true, begin);
    CHECK(s.affordable(begin));
    s.scanned(10ms, false, begin);
    CHECK_FALSE(s.affordable(begin + 199ms));
    CHECK(s.affordable(begin + 200ms));
    s.scanned(1min, false, begin);
    CHECK(s.affordable(begin + 1s));
}

TEST_CASE("a postponed scan has a time, until a scan is made or is due anyway", "[fsm][full_scan_schedule]") {
    full_scan_schedule s{250ms};
    s.scanned(10ms, false, begin);
    CHECK_FALSE(s.postponed_until());
    s.postpone();
    CHECK(s.postponed_until() == begin + 200ms);
    s.invalidate();
    CHECK_FALSE(s.postponed_until());
    s.postpone();
    s.scanned(1ms, true, begin + 1s);
    CHECK_FALSE(s.postponed_until());
}

TEST_CASE("a full scan that claims jobs shows what scanning costs, next to a claim behind the cursors",
          "[fsm][full_scan_schedule]") {
    full_scan_schedule s{250ms};
    s.scanned(150ms, true, begin);
    CHECK(s.affordable(begin));  // what the claim alone takes is not known yet
    s.claimed(20ms);
    s.scanned(150ms, true, begin);
    CHECK_FALSE(s.affordable(begin + 999ms));  // 130 ms, and a second is the longest pause
    CHECK(s.affordable(begin + 1s));
    s.scanned(30ms, true, begin);
    CHECK(s.affordable(begin + 600ms));  // not clearly more: 30 ms at most
    CHECK_FALSE(s.affordable(begin + 599ms));
    for (int i = 0; i < 20; ++i) s.scanned(30ms, true, begin);
    CHECK(s.affordable(begin + 1ms));
}

TEST_CASE("the longest of the latest claims behind the cursors counts, so that one quick claim makes no scan slow",
          "[fsm][full_scan_schedule]") {
    full_scan_schedule s{250ms};
    s.claimed(20ms);
    s.claimed(1ms);
    s.scanned(35ms, true, begin);
    CHECK(s.affordable(begin));
    for (int i = 0; i < 100; ++i) s.claimed(1ms);
    s.scanned(35ms, true, begin);
    CHECK_FALSE(s.affordable(begin + 600ms));
}

TEST_CASE("a scan is cheap when scans, with what they claim, take a twentieth of the time",
          "[fsm][full_scan_schedule]") {
    full_scan_schedule s{250ms};
    CHECK(s.cheap(begin));
    s.scanned(10ms, true, begin);
    CHECK_FALSE(s.cheap(begin + 199ms));
    CHECK(s.cheap(begin + 200ms));
    s.scanned(1h, true, begin);
    CHECK_FALSE(s.cheap(begin + 5s - 1ms));
    CHECK(s.cheap(begin + 5s));
}

}  // namespace unit_fsm_full_scan_schedule
