#include <pgq/client/queue_part.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/introspection.hpp>
#include <pgq/limiter/concurrency.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/jobs.hpp>
#include <support/ten_jobs.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace unit_client_queue_part {

namespace {

template <int Number>
using job = test::numbered_job<Number>;
using ten = test::queue_of_ten<pgq::queue, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place>;
using three = pgq::queue_part<ten, job<7>, job<2>, job<4>>;

std::int64_t ready_of_all(ten& jobs) {
    return [&]<int... Number>(std::integer_sequence<int, Number...>) {
        return (std::int64_t{0} + ... + jobs.counts<job<Number>>().value().ready);
    }
    (std::make_integer_sequence<int, 10>{});
}

constexpr pgq::worker_options until_empty{.until = pgq::run_until::empty};

}  // namespace

// The lanes of a part have the order of the queue, whatever the order of the types.
using lanes_of_three = pgq::detail::lanes_of_jobs<ten::composition_type, three::served_jobs>;
static_assert(lanes_of_three::count == 3);
static_assert(lanes_of_three::names[0].entrypoint == "job_2" && lanes_of_three::names[2].entrypoint == "job_7");
static_assert(pgq::detail::served_lanes_of<three>[1].job == 4);
static_assert(pgq::detail::served_lanes_of<ten>.size() == 10);
static_assert(std::is_same_v<pgq::detail::served_jobs_t<ten>, ten::composition_type::jobs>);

using handler_of_2 = void (*)(const job<2>&);
using worker_of_2 = pgq::worker<pgq::queue_part<ten, job<2>>, handler_of_2>;
static_assert(pgq::handles<worker_of_2, job<2>>);
static_assert(!pgq::handles<worker_of_2, job<3>>);

TEST_CASE("a worker of three of ten entrypoints runs their jobs, and another one runs those of the other seven",
          "[serving]") {
    ten jobs;
    test::enqueue_one_of_each(jobs);
    std::multiset<int> ran;
    pgq::worker few{pgq::serving<job<7>, job<2>, job<4>>(jobs), until_empty, [&](const job<2>&) { ran.insert(2); },
                    [&](const job<4>&) { ran.insert(4); }, [&](const job<7>&) { ran.insert(7); }};
    few.run().value();
    CHECK(ran == std::multiset<int>{2, 4, 7});
    CHECK(ready_of_all(jobs) == 7);

    pgq::worker others{pgq::serving<job<0>, job<1>, job<3>, job<5>, job<6>, job<8>, job<9>>(jobs), until_empty,
                       [&]<int Number>(const job<Number>&) { ran.insert(Number); }};
    others.run().value();
    CHECK(ran == std::multiset<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(ready_of_all(jobs) == 0);
}

TEST_CASE("among the jobs that a worker serves, the one with the highest priority runs first, over all entrypoints",
          "[serving]") {
    ten jobs;
    std::vector<std::int64_t> expected;
    for (std::int16_t priority = 0; priority < 20; ++priority) {
        (void)jobs.enqueue(job<1>{-1}, {.priority = priority}).value();  // of another worker
        if (priority % 2 == 0) (void)jobs.enqueue(job<3>{priority}, {.priority = priority}).value();
        else (void)jobs.enqueue(job<8>{priority}, {.priority = priority}).value();
        expected.insert(expected.begin(), priority);
    }
    std::vector<std::int64_t> seen;
    pgq::worker w{pgq::serving<job<8>, job<3>>(jobs), until_empty, [&](const job<3>& j) { seen.push_back(j.n); },
                  [&](const job<8>& j) { seen.push_back(j.n); }};
    w.run().value();
    CHECK(seen == expected);
    CHECK(ready_of_all(jobs) == 20);
}

TEST_CASE("a worker that drains does not wait for the jobs of types that it does not serve", "[serving]") {
    ten jobs;
    (void)jobs.enqueue(job<1>{}, {.run_at = pgq::in(std::chrono::hours{1})}).value();
    (void)jobs.enqueue(job<2>{5}).value();
    std::int64_t seen = 0;
    pgq::worker w{pgq::serving<job<2>>(jobs), pgq::worker_options{.until = pgq::run_until::drained},
                  [&](const job<2>& j) { seen = j.n; }};
    w.run().value();
    CHECK(seen == 5);
    CHECK(jobs.counts<job<1>>().value().deferred == 1);
}

TEST_CASE("a limit holds in a worker of a part of the queue", "[serving][limiter]") {
    using limited = pgq::queue<job<0>, pgq::job<job<1>, pgq::limiter::concurrency<2>>, job<2>, pgq::driver::memory,
                               pgq::serializer::json>;
    limited jobs;
    for (std::int64_t n = 0; n < 30; ++n) {
        (void)jobs.enqueue(job<1>{n}).value();
        (void)jobs.enqueue(job<2>{n}).value();
    }
    std::atomic<int> now{0}, most{0}, ran{0};
    pgq::worker w{pgq::serving<job<1>, job<2>>(jobs), until_empty,
                  [&](const job<1>&) {
                      const int at_once = ++now;
                      for (int seen = most; seen < at_once && !most.compare_exchange_weak(seen, at_once);) {}
                      std::this_thread::yield();
                      --now;
                      ++ran;
                  },
                  [&](const job<2>&) { ++ran; }};
    w.run().value();
    CHECK(ran == 60);
    CHECK(most <= 2);
}

TEST_CASE("a part of a queue object that was destroyed still works", "[serving]") {
    pgq::driver::memory driver;
    int ran = 0;
    auto jobs = std::make_unique<ten>(driver);
    (void)jobs->enqueue(job<2>{}).value();
    pgq::worker w{pgq::serving<job<2>>(*jobs), until_empty, [&](const job<2>&) { ++ran; }};
    jobs.reset();
    w.run().value();
    CHECK(ran == 1);
}

}  // namespace unit_client_queue_part
