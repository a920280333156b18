#include <pgq/backoff/none.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/executor/timeout.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/jobs.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unit_worker_settings {

using namespace std::chrono_literals;
using test::letter;
using test::note;

namespace {

template <class... Policies>
using queue_with = pgq::queue<pgq::driver::memory, pgq::serializer::json, pgq::executor::thread_pool,
                              pgq::backoff::none, letter, Policies...>;
using plain_queue = queue_with<note>;

/// Runs until nothing is left; every handler fails. Returns how often each job ran.
template <class Queue>
std::map<std::int64_t, int> fail_all(Queue& jobs, std::int16_t max_attempts) {
    test::run_log seen;
    test::run_until_empty(
        jobs, {.max_attempts = max_attempts},
        [&](const note& n, pgq::context& c) {
            seen.add(n.n, c);
            throw std::runtime_error{"no"};
        },
        [&](const letter& l, pgq::context& c) {
            seen.add(l.n, c);
            throw std::runtime_error{"no"};
        });
    return seen.runs();
}

/// Runs until nothing is left. A handler waits until it should stop, and records the limit that it had.
template <class Queue>
std::vector<pgq::duration> run_into_timeouts(Queue& jobs) {
    test::gate never;
    std::vector<pgq::duration> limits;
    test::run_until_empty(
        jobs, {.max_attempts = 1},
        [&](const note&, pgq::context& c) {
            const auto now = std::chrono::steady_clock::now();
            limits.push_back(c.must_end_by() ? *c.must_end_by() - now : pgq::duration{});
            if (!c.must_end_by() || *c.must_end_by() > now + 10s) return;
            CHECK_FALSE(never.pass(c));
            CHECK(c.stop_reason() == pgq::stop_reason::timeout);
        },
        [](const letter&, pgq::context&) {});
    return limits;
}

template <class Queue>
std::string reason_of_the_one_held(Queue& jobs) {
    const auto held = jobs.template held<note>().value();
    return held.size() == 1 ? held[0].reason : std::to_string(held.size()) + " held";
}

}  // namespace

TEST_CASE("attempts: the job's option, then the entrypoint, then the queue, then the worker", "[worker][settings]") {
    SECTION("all four") {
        queue_with<pgq::job<note, pgq::attempts<3>>, pgq::attempts<4>> jobs;
        jobs.enqueue(note{.n = 1}, {.max_attempts = 2}).value();
        jobs.enqueue(note{.n = 2}).value();
        jobs.enqueue(letter{.n = 3}).value();
        CHECK(fail_all(jobs, 5) == std::map<std::int64_t, int>{{1, 2}, {2, 3}, {3, 4}});
    }
    SECTION("a larger number of a job goes before a smaller one of the worker") {
        plain_queue jobs;
        jobs.enqueue(note{.n = 1}, {.max_attempts = 4}).value();
        jobs.enqueue(note{.n = 2}).value();
        CHECK(fail_all(jobs, 1) == std::map<std::int64_t, int>{{1, 4}, {2, 1}});
    }
}

TEST_CASE("the reason of a job that ran out of attempts names the number that counted", "[worker][settings]") {
    plain_queue jobs;
    jobs.enqueue(note{.n = 1}, {.max_attempts = 2}).value();
    (void)fail_all(jobs, 7);
    CHECK(reason_of_the_one_held(jobs) == "attempt 2 of 2 failed: no");
}

TEST_CASE("a worker of another queue type obeys the attempts and the timeout that a job has of its own",
          "[worker][settings]") {
    const pgq::driver::memory database;
    queue_with<pgq::job<note, pgq::attempts<9>>> producer{database};
    plain_queue consumer{database};
    producer.enqueue(note{.n = 1}, {.max_attempts = 2}).value();
    producer.enqueue(note{.n = 2}).value();  // the setting of a type is that of the worker's program
    CHECK(fail_all(consumer, 3) == std::map<std::int64_t, int>{{1, 2}, {2, 3}});
}

TEST_CASE("a timeout of one job holds in a worker without any timeout", "[worker][settings]") {
    plain_queue jobs;
    jobs.enqueue(note{}, {.timeout = 20ms}).value();
    const auto limits = run_into_timeouts(jobs);
    REQUIRE(limits.size() == 1);
    CHECK(limits[0] <= 20ms);
    CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 20 ms");
}

