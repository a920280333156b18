#include <pgq/fsm/worker.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace unit_fsm_worker {

using namespace std::chrono_literals;
using pgq::duration;
using pgq::steady_time;
using pgq::fsm::run_until;
using pgq::fsm::worker;
using pgq::fsm::worker_action;
using pgq::fsm::worker_do;
using pgq::fsm::worker_options;

namespace {

// A machine with two slots that holds four jobs, and a loop that gives it the time and the answers.
struct loop {
    static worker_options usual(run_until until = run_until::stopped) {
        return {.window = {.slots = 2, .max_prefetch = 2}, .grace = 30s, .until = until};
    }

    explicit loop(worker_options o = usual()) : w{o} {}

    worker_action next() { return w.next(now); }
    // The sync that it asks for now succeeds and claims `n` jobs.
    worker_action succeed(std::uint32_t n = 0, std::uint32_t promoted = 0, std::optional<duration> due = {}) {
        const auto a = next();
        REQUIRE(a.what == worker_do::sync);
        w.synced(a, n, promoted, due, now);
        return a;
    }
    worker_action fail() {
        const auto a = next();
        REQUIRE(a.what == worker_do::sync);
        w.failed(a, now);
        return a;
    }
    // No job is found: a first claim, one with the subscription to wake-ups, then the wait.
    void subscribe_wakes(std::optional<duration> due = {}) {
        REQUIRE(succeed(0).from_start);
        REQUIRE(succeed(0, 0, due).subscribe_wakes);
        REQUIRE(next().what == worker_do::wait);
    }
    void finish(std::uint32_t n) { w.finished(n, now); }
    // It syncs until it has nothing left to report, and claims no more.
    void rest() {
        auto a = next();
        for (; a.what == worker_do::sync; a = next()) {
            REQUIRE(a.limit == 0);
            w.synced(a, 0, 0, {}, now);
        }
        REQUIRE(a.what == worker_do::wait);
    }

    worker w;
    steady_time now{1h};
};

}  // namespace

TEST_CASE("the first claim asks for as many jobs as the worker may hold, by a full scan", "[fsm][worker]") {
    loop s;
    const auto a = s.next();
    CHECK(a.what == worker_do::sync);
    CHECK(a.limit == 4);
    CHECK(a.from_start);
    CHECK_FALSE(a.subscribe_wakes);
    CHECK_FALSE(a.unsubscribe_wakes);
    CHECK_FALSE(a.promote);
    CHECK_FALSE(a.wake_peer);
}

TEST_CASE("a worker with a full window waits, and claims again when a slot is free", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    CHECK(s.w.in_hand() == 4);
    CHECK(s.next().what == worker_do::wait);
    s.finish(1);
    CHECK(s.next().what == worker_do::wait);  // three are enough for two slots
    s.finish(2);
    const auto a = s.next();
    CHECK(a.what == worker_do::sync);
    CHECK(a.limit == 3);
}

TEST_CASE("after a full claim the next one starts at the cursors and wakes a peer", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    s.finish(4);
    const auto a = s.next();
    CHECK_FALSE(a.from_start);
    CHECK(a.wake_peer);
}

TEST_CASE("a worker does not wake a peer twice within a few milliseconds", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    s.finish(4);
    CHECK(s.succeed(4).wake_peer);
    s.now += 1ms;
    s.finish(4);
    CHECK_FALSE(s.succeed(4).wake_peer);
    s.now += 5ms;
    s.finish(4);
    CHECK_FALSE(s.succeed(4).wake_peer);
    s.finish(4);
    CHECK(s.succeed(4).wake_peer);
}

TEST_CASE("a worker uses its cursors for 250 ms, then does a full scan", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    s.now += 249ms;
    s.finish(4);
    CHECK_FALSE(s.succeed(4).from_start);
    s.now += 1ms;
    s.finish(4);
    CHECK(s.next().from_start);
}

