#include <pgq/health/running_handlers.hpp>
#include <pgq/health/worker_health.hpp>
#include <pgq/health/worker_monitor.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

namespace unit_health {

using namespace std::chrono_literals;
using pgq::steady_time;
using pgq::worker_health;
using pgq::detail::running_handlers;
using pgq::detail::worker_monitor;

namespace {

constexpr steady_time start{1h};

}  // namespace

TEST_CASE("a worker is ready while it runs, is connected, and its last heartbeat is younger than its lease time",
          "[unit][health]") {
    const worker_health good{.running = true, .connected = true, .last_heartbeat = 14s, .lease_time = 15s};
    CHECK(good.is_ready());
    CHECK(good.is_healthy());
    auto h = good;
    h.running = false;
    CHECK_FALSE(h.is_ready());
    h = good;
    h.connected = false;
    CHECK_FALSE(h.is_ready());
    h = good;
    h.last_heartbeat = 15s;
    CHECK_FALSE(h.is_ready());
    h.last_heartbeat.reset();
    CHECK_FALSE(h.is_healthy());
}

TEST_CASE("a handler that has been running for longer than the caller allows makes a worker unhealthy, but not unready",
          "[unit][health]") {
    const worker_health h{
        .running = true, .connected = true, .last_heartbeat = 1s, .oldest_handler = 10min, .lease_time = 15s};
    CHECK(h.is_healthy());
    CHECK(h.is_healthy(10min));
    CHECK_FALSE(h.is_healthy(9min));
    CHECK(h.is_ready());
}

TEST_CASE("the monitor reports the ages of the last heartbeat and of the oldest handler", "[unit][health]") {
    worker_monitor m;
    CHECK_FALSE(m.read(start).running);
    CHECK_FALSE(m.read(start).last_heartbeat);
    m.began(15s);
    m.set_connected(true);
    CHECK_FALSE(m.read(start).connected);  // not registered
    m.registered(start);
    CHECK(m.read(start + 2s).last_heartbeat == 2s);
    CHECK(m.read(start + 2s).is_ready());
    CHECK_FALSE(m.read(start + 2s).oldest_handler);

    auto first = m.handlers.begin();
    m.look(start + 3s);
    auto second = m.handlers.begin();
    m.look(start + 4s);
    m.beaten(start + 5s);
    auto h = m.read(start + 10s);
    CHECK(h.last_heartbeat == 5s);
    CHECK(h.handlers == 2);
    REQUIRE(h.oldest_handler);
    CHECK(*h.oldest_handler == 7s);
    first.end();
    first.end();
    h = m.read(start + 10s);
    CHECK(h.handlers == 1);
    CHECK(h.oldest_handler.value() == 6s);
    second.end();
    CHECK(m.read(start + 10s).handlers == 0);
    CHECK_FALSE(m.read(start + 10s).oldest_handler);
    m.ended();
    CHECK_FALSE(m.read(start + 10s).is_ready());
}

TEST_CASE("a handler that finds no free slot is not measured, and takes none from others", "[unit][health]") {
    running_handlers all;
    std::vector<running_handlers::registration> registrations;
    for (std::size_t i = 0; i < running_handlers::slots; ++i) registrations.push_back(all.begin());
    auto more = all.begin();
    CHECK(all.read(start).count == running_handlers::slots);
    more.end();
    CHECK(all.read(start).count == running_handlers::slots);
    registrations[500].end();
    CHECK(all.read(start).count == running_handlers::slots - 1);
    auto next = all.begin();
    CHECK(all.read(start + 1s).count == running_handlers::slots);
    for (auto& t : registrations) t.end();
    CHECK(all.read(start + 2s).oldest == start + 1s);
    next.end();
    CHECK(all.read(start + 2s).count == 0);
}

TEST_CASE("handlers begin and end in many threads while another thread reads", "[unit][health]") {
    running_handlers all;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&all] {
                for (int i = 0; i < 10'000; ++i) {
                    auto outer = all.begin();
                    auto inner = all.begin();
                    inner.end();
                    outer.end();
                }
            });
        for (int i = 0; i < 200; ++i) CHECK(all.read(start).count <= 8);
    }
    CHECK(all.read(start).count == 0);
}

}  // namespace unit_health
