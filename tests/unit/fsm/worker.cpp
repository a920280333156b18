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

// A worker with two slots that holds four jobs, and the loop around it: time, and answers to what it asks for.
struct loop {
    static worker_options usual(run_until until = run_until::stopped) {
        return {.window = {.slots = 2, .max_prefetch = 2}, .grace = 30s, .until = until};
    }

    explicit loop(worker_options o = usual()) : w{o} {}

    worker_action next() { return w.next(now); }
    // What it asks for now succeeds and brings `n` jobs.
    worker_action succeed(std::uint32_t n = 0, std::uint32_t promoted = 0, std::optional<duration> due = {}) {
        const auto a = next();
        REQUIRE(a.what == worker_do::exchange);
        w.exchanged(a, n, promoted, due, now);
        return a;
    }
    worker_action fail() {
        const auto a = next();
        REQUIRE(a.what == worker_do::exchange);
        w.failed(a, now);
        return a;
    }
    // Nothing to be had: looked, announced, and looked once more.
    void fall_asleep(std::optional<duration> due = {}) {
        REQUIRE(succeed(0).from_start);
        REQUIRE(succeed(0, 0, due).announce_sleep);
        REQUIRE(next().what == worker_do::wait);
    }
    void finish(std::uint32_t n) { w.finished(n, now); }
    // It says and asks what is left to say and ask, but claims no more.
    void rest() {
        auto a = next();
        for (; a.what == worker_do::exchange; a = next()) {
            REQUIRE(a.limit == 0);
            w.exchanged(a, 0, 0, {}, now);
        }
        REQUIRE(a.what == worker_do::wait);
    }

    worker w;
    steady_time now{1h};
};

}  // namespace

TEST_CASE("a worker begins by claiming as much as it may hold, from the start", "[fsm][worker]") {
    loop s;
    const auto a = s.next();
    CHECK(a.what == worker_do::exchange);
    CHECK(a.limit == 4);
    CHECK(a.from_start);
    CHECK_FALSE(a.announce_sleep);
    CHECK_FALSE(a.announce_awake);
    CHECK_FALSE(a.promote);
    CHECK_FALSE(a.wake_peer);
}

TEST_CASE("a worker with its hands full waits, and refills when a slot stands empty", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    CHECK(s.w.in_hand() == 4);
    CHECK(s.next().what == worker_do::wait);
    s.finish(1);
    CHECK(s.next().what == worker_do::wait);  // three are enough for two slots
    s.finish(2);
    const auto a = s.next();
    CHECK(a.what == worker_do::exchange);
    CHECK(a.limit == 3);
}

TEST_CASE("a full claim is followed by one behind the cursors that wakes a peer", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    s.finish(4);
    const auto a = s.next();
    CHECK_FALSE(a.from_start);
    CHECK(a.wake_peer);
}