TEST_CASE("a worker that is never idle asks for the next due time every 250 ms, and promotes deferred jobs in time",
          "[fsm][worker]") {
    loop s;
    std::uint32_t held = 0;
    // All of its jobs end, and it gets as many as it asks for.
    const auto later = [&](duration d, std::optional<duration> due = {}) {
        s.now += d;
        s.finish(held);
        const auto a = s.next();
        REQUIRE(a.limit > 0);
        s.w.synced(a, held = a.limit, a.promote ? 1 : 0, due, s.now);
        return a;
    };
    CHECK(later(0ms, 1h).peek_next_due);
    CHECK_FALSE(later(249ms).peek_next_due);
    const auto a = later(1ms, 100ms);
    CHECK(a.peek_next_due);
    CHECK_FALSE(a.promote);
    CHECK_FALSE(later(99ms).promote);
    CHECK(later(1ms).promote);
}

TEST_CASE("after a short claim at the cursors the worker does a full scan", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    s.finish(4);
    CHECK_FALSE(s.succeed(1).from_start);
    const auto a = s.next();
    CHECK(a.what == worker_do::sync);
    CHECK(a.from_start);
    CHECK(a.limit == 3);
    CHECK_FALSE(a.subscribe_wakes);
}

TEST_CASE("a worker that finds no jobs subscribes to wake-ups, claims once more, and waits", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    const auto a = s.succeed(0);
    CHECK(a.subscribe_wakes);
    CHECK(a.from_start);
    CHECK(a.limit == 4);
    CHECK(a.peek_next_due);
    const auto sleep = s.next();
    CHECK(sleep.what == worker_do::wait);
    CHECK(sleep.timeout == 5s);
}

TEST_CASE("a worker runs the jobs of its last claim before the wait, and stays subscribed", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    CHECK(s.succeed(2).subscribe_wakes);
    CHECK(s.next().what == worker_do::wait);
    s.finish(2);
    const auto a = s.succeed(0);  // nothing runs, so the worker acknowledges
    CHECK(a.limit == 0);
    CHECK_FALSE(a.unsubscribe_wakes);
    CHECK_FALSE(a.subscribe_wakes);
    CHECK(s.next().what == worker_do::wait);
}

TEST_CASE("a wake-up causes a full scan, and no new subscription", "[fsm][worker]") {
    loop s;
    s.subscribe_wakes();
    s.w.notified();
    const auto a = s.succeed(1);
    CHECK(a.limit == 4);
    CHECK(a.from_start);
    CHECK_FALSE(a.unsubscribe_wakes);
    CHECK_FALSE(a.subscribe_wakes);
    CHECK(s.next().what == worker_do::wait);
}

TEST_CASE("a wake-up of a worker that does not sleep changes nothing", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    s.w.notified();
    CHECK(s.next().what == worker_do::wait);
}

TEST_CASE("a sleeping worker that fills its window unsubscribes, and wakes a peer", "[fsm][worker]") {
    loop s;
    s.subscribe_wakes();
    s.w.notified();
    s.succeed(4);
    const auto a = s.succeed(0);
    CHECK(a.limit == 0);
    CHECK(a.unsubscribe_wakes);
    CHECK(a.wake_peer);
    CHECK(s.next().what == worker_do::wait);

    // It subscribes again when a claim returns fewer jobs than it could take.
    s.finish(4);
    s.succeed(0);
    s.succeed(0);
    CHECK(s.next().subscribe_wakes);
}

TEST_CASE("a full worker that is still subscribed and woken again wakes a peer", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    s.succeed(4);  // with the subscription
    s.w.notified();
    const auto a = s.next();
    CHECK(a.unsubscribe_wakes);
    CHECK(a.wake_peer);
}

TEST_CASE("a worker that is full and woken wakes a peer, although it has just woken one", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    s.finish(4);
    REQUIRE(s.succeed(0).wake_peer);
    s.succeed(0);
    REQUIRE(s.succeed(4).subscribe_wakes);
    const bool woken = GENERATE(true, false);
    if (woken) s.w.notified();
    const auto a = s.next();
    CHECK(a.unsubscribe_wakes);
    CHECK(a.wake_peer == woken);
}

TEST_CASE("an idle worker polls once per interval, for ready jobs and for the next due time", "[fsm][worker]") {
    loop s;
    s.subscribe_wakes();
    for (int i = 0; i < 3; ++i) {
        s.now += 5s - 1ms;
        CHECK(s.next().what == worker_do::wait);
        s.now += 1ms;
        const auto a = s.succeed(0);
        CHECK(a.limit == 4);
        CHECK(a.from_start);
        CHECK(a.peek_next_due);
        CHECK(s.next().what == worker_do::wait);
        CHECK(s.next().timeout == 5s);
    }
}