TEST_CASE("timeout: the job's option, then the entrypoint, then the queue", "[worker][settings]") {
    SECTION("the entrypoint's, although the queue's is shorter") {
        queue_with<pgq::job<note, pgq::timeout<1h>>, pgq::timeout<1ms>> jobs;
        jobs.enqueue(note{}).value();
        CHECK(run_into_timeouts(jobs).at(0) > 59min);
        CHECK(jobs.counts<note>().value().held == 0);
    }
    SECTION("the queue's") {
        queue_with<note, pgq::timeout<15ms>> jobs;
        jobs.enqueue(note{}).value();
        (void)run_into_timeouts(jobs);
        CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 15 ms");
    }
    SECTION("a longer one of the job") {
        queue_with<pgq::job<note, pgq::timeout<1ms>>> jobs;
        jobs.enqueue(note{}, {.timeout = 2h}).value();
        CHECK(run_into_timeouts(jobs).at(0) > 119min);
    }
    SECTION("a shorter one of the job") {
        queue_with<pgq::job<note, pgq::timeout<1h>>> jobs;
        jobs.enqueue(note{}, {.timeout = 12ms}).value();
        (void)run_into_timeouts(jobs);
        CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 12 ms");
    }
    SECTION("without any there is none") {
        plain_queue jobs;
        jobs.enqueue(note{}).value();
        CHECK(run_into_timeouts(jobs).at(0) == 0s);
    }
}

TEST_CASE("a timeout limits all tries of retrying together, and the decorator limits in addition",
          "[worker][settings]") {
    using pgq::executor::retrying, pgq::executor::tries;
    test::gate never;
    std::atomic<int> tried{0};
    const auto handler = [&](const note&, pgq::context& c) {
        ++tried;
        (void)never.pass(c);
        throw std::runtime_error{"interrupted"};
    };
    std::string reason;
    SECTION("retrying") {
        queue_with<pgq::job<note, pgq::timeout<20ms>, retrying<pgq::backoff::none, tries<5>>>> jobs;
        jobs.enqueue(note{}).value();
        test::run_until_empty(jobs, {.max_attempts = 1}, handler, [](const letter&, pgq::context&) {});
        CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 20 ms: interrupted");
        CHECK(tried == 1);
    }
    SECTION("the decorator") {
        queue_with<pgq::job<note, pgq::timeout<1h>, pgq::executor::timeout<10ms>>> jobs;
        jobs.enqueue(note{}, {.timeout = 2h}).value();
        test::run_until_empty(jobs, {.max_attempts = 1}, handler, [](const letter&, pgq::context&) {});
        CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 10 ms: interrupted");
    }
}

TEST_CASE("what a handler without a context returns too late does not count", "[worker][settings]") {
    plain_queue jobs;
    jobs.enqueue(note{}, {.timeout = 1ns}).value();
    int runs = 0;
    test::run_until_empty(
        jobs, {.max_attempts = 1}, [&](const note&) { ++runs; }, [](const letter&) {});
    CHECK(runs == 1);
    CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 1 ns");
}

TEST_CASE("settings of an enqueue: the option of the call, then the entrypoint, then the queue", "[worker][settings]") {
    queue_with<pgq::job<note, pgq::priority<5>, pgq::delay<1h>>, pgq::priority<2>> jobs;
    const auto id = jobs.enqueue(note{.n = 1}).value();
    const auto at_once = jobs.enqueue(note{.n = 2}, {.priority = 0, .run_at = pgq::in(0s)}).value();
    const auto of_queue = jobs.enqueue(letter{.n = 3}).value();
    CHECK(jobs.counts<note>().value().deferred == 1);
    CHECK(jobs.counts<note>().value().ready == 1);
    CHECK(jobs.find_one<note>(id).value()->priority() == 5);
    CHECK(jobs.find_one<note>(at_once).value()->priority() == 0);
    CHECK(jobs.find_one<letter>(of_queue).value()->priority() == 2);
}

TEST_CASE("polled jobs have their own attempts, then those of their type, then those of the poller",
          "[worker][settings]") {
    queue_with<pgq::job<note, pgq::attempts<2>>> jobs;
    jobs.enqueue(note{.n = 1}, {.max_attempts = 1}).value();
    jobs.enqueue(note{.n = 2}).value();
    jobs.enqueue(letter{.n = 3}).value();
    std::map<std::int64_t, int> runs;
    for (auto& job : jobs.poll<note>({.timeout = 0s, .max_attempts = 3})) {
        ++runs[job->n];
        job.retry(0s, "no").value();
    }
    for (auto& job : jobs.poll<letter>({.timeout = 0s, .max_attempts = 3})) {
        ++runs[job->n];
        job.retry(0s, "no").value();
    }
    CHECK(runs == std::map<std::int64_t, int>{{1, 1}, {2, 2}, {3, 3}});
}

}  // namespace unit_worker_settings