TEST_CASE("a peer is not woken again at once", "[fsm][worker]") {
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

TEST_CASE("cursors are trusted for a while, then it makes a full scan", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    s.now += 249ms;
    s.finish(4);
    CHECK_FALSE(s.succeed(4).from_start);
    s.now += 1ms;
    s.finish(4);
    CHECK(s.next().from_start);
}

TEST_CASE("a worker that is never idle looks for deferred jobs now and then, and promotes them in time",
          "[fsm][worker]") {
    loop s;
    std::uint32_t held = 0;
    // All that it held ends, and it gets all that it asks for.
    const auto later = [&](duration d, std::optional<duration> due = {}) {
        s.now += d;
        s.finish(held);
        const auto a = s.next();
        REQUIRE(a.limit > 0);
        s.w.exchanged(a, held = a.limit, a.promote ? 1 : 0, due, s.now);
        return a;
    };
    CHECK(later(0ms, 1h).look_ahead);
    CHECK_FALSE(later(249ms).look_ahead);
    const auto a = later(1ms, 100ms);
    CHECK(a.look_ahead);
    CHECK_FALSE(a.promote);
    CHECK_FALSE(later(99ms).promote);
    CHECK(later(1ms).promote);
}

TEST_CASE("a short claim behind the cursors is no proof: it makes a full scan", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    s.finish(4);
    CHECK_FALSE(s.succeed(1).from_start);
    const auto a = s.next();
    CHECK(a.what == worker_do::exchange);
    CHECK(a.from_start);
    CHECK(a.limit == 3);
    CHECK_FALSE(a.announce_sleep);
}

TEST_CASE("a worker that found nothing announces its sleep, looks once more, and waits", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    const auto a = s.succeed(0);
    CHECK(a.announce_sleep);
    CHECK(a.from_start);
    CHECK(a.limit == 4);
    CHECK(a.look_ahead);
    const auto sleep = s.next();
    CHECK(sleep.what == worker_do::wait);
    CHECK(sleep.timeout == 5s);
}

TEST_CASE("what the last look before sleep finds is run, and the worker stays announced", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    CHECK(s.succeed(2).announce_sleep);
    CHECK(s.next().what == worker_do::wait);
    s.finish(2);
    const auto a = s.succeed(0);  // nothing runs: what is finished is told
    CHECK(a.limit == 0);
    CHECK_FALSE(a.announce_awake);
    CHECK_FALSE(a.announce_sleep);
    CHECK(s.next().what == worker_do::wait);
}

TEST_CASE("a sleeper that is called makes a full scan, without announcing anything", "[fsm][worker]") {
    loop s;
    s.fall_asleep();
    s.w.notified();
    const auto a = s.succeed(1);
    CHECK(a.limit == 4);
    CHECK(a.from_start);
    CHECK_FALSE(a.announce_awake);
    CHECK_FALSE(a.announce_sleep);
    CHECK(s.next().what == worker_do::wait);
}

TEST_CASE("a call for a worker that does not sleep changes nothing", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    s.w.notified();
    CHECK(s.next().what == worker_do::wait);
}

TEST_CASE("a sleeper whose hands get full says that it is awake, and passes the call on", "[fsm][worker]") {
    loop s;
    s.fall_asleep();
    s.w.notified();
    s.succeed(4);
    const auto a = s.succeed(0);
    CHECK(a.limit == 0);
    CHECK(a.announce_awake);
    CHECK(a.wake_peer);
    CHECK(s.next().what == worker_do::wait);

    // It announces its sleep again when it has found less than it could take.
    s.finish(4);
    s.succeed(0);
    s.succeed(0);
    CHECK(s.next().announce_sleep);
}

TEST_CASE("a full worker that sleeps and is called once more passes that call on", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    s.succeed(4);  // with the announcement
    s.w.notified();
    const auto a = s.next();
    CHECK(a.announce_awake);
    CHECK(a.wake_peer);
}

TEST_CASE("an idle worker polls once an interval, for jobs and for deferred ones in turn", "[fsm][worker]") {
    loop s;
    s.fall_asleep();
    s.now += 5s - 1ms;
    CHECK(s.next().what == worker_do::wait);
    s.now += 1ms;
    const auto first = s.succeed(0);
    CHECK(first.limit == 0);
    CHECK(first.look_ahead);
    CHECK(s.next().what == worker_do::wait);
    CHECK(s.next().timeout == 5s);
    s.now += 5s;
    const auto second = s.succeed(0);
    CHECK(second.limit == 4);
    CHECK(second.from_start);
    CHECK_FALSE(second.look_ahead);
    CHECK(s.next().what == worker_do::wait);
    s.now += 5s;
    CHECK(s.succeed(0).look_ahead);
}

TEST_CASE("a poll that finds work makes it claim on", "[fsm][worker]") {
    loop s;
    s.fall_asleep();
    s.now += 5s;
    s.succeed(0);
    s.now += 5s;
    s.succeed(4);
    CHECK(s.next().announce_awake);
}

TEST_CASE("a sleeper wakes in time for the next deferred job, promotes it and peeks again", "[fsm][worker]") {
    loop s;
    s.fall_asleep(120ms);
    CHECK(s.next().timeout == 120ms);
    s.now += 120ms;
    const auto a = s.next();
    CHECK(a.what == worker_do::exchange);
    CHECK(a.promote);
    CHECK(a.look_ahead);
    CHECK(a.from_start);
    CHECK(a.limit == 4);
    s.w.exchanged(a, 1, 1, 1s, s.now);
    CHECK(s.next().what == worker_do::wait);
    CHECK(s.next().timeout == 1s);
}

TEST_CASE("a full worker promotes what is due for its peers", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    const auto sleeping = s.next();
    s.w.exchanged(sleeping, 4, 0, 100ms, s.now);
    s.succeed(0);  // awake
    s.now += 100ms;
    s.w.finished(1, s.now);
    const auto a = s.next();
    CHECK(a.what == worker_do::exchange);
    CHECK(a.limit == 0);
    CHECK(a.promote);
    CHECK(a.look_ahead);
    CHECK(a.wake_peer);
}

TEST_CASE("a job that is due in no time is no reason to spin", "[fsm][worker]") {
    loop s;
    s.fall_asleep(-3s);
    CHECK(s.next().timeout >= 1ms);
}

TEST_CASE("a job that is due at the end of time is no reason to spin either", "[fsm][worker]") {
    loop s;
    s.fall_asleep(duration::max());
    CHECK(s.next().timeout == 5s);
}

TEST_CASE("finished jobs wait for company, but not long", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    s.succeed(3);
    s.finish(1);
    auto a = s.next();
    CHECK(a.what == worker_do::wait);
    CHECK(a.timeout == 50ms);
    s.now += 20ms;
    s.finish(1);
    CHECK(s.next().timeout == 30ms);  // counts from the first
    s.now += 30ms;
    a = s.succeed(0);
    CHECK(a.limit == 0);
    CHECK(s.next().timeout > 50ms);
}

TEST_CASE("when nothing runs any more what is finished is acknowledged at once", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    s.succeed(2);
    s.finish(2);
    CHECK(s.succeed(0).limit == 0);
}

TEST_CASE("a requested flush is sent at once", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    s.succeed(1);
    CHECK(s.next().what == worker_do::wait);
    s.w.flush_requested(s.now);
    CHECK(s.next().what == worker_do::exchange);
}

TEST_CASE("a job that is put back makes a drained worker make a full scan", "[fsm][worker]") {
    loop s;
    s.fall_asleep();
    s.w.notified();
    s.succeed(2);
    s.finish(2);
    s.w.requeued(false);
    const auto a = s.next();
    CHECK(a.limit == 4);
    CHECK(a.from_start);
}

TEST_CASE("a job that goes back where cursors know of it makes a drained worker claim again, without a full scan",
          "[fsm][worker]") {
    loop s{loop::usual(run_until::empty)};
    s.succeed(1);  // fewer than it wanted
    REQUIRE(s.next().what == worker_do::wait);
    s.w.requeued(true);
    const auto a = s.succeed(1);
    CHECK(a.limit == 3);
    CHECK_FALSE(a.from_start);
    CHECK(s.succeed(0).from_start);  // then all the same: others may have put something back
    CHECK(s.next().what == worker_do::wait);
}

TEST_CASE("a slow full scan is not repeated soon, a fast one is", "[fsm][worker]") {
    const auto look = [](loop& s, duration took) {
        const auto a = s.next();
        REQUIRE(a.from_start);
        s.now += took;
        s.w.exchanged(a, 4, 0, {}, s.now);
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
    // While jobs ran in the loop's own thread nobody waited for the server.
    loop s;
    const auto a = s.next();
    s.now += 1s;
    s.w.ran(1, s.now);
    s.now += 1ms;
    s.w.exchanged(a, 4, 0, {}, s.now);
    s.finish(4);
    CHECK(from_start_after(s, 250ms));
}

TEST_CASE("where full scans are slow a worker that is woken trusts its cursors", "[fsm][worker]") {
    loop s;
    const auto succeed_slowly = [&](std::uint32_t n, duration took) {
        const auto a = s.next();
        REQUIRE(a.what == worker_do::exchange);
        s.now += took;
        s.w.exchanged(a, n, 0, {}, s.now);
        if (n != 0) s.finish(n);
        return a;
    };
    REQUIRE(succeed_slowly(0, 10ms).from_start);
    REQUIRE(succeed_slowly(0, 10ms).announce_sleep);
    s.now += 200ms;
    s.w.notified();
    REQUIRE(succeed_slowly(0, 10ms).from_start);  // 20 times as long has gone by
    s.rest();

    SECTION("what came is taken, and the look made up for when it can be afforded") {
        s.now += 50ms;
        s.w.notified();
        CHECK_FALSE(succeed_slowly(1, 0ms).from_start);
        s.rest();
        CHECK(s.next().timeout <= 150ms);
        s.now += 150ms;
        CHECK(s.succeed(0).from_start);
        CHECK(s.next().what == worker_do::wait);
    }
    SECTION("who was called for something that cursors hide looks at once") {
        s.now += 50ms;
        s.w.notified();
        CHECK_FALSE(succeed_slowly(0, 0ms).from_start);
        CHECK(succeed_slowly(0, 10ms).from_start);
    }
    SECTION("who is to stop when all is done is sure of it") {
        loop e{loop::usual(run_until::empty)};
        const auto a = e.next();
        e.now += 10ms;
        e.w.exchanged(a, 4, 0, {}, e.now);
        e.finish(3);
        CHECK_FALSE(e.succeed(1).from_start);
        CHECK(e.succeed(0).from_start);
    }
}

TEST_CASE("while jobs of limited lanes keep coming a worker that ends when all is done looks for others now and then",
          "[fsm][worker]") {
    loop s{loop::usual(run_until::empty)};
    CHECK(s.succeed(0).from_start);
    s.w.claimed_limited(1, {}, false, s.now);
    for (int i = 0; i < 3; ++i) {
        s.finish(1);
        CHECK(s.succeed().limit == 0);  // tells that it is done
        s.w.claimed_limited(1, {}, false, s.now);
    }
    s.finish(1);
    SECTION("not for each of them") {
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

TEST_CASE("a postponed scan is no reason to wake up while hands are full", "[fsm][worker]") {
    loop s;
    const auto a = s.next();
    s.now += 10ms;
    s.w.exchanged(a, 0, 0, {}, s.now);
    const auto b = s.next();
    s.w.exchanged(b, 4, 0, {}, s.now);
    CHECK(s.succeed().announce_awake);
    s.finish(1);
    s.finish(2);
    s.now += 10ms;
    CHECK_FALSE(s.succeed(2).from_start);  // short, and put off
    s.now += 200ms;
    (void)s.w.should_give_back(s.now);
    s.rest();
    CHECK(s.next().timeout >= 1s);
}

TEST_CASE("a worker that falls asleep behind its cursors makes a full scan soon", "[fsm][worker]") {
    loop s;
    const auto a = s.next();
    s.now += 10ms;
    s.w.exchanged(a, 0, 0, {}, s.now);  // a look that finds nothing takes so long
    const auto b = s.next();
    s.w.exchanged(b, 4, 0, {}, s.now);
    s.finish(4);
    CHECK(s.succeed(4).announce_awake);
    s.finish(4);
    s.now += 10ms;
    CHECK_FALSE(s.succeed(1).from_start);
    const auto sleeps = s.succeed(0);
    CHECK(sleeps.announce_sleep);
    CHECK_FALSE(sleeps.from_start);
    s.finish(1);
    s.rest();
    s.now += s.next().timeout;
    CHECK(s.succeed(0).from_start);
    s.rest();
}

TEST_CASE("among many workers each makes a full scan more seldom", "[fsm][worker]") {
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
    // Looks that take long come to no more of all workers' time than of one's.
    for (const auto& [workers, pause] : {std::pair<int, duration>{1, 400ms}, {4, 1600ms}, {64, 25600ms}, {400, 30s}}) {
        loop s;
        s.w.set_worker_count(workers);
        const auto a = s.next();
        s.now += 20ms;
        s.w.exchanged(a, 4, 0, {}, s.now);
        s.finish(4);
        s.now += pause - 1ms;
        CHECK_FALSE(s.next().from_start);
        s.now += 1ms;
        CHECK(s.next().from_start);
    }
}

TEST_CASE("a worker that is woken claims first, and looks for what is due when that is done", "[fsm][worker]") {
    loop s;
    s.fall_asleep();
    s.w.notified();
    CHECK_FALSE(s.succeed(1).look_ahead);
    REQUIRE(s.next().what == worker_do::wait);
    CHECK(s.next().timeout == 2ms);  // it may have been for a deferred job
    SECTION("with the acknowledgement") {
        s.finish(1);
        CHECK(s.succeed().look_ahead);
    }
    SECTION("or without, when the job takes longer") {
        s.now += 2ms;
        CHECK(s.succeed().look_ahead);
    }
    CHECK(s.next().what == worker_do::wait);
    CHECK(s.next().timeout > 40ms);
}

TEST_CASE("a worker notices that jobs wait behind slow ones, and then holds no more than it runs", "[fsm][worker]") {
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

TEST_CASE("a worker that runs all it holds never stalls, nor one that stops", "[fsm][worker]") {
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

TEST_CASE("a failed exchange rests, longer each time, and asks for half as much", "[fsm][worker]") {
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
    CHECK(s.next().timeout == 20ms);  // a success makes up for all of it
}

TEST_CASE("what failed is asked for again with the same announcements", "[fsm][worker]") {
    loop s;
    s.succeed(0);
    CHECK(s.fail().announce_sleep);
    s.now += 20ms;
    CHECK(s.succeed(0).announce_sleep);
    s.w.notified();
    s.succeed(2);
    s.now += 20ms;  // two was all it may hold now
    const auto awake = s.fail();
    CHECK(awake.announce_awake);
    s.now += 20ms;
    CHECK(s.next().announce_awake);
}

TEST_CASE("a new session knows nothing: it makes a full scan and announces its sleep again", "[fsm][worker]") {
    loop s;
    s.fall_asleep(1s);
    s.w.start_over();
    const auto a = s.succeed(0);
    CHECK(a.from_start);
    CHECK_FALSE(a.promote);
    CHECK(s.succeed(0).announce_sleep);
    CHECK(s.next().timeout == 5s);
}

TEST_CASE("an idle worker told to stop stops", "[fsm][worker]") {
    loop s;
    s.fall_asleep();
    s.w.stop_requested(s.now);
    CHECK(s.w.stopping());
    CHECK(s.next().what == worker_do::stop);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("a worker told to stop claims no more, waits for what runs, and acknowledges it", "[fsm][worker]") {
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

TEST_CASE("a sleeper that stops says that it is awake before", "[fsm][worker]") {
    loop s;
    s.fall_asleep();
    s.w.notified();
    s.succeed(1);
    s.w.stop_requested(s.now);
    s.finish(1);
    CHECK(s.succeed(0).announce_awake);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("after the grace time handlers are interrupted, and a second later given up", "[fsm][worker]") {
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
    CHECK(s.next().what == worker_do::exchange);
}

TEST_CASE("what has finished is acknowledged before the rest is abandoned", "[fsm][worker]") {
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

TEST_CASE("a database that accepts nothing does not keep a worker from stopping", "[fsm][worker]") {
    loop s;
    s.succeed(2);
    s.finish(1);
    s.w.stop_requested(s.now);
    const auto stopped = s.now;
    bool interrupted = false, abandoned = false;
    while (s.now - stopped < 1min) {
        const auto a = s.next();
        if (a.what == worker_do::stop) break;
        if (a.what == worker_do::exchange) s.w.failed(a, s.now);
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

TEST_CASE("run_until::empty ends when nothing is claimable and everything is acknowledged", "[fsm][worker]") {
    loop s{loop::usual(run_until::empty)};
    s.succeed(3);
    CHECK(s.next().what == worker_do::wait);  // never asleep: nobody is to wait for it
    s.finish(3);
    const auto last = s.succeed(0);  // tells, and looks once more: handlers may have enqueued
    CHECK(last.limit == 4);
    CHECK(last.from_start);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("run_until::empty looks again for what was put back", "[fsm][worker]") {
    loop s{loop::usual(run_until::empty)};
    s.succeed(1);
    s.finish(1);
    s.w.requeued(false);
    CHECK(s.succeed(1).from_start);
    s.finish(1);
    s.succeed(0);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("run_until::empty leaves deferred jobs alone", "[fsm][worker]") {
    loop s{loop::usual(run_until::empty)};
    s.succeed(0, 0, 1h);
    CHECK(s.next().what == worker_do::stop);
}

TEST_CASE("run_until::empty does not end before what is due already", "[fsm][worker]") {
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

TEST_CASE("run_until::drained asks how many are deferred, now and then, until none is", "[fsm][worker]") {
    loop s{loop::usual(run_until::drained)};
    CHECK(s.succeed(0).look_ahead);
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

TEST_CASE("run_until::drained promotes what is due meanwhile", "[fsm][worker]") {
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

TEST_CASE("a worker that is to end when drained does not end while something runs", "[fsm][worker]") {
    const auto until = GENERATE(run_until::empty, run_until::drained);
    loop s{loop::usual(until)};
    s.succeed(1);
    s.now += 10s;
    const auto a = s.next();  // a poll
    CHECK(a.what == worker_do::exchange);
    s.w.exchanged(a, 0, 0, {}, s.now);
    CHECK(s.next().what == worker_do::wait);
}

TEST_CASE("a drained worker is woken by the last job in hand, a busy one in time for the next claim", "[fsm][worker]") {
    loop s;
    CHECK(s.w.wake_threshold() == 1);
    s.succeed(4);
    CHECK(s.w.wake_threshold() == 2);  // then two are left for two slots
    s.finish(4);
    s.succeed(0);
    s.succeed(0);
    CHECK(s.succeed(3).announce_sleep);
    CHECK(s.w.wake_threshold() == 3);
}

TEST_CASE("jobs in hand that take no slot are made up for, as long as they do", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    REQUIRE(s.next().what == worker_do::wait);
    s.w.set_extra_slots(3);
    const auto a = s.next();
    CHECK(a.what == worker_do::exchange);
    CHECK(a.limit == 3);
    s.succeed(3);
    CHECK(s.next().what == worker_do::wait);
    s.w.set_extra_slots(0);
    CHECK(s.next().what == worker_do::wait);
    s.finish(5);
    CHECK(s.next().limit == 2);  // as without them
}

TEST_CASE("jobs that take no slot and were just claimed are no reason to look for more", "[fsm][worker]") {
    loop s;
    s.succeed(4);
    s.finish(4);
    s.succeed(0);
    s.succeed(0);
    s.w.set_extra_slots(0);
    REQUIRE(s.succeed(3).announce_sleep);
    s.w.set_extra_slots(2);
    CHECK(s.next().what == worker_do::wait);
    s.w.set_extra_slots(4);
    CHECK(s.next().what == worker_do::exchange);
}

TEST_CASE("a worker that runs jobs while it claims others claims by halves, so that there always is something to run",
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
    CHECK(s.succeed(100).limit == 100);  // the other half, before any of the first has run
    CHECK(s.next().what == worker_do::wait);
    s.finish(100);
    CHECK(s.succeed(100).limit == 100);
}

}  // namespace unit_fsm_worker