TEST_CASE("a poll that finds jobs makes the worker claim on", "[fsm][worker]") {
    loop s;
    s.subscribe_wakes();
    s.now += 5s;
    s.succeed(4);
    CHECK(s.next().unsubscribe_wakes);
}

TEST_CASE("a sleeping worker wakes for the next due job, promotes it and asks for the next due time", "[fsm][worker]") {
    loop s;
    s.subscribe_wakes(120ms);
    CHECK(s.next().timeout == 120ms);
    s.now += 120ms;
    const auto a = s.next();
    CHECK(a.what == worker_do::sync);
    CHECK(a.promote);
    CHECK(a.peek_next_due);
    CHECK(a.from_start);
    CHECK(a.limit == 4);
    s.w.synced(a, 1, 1, 1s, s.now);
    CHECK(s.next().what == worker_do::wait);
    CHECK(s.next().timeout == 1s);
}

TEST_CASE("a full worker promotes due jobs, and wakes a peer for them", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    const auto sleeping = s.next();
    s.w.synced(sleeping, 4, 0, 100ms, s.now);
    s.succeed(0);  // unsubscribed
    s.now += 100ms;
    s.w.finished(1, s.now);
    const auto a = s.next();
    CHECK(a.what == worker_do::sync);
    CHECK(a.limit == 0);
    CHECK(a.promote);
    CHECK(a.peek_next_due);
    CHECK(a.wake_peer);
}

TEST_CASE("a worker that promotes jobs behind its cursors does a full scan next, if the cursors may hide them",
          "[fsm][worker]") {
    const bool hidden = GENERATE(true, false);
    loop s;
    const auto first = s.next();
    s.now += 10ms;  // a slow scan: the next one is not soon
    s.w.synced(first, 4, false, 50ms, s.now);
    s.finish(4);
    s.now += 50ms;
    const auto a = s.next();
    REQUIRE(a.promote);
    REQUIRE_FALSE(a.from_start);
    s.w.synced(a, 4, hidden, {}, s.now);
    s.finish(4);
    CHECK(s.next().from_start == hidden);
}

TEST_CASE("a job that is already due causes no busy loop", "[fsm][worker]") {
    loop s;
    s.subscribe_wakes(-3s);
    CHECK(s.next().timeout >= 1ms);
}

TEST_CASE("a job that is due at the end of time causes no busy loop", "[fsm][worker]") {
    loop s;
    s.subscribe_wakes(duration::max());
    CHECK(s.next().timeout == 5s);
}

TEST_CASE("a finished job waits at most 50 ms for others, to be acknowledged together", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    s.succeed(3);
    s.finish(1);
    auto a = s.next();
    CHECK(a.what == worker_do::wait);
    CHECK(a.timeout == 50ms);
    s.now += 20ms;
    s.finish(1);
    CHECK(s.next().timeout == 30ms);  // counts from the first one
    s.now += 30ms;
    a = s.succeed(0);
    CHECK(a.limit == 0);
    CHECK(s.next().timeout > 50ms);
}

TEST_CASE("when no job runs any more, finished jobs are acknowledged at once", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    s.succeed(2);
    s.finish(2);
    CHECK(s.succeed(0).limit == 0);
}

TEST_CASE("a report that is not a finished job is sent at once", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    s.succeed(1);
    CHECK(s.next().what == worker_do::wait);
    s.w.flush_requested(s.now);
    CHECK(s.next().what == worker_do::sync);
}

TEST_CASE("a job that is put back makes a worker without jobs do a full scan", "[fsm][worker]") {
    loop s;
    s.subscribe_wakes();
    s.w.notified();
    s.succeed(2);
    s.finish(2);
    s.w.scan_again();
    const auto a = s.next();
    CHECK(a.limit == 4);
    CHECK(a.from_start);
}

