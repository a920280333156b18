#include <pgq/backoff/none.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/observer/all_of.hpp>
#include <pgq/observer/database_metrics.hpp>
#include <pgq/observer/prometheus.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/time/manual_clock.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/exposition.hpp"
#include "support/jobs.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace unit_observer_prometheus {

using namespace pgq;
using namespace std::chrono_literals;
using test::exposition, test::letter, test::note;

namespace {

using kind = outcome::kind;

event::job_started started(std::string_view entrypoint) {
    return {.id = {1}, .entrypoint = entrypoint, .attempt = 1, .queue = "q"};
}
event::job_finished finished(std::string_view entrypoint, kind what, duration took) {
    return {.id = {1}, .entrypoint = entrypoint, .attempt = 1, .what = what, .run_time = took, .queue = "q"};
}
const std::string lane = R"({queue="q",entrypoint="mail"})";

}  // namespace

TEST_CASE("observer::prometheus counts jobs and attempts by queue and entrypoint", "[observer][prometheus]") {
    observer::prometheus metrics;
    metrics.on(event::jobs_enqueued{.queue = "q", .entrypoint = "mail", .count = 7});
    metrics.on(event::jobs_claimed{.count = 5, .entrypoint = "mail", .queue = "q"});
    metrics.on(
        event::jobs_returned{.queue = "q", .entrypoint = "mail", .count = 2, .why = event::return_reason::paused});
    metrics.on(event::job_cancelled{.queue = "q", .entrypoint = "mail"});
    for (int i = 0; i < 3; ++i) metrics.on(started("mail"));
    metrics.on(finished("mail", kind::done, 20ms));
    metrics.on(finished("mail", kind::retry, 400s));
    metrics.on(event::try_failed{.entrypoint = "mail", .queue = "q"});
    metrics.on(event::handler_exceeded_timeout{.entrypoint = "mail", .queue = "q"});

    const exposition seen{metrics};
    CHECK(seen.value("pgq_jobs_enqueued_total" + lane) == 7);
    CHECK(seen.value("pgq_jobs_claimed_total" + lane) == 5);
    CHECK(seen.value(R"(pgq_jobs_returned_total{queue="q",entrypoint="mail",reason="paused"})") == 2);
    CHECK(seen.value(R"(pgq_jobs_returned_total{queue="q",entrypoint="mail",reason="stopping"})") == 0);
    CHECK(seen.value("pgq_jobs_cancelled_total" + lane) == 1);
    CHECK(seen.value("pgq_attempts_started_total" + lane) == 3);
    CHECK(seen.value("pgq_attempts_running" + lane) == 1);
    CHECK(seen.value(R"(pgq_attempts_finished_total{queue="q",entrypoint="mail",outcome="done"})") == 1);
    CHECK(seen.value(R"(pgq_attempts_finished_total{queue="q",entrypoint="mail",outcome="retry"})") == 1);
    CHECK(seen.value("pgq_tries_failed_total" + lane) == 1);
    CHECK(seen.value("pgq_handlers_exceeded_timeout_total" + lane) == 1);

    const auto bucket = [&](const char* most) {
        return seen.value(R"(pgq_attempt_duration_seconds_bucket{queue="q",entrypoint="mail",le=")" +
                          std::string{most} + "\"}");
    };
    CHECK(bucket("0.01") == 0);
    CHECK(bucket("0.025") == 1);
    CHECK(bucket("300") == 1);
    CHECK(bucket("+Inf") == 2);
    CHECK(seen.value("pgq_attempt_duration_seconds_count" + lane) == 2);
    CHECK(seen.value("pgq_attempt_duration_seconds_sum" + lane) == Approx(400.02));
}

TEST_CASE("observer::prometheus counts how long jobs waited for their first attempt", "[observer][prometheus]") {
    observer::prometheus metrics;
    const auto begin = [&](std::int16_t attempt, duration waited) {
        metrics.on(event::job_started{.entrypoint = "mail", .attempt = attempt, .queue = "q", .waited = waited});
    };
    begin(1, 3ms);
    begin(1, 40s);
    begin(1, 48h);
    begin(1, -2ms);  // clocks of a server that was set back
    begin(2, 20s);   // a retry
    const exposition seen{metrics};
    const auto bucket = [&](const char* most) {
        return seen.value(R"(pgq_job_wait_seconds_bucket{queue="q",entrypoint="mail",le=")" + std::string{most} +
                          "\"}");
    };
    CHECK(bucket("0.001") == 1);
    CHECK(bucket("0.005") == 2);
    CHECK(bucket("30") == 2);
    CHECK(bucket("60") == 3);
    CHECK(bucket("86400") == 3);
    CHECK(bucket("+Inf") == 4);
    CHECK(seen.value("pgq_job_wait_seconds_count" + lane) == 4);
    CHECK(seen.value("pgq_job_wait_seconds_sum" + lane) == Approx(48 * 3600 + 40.003));
    CHECK(seen.value("pgq_attempts_started_total" + lane) == 5);
}

