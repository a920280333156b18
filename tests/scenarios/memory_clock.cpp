#include <pgq/driver/memory.hpp>
#include <pgq/time/manual_clock.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>

namespace scenarios_memory_clock {

using namespace std::chrono_literals;
using test::note;

namespace {

using queue = pgq::queue<note, pgq::driver::memory, pgq::serializer::json>;

}  // namespace

TEST_CASE("a worker on a manual clock runs what has become due since, and returns", "[scenario][memory][time]") {
    pgq::manual_clock clock;
    queue jobs{pgq::driver::memory::with_clock(clock)};
    (void)jobs.enqueue(note{.n = 1}).value();
    std::atomic<int> runs{0};
    const auto fails_once = [&](const note&) -> pgq::outcome {
        if (++runs == 1) return pgq::retry_after{1h};
        return pgq::done{};
    };
    test::run_until_empty(jobs, {}, fails_once);  // the retry is due in an hour
    clock.advance(1h);
    test::run_until_empty(jobs, {}, fails_once);  // it runs
    CHECK(runs == 2);

    (void)jobs.enqueue(note{.n = 2}, {.run_at = pgq::in(1h)}).value();
    clock.advance(1h);
    test::run_until_empty(jobs, {.until = pgq::run_until::drained}, fails_once);
    CHECK(runs == 3);
}

TEST_CASE("a running worker notices that a manual clock has moved", "[scenario][memory][time]") {
    const auto until = GENERATE(pgq::run_until::stopped, pgq::run_until::drained);
    pgq::manual_clock clock;
    queue jobs{pgq::driver::memory::with_clock(clock)};
    (void)jobs.enqueue(note{.n = 1}).value();
    (void)jobs.enqueue(note{.n = 2}, {.run_at = pgq::in(100s)}).value();
    std::atomic<int> runs{0};
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 1h, .until = until}, [&](const note&) { ++runs; }};
    REQUIRE(test::eventually([&] { return runs == 1; }));
    clock.advance(100s);
    CHECK(test::eventually([&] { return runs == 2; }));
    if (until == pgq::run_until::drained) CHECK(test::eventually([&] { return w.is_over(); }));
}

}  // namespace scenarios_memory_clock
