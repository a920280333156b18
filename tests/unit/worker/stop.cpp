#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace unit_worker_stop {

using namespace std::chrono_literals;
using pgq::lane_counts;
using test::eventually;
using test::note;

namespace {

template <class Executor = pgq::executor::thread_pool>
using notes_queue = pgq::queue<note, pgq::driver::memory, pgq::serializer::json, Executor, test::event_counts>;

notes_queue<> with_threads(std::size_t n, pgq::driver::memory store = {}) {
    return notes_queue<>{std::move(store), {}, pgq::executor::thread_pool{n}};
}

// Holds handlers until the test releases them, whatever their stop tokens say.
class barrier {
public:
    void wait() {
        std::unique_lock lock{mutex_};
        ++waiting_;
        changed_.wait(lock, [this] { return open_; });
    }
    void open() {
        {
            const std::lock_guard lock{mutex_};
            open_ = true;
        }
        changed_.notify_all();
    }
    int waiting() {
        const std::lock_guard lock{mutex_};
        return waiting_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int waiting_ = 0;
    bool open_ = false;
};

}  // namespace

TEST_CASE("an idle worker that is told to stop ends at once", "[worker][stop]") {
    auto jobs = with_threads(2);
    test::running_worker w{jobs, {.poll_interval = 1h}, [](const note&) {}};
    REQUIRE(eventually([&] { return jobs.observer()->started == 1; }));
    w.request_stop();
    REQUIRE(eventually([&] { return w.is_over(); }));
    CHECK(w.stop());
    CHECK(jobs.observer()->stopped == 1);
}

TEST_CASE("a worker with a stop token that has already fired runs no job", "[worker][stop]") {
    auto jobs = with_threads(1);
    jobs.enqueue(test::notes(5)).value();
    std::stop_source stop;
    stop.request_stop();
    std::atomic<int> runs{0};
    pgq::worker w{jobs, [&](const note&) { ++runs; }};
    w.run(stop.get_token()).value();
    CHECK(runs == 0);
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 5});
}

TEST_CASE("a worker that is told to stop lets running handlers end and gives the other jobs back without an attempt",
          "[worker][stop]") {
    auto jobs = with_threads(2);
    jobs.enqueue(test::notes(10)).value();
    barrier running;
    std::atomic<int> runs{0};
    test::running_worker w{jobs, {}, [&](const note&) {
                               running.wait();
                               ++runs;
                           }};
    REQUIRE(eventually([&] { return running.waiting() == 2; }));
    w.request_stop();
    // The other jobs are back before the running ones have ended.
    CHECK(eventually([&] { return jobs.counts<note>().value() == lane_counts{.ready = 8, .leased = 2}; }));
    CHECK_FALSE(w.is_over());
    running.open();
    w.stop().value();
    CHECK(runs == 2);
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 8});

    std::vector<int> attempts;
    std::mutex mutex;
    test::run_until_empty(jobs, {}, [&](const note&, pgq::context& c) {
        const std::lock_guard lock{mutex};
        attempts.push_back(c.attempt());
    });
    CHECK(attempts == std::vector<int>(8, 1));
}

TEST_CASE("a worker that its own handler tells to stop, in the worker's thread, runs no further job",
          "[worker][stop]") {
    notes_queue<pgq::executor::in_place> jobs;
    jobs.enqueue(test::notes(100)).value();
    std::stop_source stop;
    int runs = 0;
    pgq::worker w{jobs, [&](const note&) {
                      if (++runs == 30) stop.request_stop();
                  }};
    w.run(stop.get_token()).value();
    CHECK(runs == 30);
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 70});
}

TEST_CASE("stop tokens fire when the grace time is over, not before", "[worker][stop]") {
    auto jobs = with_threads(1);
    jobs.enqueue(note{}).value();
    std::atomic<bool> passed{true};
    test::gate never;
    std::chrono::steady_clock::time_point fired;
    test::running_worker w{jobs, {.grace = 200ms}, [&](const note&, pgq::context& c) {
                               passed = never.pass(c);
                               fired = std::chrono::steady_clock::now();
                           }};
    REQUIRE(eventually([&] { return never.waiting() == 1; }));
    const auto reported = std::chrono::steady_clock::now();
    w.stop().value();
    CHECK_FALSE(passed);
    CHECK(fired - reported >= 200ms);
    CHECK(jobs.counts<note>().value() == lane_counts{});  // its handler returned, so it is done
}