TEST_CASE("a job that is put back and that the cursors cover makes a worker without jobs claim again at the cursors",
          "[fsm][worker]") {
    loop s{loop::usual(run_until::empty)};
    s.succeed(1);  // fewer than it wanted
    REQUIRE(s.next().what == worker_do::wait);
    s.w.claim_again();
    const auto a = s.succeed(1);
    CHECK(a.limit == 3);
    CHECK_FALSE(a.from_start);
    CHECK(s.succeed(0).from_start);  // a full scan follows, because another worker may have put a job back
    CHECK(s.next().what == worker_do::wait);
}

TEST_CASE("a slow full scan is not repeated soon, and a quick one is", "[fsm][worker]") {
    const auto look = [](loop& s, duration took) {
        const auto a = s.next();
        REQUIRE(a.from_start);
        s.now += took;
        s.w.synced(a, 4, 0, {}, s.now);
        s.finish(4);
    };
    const auto from_start_after = [](loop& s, duration time) {
        s.now += time;
        const bool from_start = s.next().from_start;
        s.now -= time;
        return from_start;
    };
    for (const auto& [took, pause] : {std::pair<duration, duration>{1ms, 250ms}, {100ms, 2s}, {1min, 5s}}) {
        loop s;
        look(s, took);
        CHECK_FALSE(from_start_after(s, pause - 1ms));
        CHECK(from_start_after(s, pause));
    }
    // While jobs ran in the shell's own thread, the worker did not wait for the server.
    loop s;
    const auto a = s.next();
    s.now += 1s;
    s.w.ran(1, s.now);
    s.now += 1ms;
    s.w.synced(a, 4, 0, {}, s.now);
    s.finish(4);
    CHECK(from_start_after(s, 250ms));
}

TEST_CASE("if full scans are slow, a worker that is woken claims at its cursors", "[fsm][worker]") {
    loop s;
    const auto succeed_slowly = [&](std::uint32_t n, duration took) {
        const auto a = s.next();
        REQUIRE(a.what == worker_do::sync);
        s.now += took;
        s.w.synced(a, n, 0, {}, s.now);
        if (n != 0) s.finish(n);
        return a;
    };
    REQUIRE(succeed_slowly(0, 10ms).from_start);
    REQUIRE(succeed_slowly(0, 10ms).subscribe_wakes);
    s.now += 200ms;
    s.w.notified();
    REQUIRE(succeed_slowly(0, 10ms).from_start);  // a pause of 20 times the scan has passed
    s.rest();

    SECTION("it takes the new job, and does the full scan after the pause") {
        s.now += 50ms;
        s.w.notified();
        CHECK_FALSE(succeed_slowly(1, 0ms).from_start);
        s.rest();
        CHECK(s.next().timeout <= 150ms);
        s.now += 150ms;
        CHECK(s.succeed(0).from_start);
        CHECK(s.next().what == worker_do::wait);
    }
    SECTION("if it finds no job at its cursors, it does a full scan at once") {
        s.now += 50ms;
        s.w.notified();
        CHECK_FALSE(succeed_slowly(0, 0ms).from_start);
        CHECK(succeed_slowly(0, 10ms).from_start);
    }
    SECTION("run_until::empty does a full scan before its end") {
        loop e{loop::usual(run_until::empty)};
        const auto a = e.next();
        e.now += 10ms;
        e.w.synced(a, 4, 0, {}, e.now);
        e.finish(3);
        CHECK_FALSE(e.succeed(1).from_start);
        CHECK(e.succeed(0).from_start);
    }
}

TEST_CASE("with run_until::empty, a worker that always gets limited jobs still does a full scan now and then",
          "[fsm][worker]") {
    loop s{loop::usual(run_until::empty)};
    CHECK(s.succeed(0).from_start);
    s.w.claimed_limited(1, {}, false, s.now);
    for (int i = 0; i < 3; ++i) {
        s.finish(1);
        CHECK(s.succeed().limit == 0);  // acknowledges the job
        s.w.claimed_limited(1, {}, false, s.now);
    }
    s.finish(1);
    SECTION("but not after each of these jobs") {
        s.now += 250ms;
        const auto a = s.succeed();
        CHECK(a.limit == 4);
        CHECK(a.from_start);
    }
    SECTION("also while it waits for a limit") {
        CHECK(s.succeed().limit == 0);
        s.w.claimed_limited(0, 1min, false, s.now);
        const auto a = s.next();
        CHECK(a.what == worker_do::wait);
        CHECK(a.timeout <= 250ms);
        s.now += a.timeout;
        CHECK(s.succeed().from_start);
    }
    SECTION("and before it ends") {
        CHECK(s.succeed().limit == 0);
        s.w.claimed_limited(0, {}, false, s.now);
        const auto a = s.succeed(1);
        CHECK(a.limit == 4);
        CHECK(a.from_start);
        s.finish(1);
        CHECK(s.succeed(0).from_start);
        CHECK(s.next().what == worker_do::stop);
    }
}

