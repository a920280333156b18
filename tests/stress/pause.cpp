#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/worker_process.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stress_pause {

using namespace std::chrono_literals;
using test::database;
using test::task;

// A worker process inserts a row into `runs` before each job begins, with the time of the server. The jobs take a
// millisecond, and a worker finds a pause with its next sync. So the limit below is hundreds of syncs.
TEST_CASE("while 16 processes claim, no job begins a second after pause() returned, and resume() wakes them at once",
          "[stress]") {
    database db;
    test::make_journal(db);
    pgq::queue<task, pgq::driver::libpq, pgq::serializer::json> jobs{db.driver()};
    constexpr int processes = 16, rounds = 5;
    std::int64_t count = 0;
    const auto enqueue = [&] {
        const std::vector<task> some(2000);
        for (int i = 0; i < 5; ++i) (void)jobs.enqueue(some, {.packed = i % 2 == 0}).value();
        count += 10'000;
    };
    enqueue();
    const std::map<std::string, std::string> settings{
        {"do", "sleep:1"}, {"threads", "2"}, {"prefetch", "200"}, {"poll", "600000"}, {"grace", "5000"}};
    std::vector<test::process> workers;
    for (int i = 0; i < processes; ++i) workers.push_back(test::start_worker(db, settings));

    double latest = 0, slowest = 0;
    for (int round = 0; round < rounds; ++round) {
        const auto before = db.rows("runs");
        REQUIRE(test::eventually([&] { return db.rows("runs") > before + 500; }));
        CHECK(jobs.pause<task>("round " + std::to_string(round)).value());
        const auto paused_at = db.query_text("SELECT clock_timestamp()");
        REQUIRE(test::eventually([&] { return db.leased() == 0; }));
        const auto begun = db.rows("runs");
        CHECK(test::always(300ms, [&] { return db.rows("runs") == begun; }));
        const auto late = db.query_text("SELECT coalesce(extract(epoch FROM max(began) - '" + paused_at +
                                        "'::timestamptz), 0) FROM {s}.runs");
        latest = std::max(latest, std::stod(late));
        CHECK(jobs.counts<task>().value() == pgq::lane_counts{.ready = count - begun, .paused = true});

        const auto resumed_at = db.query_text("SELECT clock_timestamp()");
        CHECK(jobs.resume<task>().value());
        REQUIRE(test::eventually([&] { return db.rows("runs") > begun; }));
        const auto first = db.query_text("SELECT extract(epoch FROM min(began) - '" + resumed_at +
                                         "'::timestamptz) FROM {s}.runs WHERE began > '" + resumed_at + "'");
        slowest = std::max(slowest, std::stod(first));
        enqueue();
    }
    CHECK(latest < 1);
    CHECK(slowest < 1);
    CHECK(test::eventually(5min, [&] { return db.is_empty(); }));
    CHECK(db.rows("runs") == count);  // no job that went back has run twice, and none is lost
    CHECK(db.query_int("SELECT count(*) FROM {s}.runs WHERE attempt <> 1") == 0);
    WARN("the last job began " << latest << " s after a pause, and the first one " << slowest << " s after a resume");
    for (auto& w : workers) {
        w.send(SIGTERM);
        CHECK(w.wait() == 0);
    }
}

}  // namespace stress_pause