TEST_CASE("observer::prometheus counts what happens to the program", "[observer][prometheus]") {
    observer::prometheus metrics;
    CHECK_FALSE(exposition{metrics}.has("pgq_connected"));
    metrics.on(event::worker_started{.slots = 8});
    metrics.on(event::worker_started{.slots = 4});
    metrics.on(event::lease_lost{});
    metrics.on(event::jobs_rescued{.workers = 2, .returned = 30, .held = 4});
    metrics.on(event::error{});
    CHECK(exposition{metrics}.value("pgq_connected") == 1);
    metrics.on(event::connection_failed{});
    metrics.on(event::worker_stopped{.slots = 4});
    metrics.on(event::schedule_fired{.schedule = "nightly"});
    metrics.on(event::schedule_skipped{.schedule = "nightly"});
    metrics.on(event::schedule_missed{.schedule = "nightly"});

    const exposition seen{metrics};
    CHECK(seen.value("pgq_worker_slots") == 8);
    CHECK(seen.value("pgq_leases_lost_total") == 1);
    CHECK(seen.value("pgq_workers_rescued_total") == 2);
    CHECK(seen.value(R"(pgq_jobs_rescued_total{result="returned"})") == 30);
    CHECK(seen.value(R"(pgq_jobs_rescued_total{result="held"})") == 4);
    CHECK(seen.value("pgq_errors_total") == 1);
    CHECK(seen.value("pgq_connection_failures_total") == 1);
    CHECK(seen.value("pgq_connected") == 0);
    CHECK(seen.value(R"(pgq_schedule_fired_total{schedule="nightly"})") == 1);
    CHECK(seen.value(R"(pgq_schedule_skipped_total{schedule="nightly"})") == 1);
    CHECK(seen.value(R"(pgq_schedule_missed_total{schedule="nightly"})") == 1);
    CHECK(seen.value(R"(pgq_build_info{version=")" PGQ_VERSION R"("})") == 1);
    metrics.on(event::connection_restored{});
    CHECK(exposition{metrics}.value("pgq_connected") == 1);
}

TEST_CASE("observer::prometheus has series for so many names; the others share one", "[observer][prometheus]") {
    observer::prometheus metrics{{.max_names = 3}};
    for (int i = 0; i < 50; ++i) metrics.on(started("tenant " + std::to_string(i)));
    for (int i = 0; i < 50; ++i) metrics.on(event::schedule_fired{.schedule = "s" + std::to_string(i)});
    metrics.on(started("tenant 1"));
    const exposition seen{metrics};
    CHECK(seen.value(R"(pgq_attempts_started_total{queue="q",entrypoint="tenant 1"})") == 2);
    CHECK(seen.value(R"x(pgq_attempts_started_total{queue="(other)",entrypoint="(other)"})x") == 47);
    CHECK(seen.series("pgq_attempts_started_total") == 4);
    CHECK(seen.value(R"x(pgq_schedule_fired_total{schedule="(other)"})x") == 47);
}

TEST_CASE("observer::prometheus loses no count when many threads count and scrape", "[observer][prometheus]") {
    observer::prometheus metrics;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&metrics] {
            for (int i = 0; i < 2000; ++i) {
                const std::string name = "e" + std::to_string(i % 20);
                metrics.on(started(name));
                metrics.on(finished(name, kind::done, 1ms));
            }
        });
    for (int i = 0; i < 20; ++i)
        for (int e = 0; e < 20; ++e) {
            const auto running = R"(pgq_attempts_running{queue="q",entrypoint="e)" + std::to_string(e) + "\"}";
            const exposition seen{metrics};
            if (seen.has(running)) CHECK(seen.value(running) >= 0);
        }
    for (auto& t : threads) t.join();
    const exposition seen{metrics};
    for (int e = 0; e < 20; ++e) {
        const auto of = R"({queue="q",entrypoint="e)" + std::to_string(e) + "\"}";
        CHECK(seen.value("pgq_attempts_started_total" + of) == 400);
        CHECK(seen.value("pgq_attempt_duration_seconds_count" + of) == 400);
        CHECK(seen.value("pgq_attempts_running" + of) == 0);
    }
}

