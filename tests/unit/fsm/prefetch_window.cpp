#include <pgq/fsm/prefetch_window.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>

namespace unit_fsm_prefetch_window {

using namespace std::chrono_literals;
using pgq::duration;
using pgq::steady_time;
using pgq::fsm::prefetch_window;

namespace {

// A worker that claims up to its window and finishes jobs at an even pace of `each` per job.
struct bench_worker {
    prefetch_window w;
    steady_time now{1h};

    void round(duration each) {
        const auto n = w.room();
        w.claimed(n, n, now);
        now += each * n;
        w.finished(n, now);
    }
};

}  // namespace

TEST_CASE("at the start a window holds two jobs per slot", "[fsm][prefetch_window]") {
    CHECK(prefetch_window{}.target() == 2);
    CHECK(prefetch_window{{.slots = 4}}.target() == 8);
    CHECK(prefetch_window{{.slots = 0}}.target() == 2);
    CHECK(prefetch_window{{.slots = 4, .max_prefetch = 3}}.target() == 7);
    CHECK(prefetch_window{{.slots = 4, .max_prefetch = 0}}.target() == 4);
}

TEST_CASE("a window counts the jobs in flight and asks for the rest", "[fsm][prefetch_window]") {
    const steady_time now{1h};
    prefetch_window w{{.slots = 4}};
    CHECK(w.room() == 8);
    w.claimed(5, 8, now);
    CHECK(w.in_hand() == 5);
    CHECK(w.room() == 3);
    w.finished(2, now + 30ms);
    CHECK(w.in_hand() == 3);
    CHECK(w.room() == 5);
    w.dropped(1);
    CHECK(w.in_hand() == 2);
    w.finished(100, now + 31ms);
    CHECK(w.in_hand() == 0);
}

TEST_CASE("fast jobs double the prefetch with each full round, up to the maximum", "[fsm][prefetch_window]") {
    bench_worker b{.w = prefetch_window{{.slots = 1, .max_prefetch = 100}}};
    for (const std::uint32_t expected : {3u, 5u, 9u, 17u, 33u, 65u, 101u, 101u}) {
        b.round(10us);
        CHECK(b.w.target() == expected);
    }
}

TEST_CASE("the prefetch grows only up to the jobs of the target time", "[fsm][prefetch_window]") {
    bench_worker b{.w = prefetch_window{{.slots = 1, .target = 20ms}}};
    for (int i = 0; i < 20; ++i) b.round(1ms);
    CHECK(b.w.target() == 1 + 16);  // 16 ms; twice as much would last 32 ms
}

TEST_CASE("after a claim that returned too few jobs the prefetch does not grow", "[fsm][prefetch_window]") {
    const steady_time now{1h};
    prefetch_window w{{.slots = 2}};
    w.claimed(3, 4, now);
    w.finished(3, now + 1ms);
    CHECK(w.target() == 4);
    w.claimed(4, 4, now + 1ms);
    w.finished(4, now + 2ms);
    CHECK(w.target() == 6);
}

TEST_CASE("an empty claim changes nothing", "[fsm][prefetch_window]") {
    const steady_time now{1h};
    prefetch_window w{{.slots = 2}};
    w.claimed(0, 4, now);
    w.finished(0, now + 10s);
    CHECK(w.target() == 4);
    CHECK(w.in_hand() == 0);
}

TEST_CASE("slower jobs halve the prefetch until it lasts at most five times the target time",
          "[fsm][prefetch_window]") {
    bench_worker b{.w = prefetch_window{{.slots = 1, .target = 20ms}}};
    for (int i = 0; i < 20; ++i) b.round(1ms);
    REQUIRE(b.w.target() == 17);
    b.round(10ms);  // 16 prefetched jobs would last 160 ms
    CHECK(b.w.target() == 9);
    b.round(10ms);  // 80 ms is short enough
    CHECK(b.w.target() == 9);
}

TEST_CASE("a worker with long jobs prefetches none", "[fsm][prefetch_window]") {
    bench_worker b{.w = prefetch_window{{.slots = 1}}};
    b.round(101ms);
    CHECK(b.w.target() == 1);
    SECTION("and prefetches again when they get short") {
        b.round(1ms);
        CHECK(b.w.target() == 2);
        b.round(1ms);
        CHECK(b.w.target() == 3);
    }
}

TEST_CASE("the time per job takes into account how many jobs run at once", "[fsm][prefetch_window]") {
    // Four at once: 8 jobs of 120 ms are finished after 240 ms, one every 30 ms.
    const steady_time now{1h};
    prefetch_window w{{.slots = 4}};
    w.claimed(8, 8, now);
    w.finished(4, now + 120ms);
    w.finished(4, now + 240ms);
    CHECK(w.target() == 4);
}

TEST_CASE("a job that runs very long ends the prefetch while it still runs", "[fsm][prefetch_window]") {
    const steady_time now{1h};
    prefetch_window w{{.slots = 1}};
    w.claimed(2, 2, now);
    w.finished(0, now + 99ms);
    CHECK(w.target() == 2);
    w.finished(0, now + 101ms);
    CHECK(w.target() == 1);
    SECTION("so that the worker can give back jobs that have not started") {
        REQUIRE(w.in_hand() > w.target());
        w.dropped(w.in_hand() - w.target());
        CHECK(w.in_hand() == 1);
        CHECK(w.room() == 0);
    }
}

TEST_CASE("one long job does not change the prefetch if other slots run short jobs", "[fsm][prefetch_window]") {
    steady_time now{1h};
    prefetch_window w{{.slots = 4}};
    w.claimed(8, 8, now);
    for (int i = 0; i < 7; ++i) w.finished(1, now += 10ms);
    CHECK(w.target() == 8);
    CHECK(w.in_hand() == 1);
}

TEST_CASE("the time without jobs in flight does not count as run time", "[fsm][prefetch_window]") {
    bench_worker b{.w = prefetch_window{{.slots = 1}}};
    b.round(1ms);
    REQUIRE(b.w.target() == 3);
    b.now += 1h;
    b.round(1ms);
    CHECK(b.w.target() == 5);
}

TEST_CASE("many finished jobs that are reported late and together do not look like one long job",
          "[fsm][prefetch_window]") {
    // The round trip took 200 ms, in which 50 jobs of 4 ms ran.
    const steady_time now{1h};
    prefetch_window w{{.slots = 50, .max_prefetch = 50}};
    w.claimed(100, 100, now);
    w.finished(50, now + 200ms);
    CHECK(w.target() == 100);
}

TEST_CASE("overlapping claims are measured as one stream", "[fsm][prefetch_window]") {
    steady_time now{1h};
    prefetch_window w{{.slots = 1, .max_prefetch = 64}};
    w.claimed(2, 2, now);
    for (int i = 0; i < 200; ++i) {
        w.finished(1, now += 10us);
        const auto room = w.room();
        w.claimed(room, room, now);
    }
    CHECK(w.target() == 65);
}

TEST_CASE("jobs that were just claimed do not count as stalled, even if those before them ended long ago",
          "[fsm][prefetch_window]") {
    steady_time now{1h};
    prefetch_window w{{.slots = 2}};
    w.claimed(4, 4, now);
    w.finished(3, now + 1ms);
    now += 500ms;  // the server took its time to answer
    w.claimed(3, 3, now);
    w.finished(1, now - 499ms);
    w.finished(0, now);
    CHECK_FALSE(w.holds_too_many(now));
    w.finished(0, now + 101ms);
    CHECK(w.holds_too_many(now + 101ms));
}

TEST_CASE("jobs that were just claimed are not given back at once, even if jobs take long", "[fsm][prefetch_window]") {
    steady_time now{1h};
    prefetch_window w{{.slots = 2}};
    w.claimed(2, 2, now);
    w.finished(2, now += 2s);
    CHECK(w.target() == 2);
    w.claimed(2, 2, now);
    w.claimed_limited(1, now);  // beyond the target
    CHECK_FALSE(w.holds_too_many(now));
    CHECK_FALSE(w.holds_too_many(now + 99ms));
    CHECK(w.holds_too_many(now + 101ms));
}

TEST_CASE("a window knows how many jobs will end within a given time", "[fsm][prefetch_window]") {
    bench_worker b{.w = prefetch_window{{.slots = 2, .max_prefetch = 500}}};
    CHECK(b.w.within(2ms) == 0);  // there is no telling yet
    for (int i = 0; i < 30; ++i) b.round(100us);
    CHECK(b.w.within(2ms) == 20);
    CHECK(b.w.within(50us) == 0);
    for (int i = 0; i < 30; ++i) b.round(1us);
    CHECK(b.w.within(1s) == 500);
    b.w.claimed(4, 4, b.now);
    b.w.finished(0, b.now + 101ms);
    CHECK(b.w.within(1s) == 0);  // what has happened is no pace
    prefetch_window none{{.slots = 2, .max_prefetch = 0}};
    none.claimed(2, 2, b.now);
    none.finished(2, b.now + 1us);
    CHECK(none.within(1s) == 0);
}

TEST_CASE("a failed claim halves the window, down to one job", "[fsm][prefetch_window]") {
    prefetch_window w{{.slots = 4}};
    for (const std::uint32_t expected : {4u, 2u, 1u, 1u}) {
        w.halve();
        CHECK(w.target() == expected);
    }
}

TEST_CASE("after a failed claim, full rounds widen the window again step by step", "[fsm][prefetch_window]") {
    bench_worker b{.w = prefetch_window{{.slots = 4, .max_prefetch = 12}}};
    for (int i = 0; i < 10; ++i) b.round(10us);
    REQUIRE(b.w.target() == 16);
    b.w.halve();
    CHECK(b.w.target() == 8);
    b.round(10us);
    CHECK(b.w.target() == 10);
    for (int i = 0; i < 10; ++i) b.round(10us);
    CHECK(b.w.target() == 16);
}

TEST_CASE("large payloads keep the window small", "[fsm][prefetch_window]") {
    prefetch_window w{{.slots = 16, .max_bytes = 1000}};
    REQUIRE(w.target() == 32);
    w.claimed_bytes(10, 10);
    CHECK(w.target() == 32);
    SECTION("by a mean in which each claim counts for a quarter") {
        w.claimed_bytes(401, 1);  // (3 * 1 + 401) / 4 = 101
        CHECK(w.target() == 9);
        for (int i = 0; i < 100; ++i) w.claimed_bytes(10, 10);
        CHECK(w.target() == 32);
    }
    SECTION("but never close it") {
        for (int i = 0; i < 100; ++i) w.claimed_bytes(1u << 30, 1);
        CHECK(w.target() == 1);
    }
    SECTION("and a claim without jobs does not count") {
        w.claimed_bytes(1u << 30, 0);
        CHECK(w.target() == 32);
    }
}

TEST_CASE("a window of the largest numbers does not overflow", "[fsm][prefetch_window]") {
    bench_worker b{.w = prefetch_window{{.slots = 4'000'000'000u, .max_prefetch = 4'000'000'000u}}};
    CHECK(b.w.target() == 4'294'967'295u);
    b.round(0ns);
    CHECK(b.w.target() == 4'294'967'295u);
}

TEST_CASE("jobs that use no slot widen the window by their number, and do not change it afterwards",
          "[fsm][prefetch_window]") {
    prefetch_window w{{.slots = 2, .max_prefetch = 0}};
    CHECK(w.target() == 2);
    w.set_extra_slots(3);
    CHECK(w.target() == 5);
    w.set_extra_slots(1);
    CHECK(w.target() == 3);
    w.halve();
    CHECK(w.target() == 1);
    w.set_extra_slots(0);
    CHECK(w.target() == 1);
    w.set_extra_slots(2);
    CHECK(w.target() >= 2);
}

}  // namespace unit_fsm_prefetch_window
