#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/worker_process.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace stress_killed_workers {

using namespace std::chrono_literals;
using test::database;
using test::task;
using steady = std::chrono::steady_clock;

TEST_CASE("a hundred thousand jobs all run while one of four workers is killed each second", "[stress][slow]") {
    database db;
    test::make_journal(db);
    pgq::queue<task, pgq::driver::libpq, pgq::serializer::json> jobs{db.driver()};
    constexpr std::int64_t count = 100'000;
    std::vector<task> batch;
    for (std::int64_t i = 0; i < count; ++i) {
        batch.push_back({.n = i});
        if (batch.size() < 10'000) continue;
        (void)jobs.enqueue(batch, {.packed = i % 20'000 < 10'000}).value();
        batch.clear();
    }

    const std::map<std::string, std::string> settings{
        {"lease", "2000"}, {"threads", "4"}, {"prefetch", "500"}, {"attempts", "200"}, {"poll", "500"}};
    std::vector<test::process> workers;
    for (int i = 0; i < 4; ++i) workers.push_back(test::start_worker(db, settings));

    int killed = 0;
    const auto deadline = steady::now() + 10min;
    for (std::size_t next = 0; !db.is_empty() && steady::now() < deadline; next = (next + 1) % workers.size()) {
        if (test::eventually(1s, [&] { return db.is_empty(); })) break;
        workers[next].send(SIGKILL);
        CHECK(workers[next].wait() == -SIGKILL);
        ++killed;
        workers[next] = test::start_worker(db, settings);
    }

    CHECK(db.is_empty());
    CHECK(killed >= 3);
    CHECK(db.query_int("SELECT count(DISTINCT n) FROM {s}.runs WHERE ended IS NOT NULL") == count);
    CHECK(jobs.held<task>().value().empty());
    // Only jobs that a killed worker had claimed run twice.
    CHECK(db.rows("runs") < count + killed * 1000);
    CHECK(test::eventually([&] { return db.rows("worker") == 4; }));
    for (auto& w : workers) {
        w.send(SIGTERM);
        CHECK(w.wait() == 0);
    }
    CHECK(db.has_no_worker());
    WARN(killed << " workers were killed, " << db.rows("runs") - count << " jobs ran more than once");
}

TEST_CASE("eight workers and four producers lose and hold no job while their backends are terminated all the time",
          "[stress][slow]") {
    database db;
    test::make_journal(db);
    const std::map<std::string, std::string> settings{
        {"lease", "3000"}, {"threads", "2"}, {"attempts", "200"}, {"poll", "500"}};
    std::vector<test::process> workers;
    for (int i = 0; i < 8; ++i) workers.push_back(test::start_worker(db, settings));

    std::atomic<std::int64_t> enqueued{0};
    std::vector<std::jthread> producers;
    for (int p = 0; p < 4; ++p)
        producers.emplace_back([&db, &enqueued] {
            auto safe = db.options();
            safe.conninfo = database::settings_of(safe.conninfo, "application_name", "producer");
            pgq::queue<task, pgq::driver::libpq, pgq::serializer::json> jobs{pgq::driver::libpq{safe}};
            for (int i = 0; i < 500; ++i) {
                const std::vector<task> some(static_cast<std::size_t>(i % 20 + 1));
                if (jobs.enqueue(some, {.priority = static_cast<std::int16_t>(i % 5), .packed = i % 40 < 20}))
                    enqueued += static_cast<std::int64_t>(some.size());
            }
        });
    int rounds = 0;
    CHECK(test::eventually(5min, [&] {
        db.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '" + db.schema() +
                "' AND random() < 0.02");
        return ++rounds >= 2000;
    }));
    producers.clear();
    CHECK(test::eventually(5min, [&] { return db.is_empty(); }));
    CHECK(enqueued > 0);
    CHECK(db.query_int("SELECT count(DISTINCT job) FROM {s}.runs WHERE ended IS NOT NULL") == enqueued);
    CHECK(db.query_int("SELECT count(*) FROM {s}.events WHERE what = 'connection restored'") > 0);
    for (auto& w : workers) {
        w.send(SIGTERM);
        CHECK(w.wait() == 0);
    }
}

}  // namespace stress_killed_workers