TEST_CASE("copies of observer::prometheus share their counts, and the last one keeps the collectable",
          "[observer][prometheus]") {
    std::weak_ptr<::prometheus::Collectable> registered;
    {
        const observer::prometheus metrics;
        observer::prometheus copy = metrics;
        registered = metrics.collectable();
        copy.on(event::error{});
        CHECK(exposition{*registered.lock()}.value("pgq_errors_total") == 1);
        CHECK(exposition{metrics}.value("pgq_errors_total") == 1);
    }
    CHECK(registered.expired());
}

TEST_CASE("observer::prometheus counts the events of a worker", "[observer][prometheus]") {
    using observers = observer::all_of<observer::prometheus>;
    using app_queue =
        queue<note, letter, driver::memory, serializer::json, backoff::none, executor::in_place, observers>;
    const observer::prometheus metrics;
    app_queue jobs{driver::memory{}, {.name = "app"}, executor::in_place{}, observers{metrics}};
    jobs.enqueue(test::notes(5)).value();
    jobs.enqueue(letter{}).value();
    test::run_until_empty(
        jobs, {.max_attempts = 2}, [](const note&) {}, [](const letter&) { throw std::runtime_error{"no"}; });
    const exposition seen{metrics};
    CHECK(seen.value(R"(pgq_jobs_enqueued_total{queue="app",entrypoint="note"})") == 5);
    CHECK(seen.value(R"(pgq_attempts_finished_total{queue="app",entrypoint="note",outcome="done"})") == 5);
    CHECK(seen.value(R"(pgq_attempts_finished_total{queue="app",entrypoint="letter",outcome="retry"})") == 1);
    CHECK(seen.value(R"(pgq_attempts_finished_total{queue="app",entrypoint="letter",outcome="hold"})") == 1);
    CHECK(seen.value(R"(pgq_jobs_claimed_total{queue="app",entrypoint="letter"})") == 2);
    CHECK(seen.value("pgq_worker_slots") == 0);
}

TEST_CASE("a worker reports how long each job waited until its claim", "[observer][prometheus][worker]") {
    using app_queue =
        queue<note, letter, driver::memory, serializer::json, backoff::none, executor::in_place, observer::prometheus>;
    const observer::prometheus metrics;
    manual_clock clock;
    app_queue jobs{driver::memory::with_clock(clock), {.name = "app"}, executor::in_place{}, metrics};
    const auto waits = [&](const char* entrypoint, const char* what) {
        return exposition{metrics}.value(std::string{"pgq_job_wait_seconds_"} + what + R"({queue="app",entrypoint=")" +
                                         entrypoint + "\"}");
    };
    jobs.enqueue(test::notes(3)).value();
    jobs.enqueue(letter{}).value();
    clock.advance(20s);
    jobs.enqueue(note{}).value();
    clock.advance(1s);
    test::run_until_empty(
        jobs, {.max_attempts = 2}, [](const note&) {},
        [&](const letter&) {
            clock.advance(5s);
            throw std::runtime_error{"no"};
        });
    CHECK(waits("note", "count") == 4);
    CHECK(waits("note", "sum") == 64);
    CHECK(waits("letter", "count") == 1);  // of two attempts
    CHECK(waits("letter", "sum") == 21);

    // A handler of batches, and jobs of one call.
    jobs.enqueue(test::notes(10), {.packed = true}).value();
    clock.advance(2s);
    test::run_until_empty(
        jobs, {}, [](std::span<const note>) {}, [](const letter&) {});
    CHECK(waits("note", "count") == 14);
    CHECK(waits("note", "sum") == 84);
    const auto counted = jobs.statistics<note>({.last = 1h}).value().wait;
    CHECK(counted.total() == 14);
    CHECK(counted.sum == 84s);
}

