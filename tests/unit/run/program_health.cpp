#include <pgq/run/program_health.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace unit_run_program_health {

using namespace std::chrono_literals;
using pgq::steady_time;
using pgq::worker_health;
using pgq::detail::part_health;
using pgq::detail::program_health;

namespace {

constexpr steady_time start{1h};

part_health worker(bool connected, std::optional<pgq::duration> oldest = {}) {
    return {.running = true,
            .worker = worker_health{.running = true,
                                    .connected = connected,
                                    .last_heartbeat = 1500ms,
                                    .oldest_handler = oldest,
                                    .handlers = oldest ? 1u : 0u,
                                    .lease_time = 15s}};
}

}  // namespace

TEST_CASE("a program is ready when all of its parts are", "[unit][run]") {
    program_health h{5min, pgq::duration::max(), start};
    h.observe({worker(true), worker(false)}, false, start);
    CHECK_FALSE(h.is_ready());
    CHECK(h.status() == "not ready: 1 of 2 connected");
    h.observe({worker(true), worker(true)}, false, start);
    CHECK(h.is_ready());
    CHECK(h.status() == "running: 2 of 2 connected");
}

TEST_CASE("a part that has ended without an error, or says nothing of its health, does not keep a program from ready",
          "[unit][run]") {
    program_health h{5min, pgq::duration::max(), start};
    h.observe({{.running = true}, {.done = true}}, false, start);
    CHECK(h.is_ready());
    h.observe({{.running = false}}, false, start);  // it waits to start again
    CHECK_FALSE(h.is_ready());
}

TEST_CASE("a program is unhealthy only when it was not ready for longer than the tolerated time", "[unit][run]") {
    program_health h{5min, pgq::duration::max(), start};
    h.observe({worker(false)}, false, start + 5min);
    CHECK(h.is_healthy());  // it is still starting
    h.observe({worker(false)}, false, start + 5min + 1ns);
    CHECK_FALSE(h.is_healthy());
    h.observe({worker(true)}, false, start + 6min);
    CHECK(h.is_healthy());
    h.observe({worker(false)}, false, start + 11min);
    CHECK(h.is_healthy());
    CHECK_FALSE(h.is_ready());
    h.observe({worker(false)}, false, start + 12min);
    CHECK_FALSE(h.is_healthy());
}

TEST_CASE("a handler that has been running for too long makes a program unhealthy at once, and ready it stays",
          "[unit][run]") {
    program_health h{5min, 10min, start};
    h.observe({worker(true), worker(true, 10min)}, false, start);
    CHECK(h.is_healthy());
    h.observe({worker(true), worker(true, 10min + 1ns)}, false, start);
    CHECK_FALSE(h.is_healthy());
    CHECK(h.is_ready());
}

TEST_CASE("a program that stops is not ready and stays healthy", "[unit][run]") {
    program_health h{1s, pgq::duration::max(), start};
    h.observe({worker(false)}, true, start + 1h);
    CHECK_FALSE(h.is_ready());
    CHECK(h.is_healthy());
    CHECK(h.is_stopping());
    CHECK(h.status() == "stopping");
}

TEST_CASE("the health of a program as JSON", "[unit][run]") {
    program_health h{5min, pgq::duration::max(), start};
    h.observe({worker(true, 2s), {.running = false}}, false, start);
    CHECK(h.json() ==
          R"({"healthy":true,"ready":false,"stopping":false,"parts":[{"ready":true,"running":true,"connected":true,)"
          R"("handlers":1,"last_heartbeat_ms":1500,"oldest_handler_ms":2000},{"ready":false,"running":false}]})");
    h.observe({}, true, start);
    CHECK(h.json() == R"({"healthy":true,"ready":false,"stopping":true,"parts":[]})");
}

}  // namespace unit_run_program_health
