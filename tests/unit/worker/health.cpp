#include <pgq/config.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <thread>

#if PGQ_HAS_COROUTINES
#include <pgq/executor/coroutine.hpp>

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#endif

namespace unit_worker_health {

using namespace std::chrono_literals;
using test::eventually;
using test::note;

namespace {

template <class... Policies>
using note_queue = pgq::queue<note, pgq::driver::memory, pgq::serializer::json, pgq::backoff::none, Policies...>;

// Runs a worker in another thread until the end of the scope.
template <class Worker>
std::jthread run(Worker& w) {
    return std::jthread{[&w](std::stop_token stop) { w.run(std::move(stop)).value(); }};
}

}  // namespace

TEST_CASE("a worker is healthy while it runs, and not before and after", "[unit][worker][health]") {
    note_queue<> jobs;
    pgq::worker w{jobs, pgq::worker_options{.lease_time = 10s}, [](const note&) {}};
    CHECK_FALSE(w.is_healthy());
    CHECK_FALSE(w.health().last_heartbeat);
    {
        const auto running = run(w);
        CHECK(eventually([&] { return w.is_healthy(); }));
        const auto h = w.health();
        CHECK(h.connected);
        CHECK(h.lease_time == 10s);
        CHECK(h.handlers == 0);
        CHECK_FALSE(h.oldest_handler);
    }
    CHECK_FALSE(w.is_healthy());
    CHECK_FALSE(w.health().connected);
    const auto again = run(w);
    CHECK(eventually([&] { return w.is_healthy(); }));
}

TEST_CASE("each heartbeat makes the age of the last one small again", "[unit][worker][health]") {
    note_queue<> jobs;
    pgq::worker w{jobs, pgq::worker_options{.lease_time = 300ms}, [](const note&) {}};
    const auto running = run(w);
    REQUIRE(eventually([&] { return w.is_healthy(); }));
    for (int i = 0; i < 3; ++i) {
        CHECK(eventually([&] { return w.health().last_heartbeat > 50ms; }));
        CHECK(eventually([&] { return w.health().last_heartbeat < 50ms; }));
    }
}

TEST_CASE("the health of a worker has the number of its running handlers, and the age of the oldest",
          "[unit][worker][health]") {
    note_queue<> jobs{{}, {}, pgq::executor::thread_pool{2}};
    std::atomic<std::int64_t> release{0};
    pgq::worker w{jobs, [&](const note& n) { (void)eventually([&] { return release >= n.n; }); }};
    const auto running = run(w);
    (void)jobs.enqueue(note{.n = 1}).value();
    REQUIRE(eventually([&] { return w.health().handlers == 1; }));
    REQUIRE(eventually([&] { return w.health().oldest_handler > 100ms; }));
    (void)jobs.enqueue(note{.n = 2}).value();
    REQUIRE(eventually([&] { return w.health().handlers == 2; }));
    CHECK(w.health().oldest_handler > 100ms);
    CHECK(w.is_healthy());
    CHECK_FALSE(w.health().is_healthy(100ms));
    release = 1;
    REQUIRE(eventually([&] { return w.health().handlers == 1; }));
    release = 2;
    CHECK(eventually([&] { return w.health().handlers == 0; }));
    CHECK_FALSE(w.health().oldest_handler);
}

TEST_CASE("a handler that throws, and one of a batch, are not counted after their end", "[unit][worker][health]") {
    note_queue<> jobs;
    std::atomic<std::uint32_t> seen{0};
    const auto end = [&](const pgq::worker_health& h) {
        seen = h.handlers;
        throw std::runtime_error{"no"};
    };
    SECTION("one job") {
        pgq::worker<note_queue<>, std::function<void(const note&)>>* self = nullptr;
        pgq::worker w{jobs, pgq::worker_options{.max_attempts = 2},
                      std::function<void(const note&)>{[&](const note&) { end(self->health()); }}};
        self = &w;
        const auto running = run(w);
        (void)jobs.enqueue(note{}).value();
        CHECK(eventually([&] { return seen == 1 && w.health().handlers == 0; }));
    }
    SECTION("a batch of jobs has one handler") {
        pgq::worker<note_queue<>, std::function<void(std::span<const note>)>>* self = nullptr;
        pgq::worker w{jobs, pgq::worker_options{.max_attempts = 2},
                      std::function<void(std::span<const note>)>{[&](std::span<const note>) { end(self->health()); }}};
        self = &w;
        (void)jobs.enqueue(test::notes(50)).value();
        const auto running = run(w);
        CHECK(eventually([&] { return seen == 1 && w.health().handlers == 0; }));
    }
}

#if PGQ_HAS_COROUTINES

TEST_CASE("handlers that are coroutines count while they wait", "[unit][worker][health]") {
    note_queue<pgq::executor::coroutine> jobs;
    std::atomic<bool> release{false};
    pgq::worker w{jobs, [&](const note&) -> asio::awaitable<void> {
                      asio::steady_timer timer{co_await asio::this_coro::executor};
                      while (!release) {
                          timer.expires_after(1ms);
                          co_await timer.async_wait(asio::use_awaitable);
                      }
                  }};
    const auto running = run(w);
    (void)jobs.enqueue(test::notes(20)).value();
    CHECK(eventually([&] { return w.health().handlers == 20; }));
    release = true;
    CHECK(eventually([&] { return w.health().handlers == 0; }));
}

#endif

}  // namespace unit_worker_health
