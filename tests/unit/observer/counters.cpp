#include <pgq/backoff/none.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/observer/counters.hpp>
#include <pgq/serializer/raw.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace unit_observer_counters {

using namespace pgq;
using namespace std::chrono_literals;

namespace {

using kind = outcome::kind;

event::job_finished finished(std::string_view entrypoint, kind what, duration took = 1ms) {
    return {.id = {1}, .entrypoint = entrypoint, .attempt = 1, .what = what, .run_time = took};
}

struct good {
    static constexpr std::string_view entrypoint = "good";
    std::string text{};
};
struct bad {
    static constexpr std::string_view entrypoint = "bad";
    std::string text{};
};

}  // namespace

}  // namespace unit_observer_counters

BOOST_HANA_ADAPT_STRUCT(unit_observer_counters::good, text);
BOOST_HANA_ADAPT_STRUCT(unit_observer_counters::bad, text);

namespace unit_observer_counters {

TEST_CASE("counters count each event by its kind", "[observer][counters]") {
    observer::counters seen;
    seen.on(event::worker_started{});
    seen.on(event::jobs_claimed{.count = 7});
    seen.on(event::jobs_claimed{.count = 5});
    seen.on(event::lease_lost{.unfinished = 3});
    seen.on(event::jobs_rescued{.workers = 1, .returned = 4, .held = 2});
    seen.on(event::error{});

    const auto c = seen.snapshot();
    CHECK(c.of<event::worker_started>() == 1);
    CHECK(c.of<event::worker_stopped>() == 0);
    CHECK(c.of<event::jobs_claimed>() == 2);
    CHECK(c.claimed == 12);
    CHECK(c.lost == 3);
    CHECK(c.returned == 4);
    CHECK(c.held_by_rescue == 2);
    CHECK(c.of<event::error>() == 1);
    CHECK(c.jobs == observer::job_counts{});
}

TEST_CASE("counters have outcomes and run times for each entrypoint and in total", "[observer][counters]") {
    observer::counters seen;
    for (const char* name : {"b", "a", "b"}) seen.on(event::job_started{.id = {1}, .entrypoint = name, .attempt = 1});
    seen.on(finished("a", kind::done, 3ms));
    seen.on(finished("b", kind::retry, 10ms));
    seen.on(finished("b", kind::hold, 20ms));

    const auto c = seen.snapshot();
    REQUIRE(c.entrypoints.size() == 2);
    CHECK(c.entrypoints[0].entrypoint == "a");
    CHECK(c.of("a").of(kind::done) == 1);
    CHECK(c.of("a").finished() == 1);
    CHECK(c.of("b").started == 2);
    CHECK(c.of("b").of(kind::retry) == 1);
    CHECK(c.of("b").of(kind::hold) == 1);
    CHECK(c.of("b").run_time == 30ms);
    CHECK(c.of("nobody") == observer::job_counts{});
    CHECK(c.jobs.started == 3);
    CHECK(c.jobs.finished() == 3);
    CHECK(c.jobs.run_time == 33ms);
}

TEST_CASE("copies of counters share their counts, separate objects do not", "[observer][counters]") {
    observer::counters one, other;
    observer::counters copy = one;
    copy.on(event::error{});
    CHECK(one.snapshot().of<event::error>() == 1);
    CHECK(other.snapshot().of<event::error>() == 0);
}

TEST_CASE("counters lose no count when many threads count at once and meet new entrypoints", "[observer][counters]") {
    constexpr int threads = 4, names = 300, rounds = 20;
    observer::counters seen;
    std::atomic<int> ready{0};
    const auto work = [&] {
        ++ready;
        while (ready < threads) std::this_thread::yield();
        for (int round = 0; round < rounds; ++round)
            for (int n = 0; n < names; ++n) {
                const std::string name = "entrypoint " + std::to_string(n);  // destroyed after the calls
                seen.on(event::job_started{.id = {1}, .entrypoint = name, .attempt = 1});
                seen.on(finished(name, kind::done, 1us));
            }
    };
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t) all.emplace_back(work);
    for (auto& t : all) t.join();

    const auto c = seen.snapshot();
    REQUIRE(c.entrypoints.size() == names);
    for (const auto& e : c.entrypoints) {
        REQUIRE(e.jobs.started == threads * rounds);
        REQUIRE(e.jobs.of(kind::done) == threads * rounds);
        REQUIRE(e.jobs.run_time == threads * rounds * 1us);
    }
    CHECK(c.of<event::job_finished>() == threads * rounds * names);
}

TEST_CASE("counters count the events of a worker", "[observer][counters]") {
    using app_queue = queue<good, bad, driver::memory, serializer::raw, backoff::none, observer::counters>;
    observer::counters seen;
    app_queue jobs{driver::memory{}, {}, app_queue::executor_type{2}, seen};
    jobs.enqueue(std::vector<good>(5)).value();
    jobs.enqueue(bad{}).value();
    worker_options twice{.max_attempts = 2, .until = run_until::empty};
    worker w{jobs, twice, [](const good&) {}, [](const bad&) { throw std::runtime_error{"no"}; }};
    w.run().value();

    const auto c = seen.snapshot();
    CHECK(c.of("good").started == 5);
    CHECK(c.of("good").of(kind::done) == 5);
    CHECK(c.of("bad").started == 2);
    CHECK(c.of("bad").finished() == 2);
    CHECK(c.of<event::worker_started>() == 1);
    CHECK(c.of<event::worker_stopped>() == 1);
    CHECK(c.claimed == 7);
    CHECK(c.jobs.finished() == 7);
}

}  // namespace unit_observer_counters
