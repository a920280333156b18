#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>
#include <thread>
#include <vector>

namespace stress_compact {

TEST_CASE("each job runs once while callers enqueue, workers run and the tables are compacted again and again",
          "[stress][compact]") {
    test::database db;
    test::note_queue<> producer{db.driver()}, consumer{db.driver()}, other{db.driver()};
    constexpr std::int64_t n = 20'000;
    test::run_log seen;
    std::stop_source stop;
    std::atomic<int> written_anew{0};
    const auto work = [&](auto& jobs) {
        pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 50},
                      [&](const test::note& j, const pgq::context& c) { seen.add(j.n, c); }};
        w.run(stop.get_token()).value();
    };
    std::jthread one{[&] { work(consumer); }}, two{[&] { work(other); }};
    std::jthread writer{[&](std::stop_token over) {
        const test::sql_connection line{test::dsn(), db.schema()};
        while (!over.stop_requested())
            // A lease that has moved must be found and acknowledged before it moves again.
            if (line.query_text("SELECT {s}.compact(0, 0) FROM pg_sleep(0.01)") == "t") ++written_anew;
    }};
    for (std::int64_t i = 0; i < n; i += 100) {
        std::vector<test::note> some;
        for (std::int64_t k = i; k < i + 100; ++k) some.push_back({.n = k});
        (void)producer.enqueue(some).value();
    }
    CHECK(test::eventually(std::chrono::minutes{2}, [&] { return db.is_empty(); }));
    writer.request_stop();
    stop.request_stop();
    one.join();
    two.join();
    CHECK(seen.each_ran_once(n));
    CHECK(written_anew.load() > 10);
}

TEST_CASE("each delayed job runs once while workers promote and their table is compacted again and again",
          "[stress][compact]") {
    test::database db;
    test::note_queue<> producer{db.driver()}, consumer{db.driver()}, other{db.driver()};
    constexpr std::int64_t n = 10'000;
    test::run_log seen;
    std::stop_source stop;
    std::atomic<int> written_anew{0};
    const auto work = [&](auto& jobs) {
        pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 50},
                      [&](const test::note& j, const pgq::context& c) { seen.add(j.n, c); }};
        w.run(stop.get_token()).value();
    };
    std::jthread one{[&] { work(consumer); }}, two{[&] { work(other); }};
    std::jthread writer{[&](std::stop_token over) {
        const test::sql_connection line{test::dsn(), db.schema()};
        while (!over.stop_requested())
            if (line.query_text("SELECT {s}.compact(1000000, 1000000, 1000000, 0) FROM pg_sleep(0.01)") == "t")
                ++written_anew;
    }};
    for (std::int64_t i = 0; i < n; i += 100) {
        std::vector<test::note> some;
        for (std::int64_t k = i; k < i + 100; ++k) some.push_back({.n = k});
        (void)producer.enqueue(some, {.run_at = pgq::in(std::chrono::milliseconds{1 + i % 700})}).value();
    }
    CHECK(test::eventually(std::chrono::minutes{2}, [&] { return db.is_empty(); }));
    writer.request_stop();
    stop.request_stop();
    one.join();
    two.join();
    CHECK(seen.each_ran_once(n));
    CHECK(written_anew.load() > 10);
}

}  // namespace stress_compact