TEST_CASE("an interrupted handler may put its job back", "[worker][stop]") {
    auto jobs = with_threads(1);
    jobs.enqueue(note{}).value();
    test::gate never;
    test::running_worker w{jobs, {.grace = 0s}, [&](const note&, pgq::context& c) -> pgq::outcome {
                               if (never.pass(c)) return pgq::done{};
                               return pgq::release{};
                           }};
    REQUIRE(eventually([&] { return never.waiting() == 1; }));
    w.stop().value();
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 1});
}

TEST_CASE("a handler that ignores its stop token loses its job to other workers, and run() waits for it",
          "[worker][stop]") {
    const pgq::driver::memory store;
    auto jobs = with_threads(1, store);
    jobs.enqueue(note{}).value();
    barrier uninterruptible;
    test::running_worker w{jobs, {.grace = 0s}, [&](const note&) { uninterruptible.wait(); }};
    REQUIRE(eventually([&] { return uninterruptible.waiting() == 1; }));
    w.request_stop();
    REQUIRE(eventually([&] { return jobs.counts<note>().value() == lane_counts{.ready = 1}; }));
    CHECK_FALSE(w.is_over());

    auto peer = with_threads(1, store);
    int attempt = 0;
    test::run_until_empty(peer, {}, [&](const note&, pgq::context& c) { attempt = c.attempt(); });
    CHECK(attempt == 1);
    uninterruptible.open();
    w.stop().value();
    CHECK(jobs.counts<note>().value() == lane_counts{});  // the outcome of the late handler is ignored
}

TEST_CASE("jobs that ended before the others were abandoned stay done", "[worker][stop]") {
    auto jobs = with_threads(2);
    jobs.enqueue(test::notes(2)).value();
    barrier uninterruptible;
    test::gate interrupted;
    test::running_worker w{jobs, {.grace = 0s}, [&](const note& job, pgq::context& c) {
                               if (job.n == 0) uninterruptible.wait();
                               else (void)interrupted.pass(c);
                           }};
    REQUIRE(eventually([&] { return uninterruptible.waiting() == 1 && interrupted.waiting() == 1; }));
    w.request_stop();
    REQUIRE(eventually([&] { return jobs.counts<note>().value() == lane_counts{.ready = 1}; }));
    uninterruptible.open();
    w.stop().value();
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 1});
}

TEST_CASE("run() may be called again after it has returned", "[worker][stop]") {
    auto jobs = with_threads(2);
    std::atomic<int> runs{0};
    pgq::worker w{jobs, pgq::worker_options{.until = pgq::run_until::empty}, [&](const note&) { ++runs; }};
    for (int round = 1; round <= 3; ++round) {
        jobs.enqueue(test::notes(10)).value();
        w.run().value();
        CHECK(runs == 10 * round);
    }
    CHECK(jobs.observer()->started == 3);
    CHECK(jobs.observer()->stopped == 3);
}

TEST_CASE("run_until::empty leaves delayed jobs, and run_until::drained waits for them", "[worker][run_until]") {
    auto jobs = with_threads(2);
    jobs.enqueue(test::notes(5)).value();
    const auto late = jobs.enqueue(test::notes(2), {.run_at = pgq::in(1h)}).value();
    std::atomic<int> runs{0};
    const auto run_until = [&](pgq::run_until until) {
        test::running_worker w{jobs, {.poll_interval = 1h, .until = until}, [&](const note&) { ++runs; }};
        REQUIRE(eventually([&] { return w.is_over(); }));
        CHECK(w.stop());
    };
    run_until(pgq::run_until::empty);
    CHECK(runs == 5);
    CHECK(jobs.counts<note>().value() == lane_counts{.deferred = 2});
    CHECK(late.cancel().value().removed == 2);
    jobs.enqueue(test::notes(3), {.run_at = pgq::in(150ms)}).value();
    run_until(pgq::run_until::drained);
    CHECK(runs == 8);
    CHECK(jobs.counts<note>().value() == lane_counts{});
}

TEST_CASE("run_until::empty on an empty queue ends at once", "[worker][run_until]") {
    auto jobs = with_threads(1);
    const auto until = GENERATE(pgq::run_until::empty, pgq::run_until::drained);
    test::running_worker w{jobs, {.poll_interval = 1h, .until = until}, [](const note&) {}};
    CHECK(eventually([&] { return w.is_over(); }));
    CHECK(w.stop());
}