TEST_CASE("a worker that leaves jobs of a limited lane to others makes a sync for that, once in 5 ms",
          "[fsm][worker]") {
    loop s;
    s.subscribe_wakes();
    REQUIRE(s.next().what == worker_do::wait);
    s.w.claimed_limited(2, {}, false, s.now);
    REQUIRE(s.next().what == worker_do::wait);
    s.w.claimed_limited(2, {}, true, s.now);
    const auto a = s.succeed();
    CHECK(a.what == worker_do::sync);
    CHECK(a.limit == 0);
    REQUIRE(s.next().what == worker_do::wait);
    s.w.claimed_limited(2, {}, true, s.now);
    const auto later = s.next();
    REQUIRE(later.what == worker_do::wait);
    CHECK(later.timeout <= 5ms);
    s.now += 5ms;
    CHECK(s.next().what == worker_do::sync);
}

TEST_CASE("a sleeping worker that may claim nothing more of its limited lanes leaves wake-ups to others",
          "[fsm][worker]") {
    loop s;
    s.subscribe_wakes();
    s.w.set_limited_full(true);
    CHECK(s.succeed().unsubscribe_wakes);
    CHECK(s.next().what == worker_do::wait);
    s.w.set_limited_full(false);
    CHECK(s.next().subscribe_wakes);
}

TEST_CASE("a postponed full scan does not wake a worker with a full window", "[fsm][worker]") {
    loop s;
    const auto a = s.next();
    s.now += 10ms;
    s.w.synced(a, 0, 0, {}, s.now);
    const auto b = s.next();
    s.w.synced(b, 4, 0, {}, s.now);
    CHECK(s.succeed().unsubscribe_wakes);
    s.finish(1);
    s.finish(2);
    s.now += 10ms;
    CHECK_FALSE(s.succeed(2).from_start);  // a short claim, whose full scan is postponed
    s.now += 200ms;
    (void)s.w.should_give_back(s.now);
    s.rest();
    CHECK(s.next().timeout >= 1s);
}

TEST_CASE("a worker that goes to sleep after a claim at its cursors does a full scan soon", "[fsm][worker]") {
    loop s;
    const auto a = s.next();
    s.now += 10ms;
    s.w.synced(a, 0, 0, {}, s.now);  // a scan that finds no job takes 10 ms
    const auto b = s.next();
    s.w.synced(b, 4, 0, {}, s.now);
    s.finish(4);
    CHECK(s.succeed(4).unsubscribe_wakes);
    s.finish(4);
    s.now += 10ms;
    CHECK_FALSE(s.succeed(1).from_start);
    const auto sleeps = s.succeed(0);
    CHECK(sleeps.subscribe_wakes);
    CHECK_FALSE(sleeps.from_start);
    s.finish(1);
    s.rest();
    s.now += s.next().timeout;
    CHECK(s.succeed(0).from_start);
    s.rest();
}

TEST_CASE("the more workers there are, the less often each of them does a full scan", "[fsm][worker]") {
    for (const auto& [workers, pause] : {std::pair<int, duration>{1, 250ms}, {4, 250ms}, {8, 500ms}, {64, 4s}}) {
        loop s;
        s.w.set_worker_count(workers);
        s.succeed(4);
        s.finish(4);
        s.now += pause - 1ms;
        CHECK_FALSE(s.next().from_start);
        s.now += 1ms;
        CHECK(s.next().from_start);
    }
    // Slow full scans are rationed: all workers together spend no more time on them than one worker would.
    for (const auto& [workers, pause] : {std::pair<int, duration>{1, 400ms}, {4, 1600ms}, {64, 25600ms}, {400, 30s}}) {
        loop s;
        s.w.set_worker_count(workers);
        const auto a = s.next();
        s.now += 20ms;
        s.w.synced(a, 4, 0, {}, s.now);
        s.finish(4);
        s.now += pause - 1ms;
        CHECK_FALSE(s.next().from_start);
        s.now += 1ms;
        CHECK(s.next().from_start);
    }
}

