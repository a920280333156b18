#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace stress_compact {

namespace {

// Two workers run `n` jobs while a session calls `compact` as often as it can. `options_of(i)`: of the i-th call, which
// enqueues a hundred jobs.
template <class OptionsOf>
void run_during_compaction(std::int64_t n, const char* compact, OptionsOf options_of) {
    test::database db;
    test::note_queue<> producer{db.driver()}, consumer{db.driver()}, other{db.driver()};
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
            if (line.query_text(std::string{"SELECT {s}."} + compact + " FROM pg_sleep(0.01)") == "t") ++written_anew;
    }};
    for (std::int64_t i = 0; i < n; i += 100) {
        std::vector<test::note> some;
        for (std::int64_t k = i; k < i + 100; ++k) some.push_back({.n = k});
        (void)producer.enqueue(some, options_of(i)).value();
    }
    CHECK(test::eventually(std::chrono::minutes{2}, [&] { return db.is_empty(); }));
    writer.request_stop();
    stop.request_stop();
    one.join();
    two.join();
    CHECK(seen.each_ran_once(static_cast<std::size_t>(n)));
    CHECK(written_anew.load() > 10);
}

}  // namespace

TEST_CASE("each job runs once while callers enqueue, workers run and the tables are compacted again and again",
          "[stress][compact]") {
    run_during_compaction(20'000, "compact(0, 0)", [](std::int64_t) { return pgq::enqueue_options{}; });
}

TEST_CASE("each delayed job runs once while workers promote and their table is compacted again and again",
          "[stress][compact]") {
    run_during_compaction(10'000, "compact(1000000, 1000000, 1000000, 0)", [](std::int64_t i) {
        return pgq::enqueue_options{.run_at = pgq::in(std::chrono::milliseconds{1 + i % 700})};
    });
}

}  // namespace stress_compact
