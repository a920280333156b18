#include <pgq/fsm/claim_schedule.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>

namespace unit_fsm_claim_schedule {

using namespace std::chrono_literals;
using pgq::steady_time;
using pgq::fsm::claim_schedule;
using pgq::fsm::run_until;

namespace {

struct schedule : claim_schedule {
    explicit schedule(run_until until = run_until::stopped) : claim_schedule{{.poll_interval = 5s, .until = until}} {}

    // A claim brings `n` of four jobs.
    void scan(std::uint32_t n, pgq::duration took = 1ms) { claimed(true, n, n == 4, false, took, now); }
    void behind_cursors(std::uint32_t n, bool urgent = false) { claimed(false, n, n == 4, urgent, 1ms, now); }

    steady_time now{1h};
};

}  // namespace

TEST_CASE("lanes are drained when a full scan brings less than was asked for", "[fsm][claim_schedule]") {
    schedule s;
    CHECK_FALSE(s.is_drained());
    s.scan(4);
    CHECK_FALSE(s.is_drained());
    s.scan(3);
    CHECK(s.is_drained());
    s.claim_again();
    CHECK_FALSE(s.is_drained());
    CHECK_FALSE(s.scan_due(false, s.now));
}

TEST_CASE("a short claim behind the cursors is followed by a full scan", "[fsm][claim_schedule]") {
    schedule s;
    s.scan(4);
    CHECK_FALSE(s.scan_due(false, s.now));
    s.behind_cursors(1);
    CHECK_FALSE(s.is_drained());
    CHECK(s.scan_due(false, s.now));
}

TEST_CASE("where full scans are slow, a short claim behind the cursors is enough until one is affordable",
          "[fsm][claim_schedule]") {
    schedule s;
    s.scan(0, 10ms);
    s.claim_again();
    s.behind_cursors(1);
    CHECK(s.is_drained());
    CHECK(s.scan_postponed());
    CHECK(s.until(1h, s.now) == 200ms);
    s.now += 200ms;
    s.update(false, s.now);
    CHECK_FALSE(s.is_drained());
    CHECK(s.scan_due(false, s.now));
}

TEST_CASE("a worker that was notified and finds nothing behind its cursors scans, however slow that is",
          "[fsm][claim_schedule]") {
    schedule s;
    s.scan(0, 10ms);
    s.claim_again();
    s.behind_cursors(0, true);
    CHECK_FALSE(s.is_drained());
    CHECK(s.scan_due(false, s.now));
}

TEST_CASE("if the scan for a wake-up finds nothing, the scan for the next one waits until it is affordable",
          "[fsm][claim_schedule]") {
    schedule s;
    const auto notified = [&](std::uint32_t found_by_scan) {
        s.claim_again();
        s.behind_cursors(0, true);
        if (s.is_drained()) return false;
        s.scan(found_by_scan, 1ms);
        return true;
    };
    s.scan(0, 1ms);
    CHECK(notified(1));
    CHECK(notified(0));  // the latest one was right
    CHECK_FALSE(notified(0));
    CHECK(s.scan_postponed());
    CHECK(s.until(1h, s.now) == 20ms);
    s.now += 20ms;
    s.update(false, s.now);
    CHECK(s.scan_due(false, s.now));
    s.scan(0, 1ms);
    s.now += 20ms;
    CHECK(notified(1));  // affordable; and as it was right, the next one scans at once
    CHECK(notified(0));
}

TEST_CASE("a drained worker polls after each interval", "[fsm][claim_schedule]") {
    schedule s;
    s.scan(0);
    CHECK_FALSE(s.must_poll(s.now + 5s - 1ms));
    CHECK(s.must_poll(s.now + 5s));
    CHECK(s.until(1h, s.now) == 5s);
    s.polled(s.now + 5s);
    CHECK_FALSE(s.must_poll(s.now + 5s));
}

TEST_CASE("a deferred job that is due ends being drained", "[fsm][claim_schedule]") {
    schedule s;
    s.scan(0);
    s.update(false, s.now);
    CHECK(s.is_drained());
    s.update(true, s.now);
    CHECK_FALSE(s.is_drained());
}

TEST_CASE("for a deferred job that is due a worker scans, but if scans are slow it claims behind its cursors",
          "[fsm][claim_schedule]") {
    schedule s;
    s.scan(2, 50ms);
    s.update(true, s.now);
    CHECK_FALSE(s.is_drained());
    CHECK_FALSE(s.scan_due(false, s.now));
    s.now += 1s;  // twenty times
    s.update(true, s.now);
    CHECK(s.scan_due(false, s.now));
}

TEST_CASE("a worker that ends when drained scans again after its jobs have run: they may have enqueued",
          "[fsm][claim_schedule]") {
    schedule s{run_until::empty};
    s.scan(0);
    s.all_ran(false);
    CHECK_FALSE(s.is_drained());
    s.scan(0);
    s.all_ran(true);  // of limited lanes: not for each of them
    CHECK(s.is_drained());
    CHECK(s.ran_since_drained());
    s.now += 250ms;
    s.update(false, s.now);
    CHECK_FALSE(s.is_drained());

    schedule t;
    t.scan(0);
    t.all_ran(false);
    CHECK(t.is_drained());
}

}  // namespace unit_fsm_claim_schedule