TEST_CASE("a worker that is woken claims first, and asks for the next due time afterwards", "[fsm][worker]") {
    loop s;
    s.subscribe_wakes();
    s.w.notified();
    CHECK_FALSE(s.succeed(1).peek_next_due);
    REQUIRE(s.next().what == worker_do::wait);
    CHECK(s.next().timeout == 2ms);  // the wake-up may be for a deferred job
    SECTION("with the acknowledgement") {
        s.finish(1);
        CHECK(s.succeed().peek_next_due);
    }
    SECTION("or without it, if the job runs longer") {
        s.now += 2ms;
        CHECK(s.succeed().peek_next_due);
    }
    CHECK(s.next().what == worker_do::wait);
    CHECK(s.next().timeout > 40ms);
}

TEST_CASE("a worker that notices jobs waiting behind slow ones gives them back and holds no more than it runs",
          "[fsm][worker]") {
    loop s;
    s.succeed(4);
    CHECK_FALSE(s.w.should_give_back(s.now));
    CHECK(s.next().timeout <= 101ms);  // not the poll interval
    s.now += 100ms;
    CHECK_FALSE(s.w.should_give_back(s.now));
    s.now += s.next().timeout;
    CHECK(s.w.should_give_back(s.now));
    s.w.dropped(2);
    CHECK_FALSE(s.w.should_give_back(s.now));
    CHECK(s.next().what == worker_do::wait);
    CHECK(s.next().timeout == 5s);
    s.finish(1);
    CHECK(s.next().limit == 1);
}

TEST_CASE("a worker that runs all of its jobs never counts as stalled, and a stopping one neither", "[fsm][worker]") {
    loop s;
    s.succeed(2);
    s.now += 1h;
    CHECK_FALSE(s.w.should_give_back(s.now));
    loop t;
    t.succeed(4);
    t.w.stop_requested(t.now);
    t.now += 1h;
    CHECK_FALSE(t.w.should_give_back(t.now));
}

TEST_CASE("after a failed sync the worker waits, longer each time, and claims half as many jobs", "[fsm][worker]") {
    loop s;
    CHECK(s.fail().limit == 4);
    CHECK(s.next().what == worker_do::wait);
    CHECK(s.next().timeout == 20ms);
    s.now += 20ms;
    CHECK(s.fail().limit == 2);
    CHECK(s.next().timeout == 40ms);
    s.now += 40ms;
    CHECK(s.fail().limit == 1);
    CHECK(s.next().timeout == 80ms);
    for (int i = 0; i < 20; ++i) {
        s.now += s.next().timeout;
        CHECK(s.fail().limit == 1);
    }
    CHECK(s.next().timeout == 5s);
    s.now += 5s;
    s.succeed(1);
    s.finish(1);
    s.fail();
    CHECK(s.next().timeout == 20ms);  // a success resets the wait
}

TEST_CASE("a failed sync is repeated with the same subscription", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    CHECK(s.fail().subscribe_wakes);
    s.now += 20ms;
    CHECK(s.succeed(0).subscribe_wakes);
    s.w.notified();
    s.succeed(2);
    s.now += 20ms;  // it may hold only two jobs now
    const auto awake = s.fail();
    CHECK(awake.unsubscribe_wakes);
    s.now += 20ms;
    CHECK(s.next().unsubscribe_wakes);
}

TEST_CASE("a new session starts with a full scan and a new subscription", "[fsm][worker]") {
    loop s;
    s.subscribe_wakes(1s);
    s.w.start_over();
    const auto a = s.succeed(0);
    CHECK(a.from_start);
    CHECK_FALSE(a.promote);
    CHECK(s.succeed(0).subscribe_wakes);
    CHECK(s.next().timeout == 5s);
}

