#include <pgq/fsm/heartbeat.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace unit_fsm_heartbeat {

using namespace std::chrono_literals;
using pgq::beat_reply;
using pgq::steady_time;
using pgq::worker_id;
using pgq::fsm::heartbeat;

namespace {

constexpr worker_id me{7};
constexpr steady_time begin{1h};

}  // namespace

TEST_CASE("a worker beats three times in each lease time", "[fsm][heartbeat]") {
    heartbeat h{15s, begin};
    CHECK(h.first_rest() == 5s);
    CHECK(h.answered(me, {.alive = true}, begin + 5s).rest == 5s);
}

TEST_CASE("after a beat that compacted a worker beats ten times as often for one lease time", "[fsm][heartbeat]") {
    heartbeat h{15s, begin};
    CHECK(h.answered(me, {.alive = true, .compacted = true}, begin + 5s).rest == 500ms);
    CHECK(h.answered(me, {.alive = true}, begin + 19s).rest == 500ms);
    CHECK(h.answered(me, {.alive = true}, begin + 20s).rest == 5s);
}

TEST_CASE("a failed beat is repeated soon, and not later than after a sixth of the lease time", "[fsm][heartbeat]") {
    heartbeat h{15s, begin};
    CHECK(h.failed(me, 1, begin + 5s).rest == 100ms);
    CHECK(h.failed(me, 1, begin + 6s).rest == 200ms);
    for (int i = 0; i < 10; ++i) (void)h.failed(me, 1, begin + 6s);
    CHECK(h.failed(me, 1, begin + 6s).rest == 2500ms);
    (void)h.answered(me, {.alive = true}, begin + 7s);
    CHECK(h.failed(me, 1, begin + 8s).rest == 100ms);
}

TEST_CASE("a worker that cannot beat counts as lost after four fifths of the lease time, once", "[fsm][heartbeat]") {
    heartbeat h{10s, begin};
    (void)h.answered(me, {.alive = true}, begin + 3s);
    CHECK(h.lost_at() == begin + 11s);
    CHECK_FALSE(h.failed(me, 1, begin + 11s - 1ms).declare_lost);
    CHECK(h.failed(me, 1, begin + 11s).declare_lost);
    CHECK_FALSE(h.failed(me, 1, begin + 30s).declare_lost);
    // Under its next id it begins anew, from the time at which it asked for that.
    h.registered(begin + 31s);
    CHECK_FALSE(h.failed({8}, 1, begin + 39s - 1ms).declare_lost);
    CHECK(h.failed({8}, 1, begin + 39s).declare_lost);
}

TEST_CASE("a beat under a former id that fails late does not excuse the next id", "[fsm][heartbeat]") {
    heartbeat h{10s, begin};
    CHECK(h.is_overdue(me, begin + 8s));
    CHECK(h.calls_end(me, begin + 8s) == begin + 16s);
    h.registered(begin + 9s);
    CHECK_FALSE(h.failed(me, 1, begin + 16s).declare_lost);
    CHECK(h.lost_at() == begin + 17s);
    CHECK(h.calls_end({8}, begin + 16s) == begin + 17s);
    CHECK(h.is_overdue({8}, begin + 17s));
}

TEST_CASE("no rest goes on when the worker counts as lost, and the next beat comes too late to help",
          "[fsm][heartbeat]") {
    heartbeat h{10s, begin};
    for (int i = 0; i < 10; ++i) (void)h.failed(me, 1, begin + 1s);
    CHECK(h.failed(me, 1, begin + 7s).rest == 1s);
    CHECK_FALSE(h.is_overdue(me, begin + 8s - 1ns));
    CHECK(h.is_overdue(me, begin + 8s));
    CHECK_FALSE(h.is_overdue(me, begin + 30s));
    CHECK(h.failed(me, 1, begin + 30s).rest > 0s);
}

TEST_CASE("a worker that the database does not know is lost at once, and is reported lost once", "[fsm][heartbeat]") {
    heartbeat h{10s, begin};
    CHECK(h.answered(me, {.alive = false}, begin + 3s).declare_lost);
    CHECK_FALSE(h.answered(me, {.alive = false}, begin + 6s).declare_lost);
    CHECK(h.answered({8}, {.alive = false}, begin + 9s).declare_lost);
}

TEST_CASE("a heartbeat passes on what the database asks for", "[fsm][heartbeat]") {
    heartbeat h{10s, begin};
    const auto a = h.answered(me, {.alive = true, .rescue_needed = true, .jobs_to_stop = true}, begin);
    CHECK(a.rescue);
    CHECK(a.jobs_to_stop);
    const auto b = h.answered(me, {.alive = true}, begin + 3s);
    CHECK_FALSE(b.rescue);
    CHECK_FALSE(b.jobs_to_stop);
}

TEST_CASE("a worker that has rescued jobs beats soon again, because there may be more", "[fsm][heartbeat]") {
    const heartbeat h{15s, begin};
    CHECK(h.rest_after_rescue({.workers = 1, .returned = 1}, 5s) == 500ms);
    CHECK(h.rest_after_rescue({.held = 1}, 5s) == 500ms);
    CHECK(h.rest_after_rescue({.returned = 1}, 100ms) == 100ms);
    CHECK(h.rest_after_rescue({.workers = 1}, 5s) == 5s);
    CHECK(h.rest_after_rescue({}, 5s) == 5s);  // another one was faster, or it has failed
}

TEST_CASE("a worker purges with its first beat and then once a minute", "[fsm][heartbeat]") {
    heartbeat h{10s, begin};
    CHECK(h.answered(me, {.alive = true}, begin).expire_and_purge);
    CHECK_FALSE(h.answered(me, {.alive = true}, begin + 59s).expire_and_purge);
    CHECK(h.answered(me, {.alive = true}, begin + 60s).expire_and_purge);
    CHECK_FALSE(h.failed(me, 1, begin + 300s).expire_and_purge);
}

}  // namespace unit_fsm_heartbeat