TEST_CASE("database_metrics exposes what its source has read", "[observer][prometheus]") {
    const auto source = []() -> result<observer::database_numbers> {
        observer::database_numbers n;
        n.lanes.push_back({.queue = "q",
                           .entrypoint = "mail",
                           .ready = {10'000, true},
                           .held = {3},
                           .leased = 4,
                           .oldest_ready = 12.5,
                           .paused = true});
        n.lanes_left_out = 2;
        n.workers_alive = 5, n.workers_dead = 1;
        n.deferred_overdue = 1.5;
        n.tables.push_back({"ready", 8192, 77});
        n.schedules.push_back({"q", "nightly", 30, false});
        n.limits.push_back({.queue = "q", .entrypoint = "mail", .allowed = 8, .used = 5});
        n.limits.push_back({.queue = "q", .kind = limit_kind::running_by_key, .number = 2, .allowed = 1, .used = 1});
        n.limits.push_back({.queue = "q", .kind = limit_kind::rate, .allowed = 50, .used = 12.5, .rate = 500});
        n.schema_version = 7;
        return n;
    };
    const observer::database_metrics metrics{source};
    const exposition seen{metrics};
    CHECK(seen.value("pgq_up") == 1);
    CHECK(seen.value(R"(pgq_queue_jobs{queue="q",entrypoint="mail",state="ready"})") == 10'000);
    CHECK(seen.value(R"(pgq_queue_jobs_capped{queue="q",entrypoint="mail",state="ready"})") == 1);
    CHECK(seen.value(R"(pgq_queue_jobs{queue="q",entrypoint="mail",state="held"})") == 3);
    CHECK(seen.value(R"(pgq_queue_jobs_capped{queue="q",entrypoint="mail",state="held"})") == 0);
    CHECK(seen.value(R"(pgq_queue_jobs{queue="q",entrypoint="mail",state="leased"})") == 4);
    CHECK(seen.value("pgq_queue_oldest_ready_age_seconds" + lane) == 12.5);
    CHECK(seen.value("pgq_queue_paused" + lane) == 1);
    CHECK(seen.value("pgq_queue_draining" + lane) == 0);
    CHECK(seen.value("pgq_lanes_left_out") == 2);
    CHECK(seen.value(R"(pgq_workers{state="alive"})") == 5);
    CHECK(seen.value(R"(pgq_workers{state="dead"})") == 1);
    CHECK(seen.value("pgq_deferred_overdue_seconds") == 1.5);
    CHECK(seen.value(R"(pgq_table_bytes{table="ready"})") == 8192);
    CHECK(seen.value(R"(pgq_table_dead_rows{table="ready"})") == 77);
    CHECK(seen.value(R"(pgq_schedule_overdue_seconds{queue="q",schedule="nightly"})") == 30);
    CHECK(seen.value("pgq_schema_version") == 7);
    const auto limit = [&](const std::string& name, const char* entrypoint, const char* kind, const char* number) {
        return seen.value("pgq_limit_" + name + R"({queue="q",entrypoint=")" + entrypoint + R"(",kind=")" + kind +
                          R"(",number=")" + number + "\"}");
    };
    CHECK(limit("max", "mail", "running", "0") == 8);
    CHECK(limit("running", "mail", "running", "0") == 5);
    CHECK(limit("max", "", "running_by_key", "2") == 1);
    CHECK(limit("running", "", "running_by_key", "2") == 1);
    CHECK(limit("max", "", "rate", "0") == 50);
    CHECK(limit("running", "", "rate", "0") == 12.5);
    CHECK(limit("rate", "", "rate", "0") == 500);
    CHECK(seen.series("pgq_limit_rate") == 1);
}

TEST_CASE("database_metrics says that it cannot read, and why", "[observer][prometheus]") {
    SECTION("the source returns an error") {
        const observer::database_metrics metrics{[]() -> result<observer::database_numbers> {
            return error_info{errc::connection_lost, "gone"};
        }};
        const exposition seen{metrics};
        CHECK(seen.value("pgq_up") == 0);
        CHECK_FALSE(seen.has("pgq_schema_version"));
        CHECK(metrics.last_error().message == "gone");
    }
    SECTION("the source throws") {
        const observer::database_metrics metrics{
            []() -> result<observer::database_numbers> { throw std::runtime_error{"out of luck"}; }};
        CHECK(exposition{metrics}.value("pgq_up") == 0);
        CHECK(metrics.last_error().message == "out of luck");
    }
}

}  // namespace unit_observer_prometheus