TEST_CASE("an idle worker that is told to stop stops", "[fsm][worker]") {
    loop s;
    s.subscribe_wakes();
    s.w.stop_requested(s.now);
    CHECK(s.w.stopping());
    CHECK(s.next().what == worker_do::stop);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("a worker that is told to stop claims no more, waits for running jobs, and acknowledges them",
          "[fsm][worker]") {
    loop s;
    s.succeed(2);
    s.w.stop_requested(s.now);
    auto a = s.next();
    CHECK(a.what == worker_do::wait);
    CHECK(a.timeout == 30s);
    s.finish(1);
    CHECK(s.next().what == worker_do::wait);
    CHECK(s.next().timeout == 50ms);
    s.now += 50ms;
    CHECK(s.succeed(0).limit == 0);
    s.finish(1);
    CHECK(s.succeed(0).limit == 0);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("a sleeping worker unsubscribes before it stops", "[fsm][worker]") {
    loop s;
    s.subscribe_wakes();
    s.w.notified();
    s.succeed(1);
    s.w.stop_requested(s.now);
    s.finish(1);
    CHECK(s.succeed(0).unsubscribe_wakes);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("after the grace time handlers are interrupted, and a second later abandoned", "[fsm][worker]") {
    loop s;
    s.succeed(2);
    s.w.stop_requested(s.now);
    s.now += 30s;
    CHECK(s.next().what == worker_do::interrupt);
    CHECK(s.next().what == worker_do::wait);
    CHECK(s.next().timeout == 1s);
    s.now += 1s;
    CHECK(s.next().what == worker_do::abandon);
    s.w.dropped(2);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("without a grace time handlers are interrupted at once", "[fsm][worker]") {
    auto o = loop::usual();
    o.grace = duration{};
    loop s{o};
    s.succeed(1);
    s.w.stop_requested(s.now);
    CHECK(s.next().what == worker_do::interrupt);
    s.finish(1);
    CHECK(s.next().what == worker_do::sync);
}

TEST_CASE("finished jobs are acknowledged before the others are abandoned", "[fsm][worker]") {
    loop s;
    s.succeed(2);
    s.w.stop_requested(s.now);
    s.now += 30s;
    CHECK(s.next().what == worker_do::interrupt);
    s.now += 1s - 10ms;
    s.finish(1);
    CHECK(s.next().timeout == 10ms);
    s.now += 10ms;
    CHECK(s.succeed(0).limit == 0);
    CHECK(s.next().what == worker_do::abandon);
}

TEST_CASE("a worker stops even if the database accepts no acknowledgement", "[fsm][worker]") {
    loop s;
    s.succeed(2);
    s.finish(1);
    s.w.stop_requested(s.now);
    const auto stopped = s.now;
    bool interrupted = false, abandoned = false;
    while (s.now - stopped < 1min) {
        const auto a = s.next();
        if (a.what == worker_do::stop) break;
        if (a.what == worker_do::sync) s.w.failed(a, s.now);
        if (a.what == worker_do::wait) s.now += a.timeout;
        interrupted = interrupted || a.what == worker_do::interrupt;
        if (a.what == worker_do::abandon) {
            CHECK(interrupted);
            abandoned = true;
            s.w.dropped(1);
        }
    }
    CHECK(abandoned);
    CHECK(s.now - stopped > 30s);
    CHECK(s.now - stopped < 40s);
}

TEST_CASE("run_until::empty ends when no job is claimable and all are acknowledged", "[fsm][worker]") {
    loop s{loop::usual(run_until::empty)};
    s.succeed(3);
    CHECK(s.next().what == worker_do::wait);  // it does not subscribe, because nobody should wake it
    s.finish(3);
    const auto last = s.succeed(0);  // acknowledges and claims once more, because handlers may have enqueued
    CHECK(last.limit == 4);
    CHECK(last.from_start);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("run_until::empty claims again after a job is put back", "[fsm][worker]") {
    loop s{loop::usual(run_until::empty)};
    s.succeed(1);
    s.finish(1);
    s.w.scan_again();
    CHECK(s.succeed(1).from_start);
    s.finish(1);
    s.succeed(0);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("run_until::empty does not wait for deferred jobs", "[fsm][worker]") {
    loop s{loop::usual(run_until::empty)};
    s.succeed(0, 0, 1h);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("run_until::empty does not end before jobs that are already due", "[fsm][worker]") {
    loop s{loop::usual(run_until::empty)};
    s.succeed(0, 0, -1h);
    const auto a = s.next();
    REQUIRE(a.what == worker_do::wait);
    s.now += a.timeout;
    CHECK(s.succeed(1, 1).promote);
    s.finish(1);
    s.succeed(0);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("run_until::drained counts deferred jobs now and then, and ends when there are none", "[fsm][worker]") {
    loop s{loop::usual(run_until::drained)};
    CHECK(s.succeed(0).peek_next_due);
    CHECK(s.next().what == worker_do::count_deferred);
    s.w.deferred_counted(2, s.now);
    s.succeed(0);  // behind the cursors
    s.succeed(0);  // from the start
    auto a = s.next();
    CHECK(a.what == worker_do::wait);
    CHECK(a.timeout == 50ms);
    s.now += 50ms;
    CHECK(s.next().what == worker_do::count_deferred);
    s.w.deferred_counted(0, s.now);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("run_until::drained promotes jobs that become due", "[fsm][worker]") {
    loop s{loop::usual(run_until::drained)};
    s.succeed(0, 0, 20ms);
    CHECK(s.next().what == worker_do::count_deferred);
    s.w.deferred_counted(1, s.now);
    s.succeed(0);
    s.succeed(0, 0, 20ms);
    CHECK(s.next().timeout <= 50ms);
    s.now += 50ms;
    const auto a = s.next();
    CHECK(a.promote);
    CHECK(a.limit == 4);
}

TEST_CASE("run_until::empty and run_until::drained do not end while a job runs", "[fsm][worker]") {
    const auto until = GENERATE(run_until::empty, run_until::drained);
    loop s{loop::usual(until)};
    s.succeed(1);
    s.now += 10s;
    const auto a = s.next();  // a poll
    CHECK(a.what == worker_do::sync);
    s.w.synced(a, 0, 0, {}, s.now);
    CHECK(s.next().what == worker_do::wait);
}

TEST_CASE("the wait of a drained worker ends with its last job, and of a busy one in time for the next claim",
          "[fsm][worker]") {
    loop s;
    CHECK(s.w.wake_threshold() == 1);
    s.succeed(4);
    CHECK(s.w.wake_threshold() == 2);  // then two are left for two slots
    s.finish(4);
    s.succeed(0);
    s.succeed(0);
    CHECK(s.succeed(3).subscribe_wakes);
    CHECK(s.w.wake_threshold() == 3);
}

TEST_CASE("jobs that use no slot let the worker claim more, for as long as they run", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    REQUIRE(s.next().what == worker_do::wait);
    s.w.set_extra_slots(3);
    const auto a = s.next();
    CHECK(a.what == worker_do::sync);
    CHECK(a.limit == 3);
    s.succeed(3);
    CHECK(s.next().what == worker_do::wait);
    s.w.set_extra_slots(0);
    CHECK(s.next().what == worker_do::wait);
    s.finish(5);
    CHECK(s.next().limit == 2);  // as without them
}

TEST_CASE("jobs that use no slot and were just claimed do not cause another claim", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    s.finish(4);
    s.succeed(0);
    s.succeed(0);
    s.w.set_extra_slots(0);
    REQUIRE(s.succeed(3).subscribe_wakes);
    s.w.set_extra_slots(2);
    CHECK(s.next().what == worker_do::wait);
    s.w.set_extra_slots(4);
    CHECK(s.next().what == worker_do::sync);
}

TEST_CASE(
    "a worker that runs jobs during its claims asks for half a window at a time, so that it always has a job to run",
    "[fsm][worker]") {
    auto o = loop::usual();
    o.window = {.slots = 1, .max_prefetch = 199};
    o.overlap = true;
    loop s{o};
    for (int round = 0; round < 12; ++round) {  // until as many are prefetched as may be
        const auto a = s.succeed(s.next().limit);
        REQUIRE(a.limit <= 100);
        s.finish(s.w.in_hand());
    }
    REQUIRE(s.succeed(100).limit == 100);
    CHECK(s.succeed(100).limit == 100);  // the other half, before any job of the first half has run
    CHECK(s.next().what == worker_do::wait);
    s.finish(100);
    CHECK(s.succeed(100).limit == 100);
}

}  // namespace unit_fsm_worker