TEST_CASE("two workers drain one queue together, and both end", "[worker][run_until]") {
    const pgq::driver::memory store;
    test::run_log run_log;
    {
        auto first = with_threads(2, store), second = with_threads(2, store);
        first.enqueue(test::notes(500)).value();
        first.enqueue(test::notes(1), {.run_at = pgq::in(100ms)}).value();
        const auto handler = [&](const note& job, pgq::context& c) -> pgq::outcome {
            run_log.add(job.n, c);
            if (job.n % 50 == 7 && c.attempt() == 1) return pgq::retry_after{20ms, "once more"};
            return pgq::done{};
        };
        const pgq::worker_options drained{.until = pgq::run_until::drained};
        test::running_worker one{first, drained, handler}, two{second, drained, handler};
        CHECK(eventually([&] { return one.is_over() && two.is_over(); }));
        CHECK(first.counts<note>().value() == lane_counts{});
    }
    CHECK(run_log.size() == 501 + 10);
}

TEST_CASE("several workers with threads share the jobs, and each job runs once", "[worker][threads]") {
    const pgq::driver::memory store;
    test::run_log run_log;
    auto client = with_threads(1, store);
    {
        auto a = with_threads(2, store), b = with_threads(2, store), c = with_threads(2, store);
        const auto handler = [&](const note& job, pgq::context& ctx) { run_log.add(job.n, ctx); };
        test::running_worker w1{a, {}, handler}, w2{b, {}, handler}, w3{c, {}, handler};
        std::vector<std::jthread> producers;
        for (std::int64_t p = 0; p < 4; ++p)
            producers.emplace_back([&client, p] {
                for (std::int64_t n = 0; n < 250; ++n) client.enqueue(note{.n = p * 250 + n}).value();
            });
        producers.clear();
        CHECK(eventually([&] { return run_log.size() >= 1000; }));
        w1.stop().value();
        w2.stop().value();
        w3.stop().value();
    }
    CHECK(run_log.each_ran_once(1000));
    CHECK(client.counts<note>().value() == lane_counts{});
}

TEST_CASE("an enqueue and a due job wake a sleeping worker", "[worker][threads]") {
    auto jobs = with_threads(1);
    test::run_log run_log;
    test::running_worker w{
        jobs, {.poll_interval = 1h}, [&](const note& job, pgq::context& c) { run_log.add(job.n, c); }};
    for (std::int64_t n = 1; n <= 20; ++n) {
        jobs.enqueue(note{.n = n}).value();
        REQUIRE(eventually([&] { return run_log.size() == static_cast<std::size_t>(n); }));
    }
    jobs.enqueue(note{.n = 21}, {.run_at = pgq::in(30ms)}).value();
    CHECK(eventually([&] { return run_log.size() == 21; }));
    w.stop().value();
}

TEST_CASE("jobs that wait behind a slow one go back, and an idle peer runs them", "[worker][threads]") {
    const pgq::driver::memory store;
    auto client = with_threads(1, store), first = with_threads(1, store), second = with_threads(1, store);
    client.enqueue(test::notes(2)).value();
    barrier slow;
    const pgq::worker_options patient{.poll_interval = 1h};
    test::running_worker w1{first, patient, [&](const note&) { slow.wait(); }};
    REQUIRE(eventually([&] { return slow.waiting() == 1; }));
    test::run_log run_log;
    test::running_worker w2{second, patient, [&](const note& job, pgq::context& c) { run_log.add(job.n, c); }};
    CHECK(eventually([&] { return run_log.size() == 1; }));
    CHECK(slow.waiting() == 1);
    CHECK(run_log.all().front().attempt == 1);
    slow.open();
    w1.stop().value();
    w2.stop().value();
    CHECK(run_log.size() == 1);
    CHECK(client.counts<note>().value() == lane_counts{});
}

TEST_CASE("options that are out of range are refused before the worker starts", "[worker][options]") {
    auto jobs = with_threads(1);
    for (const auto& o : std::vector<pgq::worker_options>{{.max_attempts = 0},
                                                          {.max_attempts = -1},
                                                          {.lease_time = 0s},
                                                          {.lease_time = 99ms},
                                                          {.lease_time = 25h},
                                                          {.poll_interval = 0s},
                                                          {.poll_interval = 25h},
                                                          {.grace = -1s}}) {
        pgq::worker w{jobs, o, [](const note&) {}};
        const auto ran = w.run();
        REQUIRE_FALSE(ran);
        CHECK(ran.error() == pgq::errc::invalid_option);
    }
    CHECK(jobs.observer()->started == 0);
}

}  // namespace unit_worker_stop
