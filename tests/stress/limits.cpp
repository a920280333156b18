#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/limiter/global_rate.hpp>

#include <pgq/testing/laws/limits/contention.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/overlap.hpp>
#include <support/worker_process.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stress_limits {

using namespace std::chrono_literals;
using test::database;
using test::task;

namespace {

template <class Limiter>
using limited_queue = pgq::queue<pgq::job<task, Limiter>, pgq::driver::libpq, pgq::serializer::json>;

template <class Queue>
void declare(Queue& jobs) {
    auto session = jobs.driver().connect(pgq::session_role::client).value();
    (void)session.limits(jobs.name(), jobs.limiters().declared).value();
}

// Sixteen processes run all jobs, and one of them is killed every second. At the end every job has run.
template <class Queue>
int attack(const database& db, Queue& jobs, const std::vector<task>& all, std::map<std::string, std::string> settings) {
    test::make_journal(db);
    test::make_kills(db);
    declare(jobs);
    (void)jobs.enqueue(all).value();
    settings.insert({{"lease", "2000"}, {"poll", "1000"}, {"attempts", "200"}});
    std::vector<test::process> workers;
    for (int i = 0; i < 16; ++i) workers.push_back(test::start_worker(db, settings));
    int killed = 0;
    const auto deadline = std::chrono::steady_clock::now() + 5min;
    for (std::size_t next = 0; std::chrono::steady_clock::now() < deadline; next = (next + 1) % workers.size()) {
        if (test::eventually(1s, [&] { return db.is_empty(); })) break;
        // The test records the kill after the process has ended. The recorded time is a little late, which counts its
        // handlers as running for longer.
        const auto pid = workers[next].pid();
        workers[next].send(SIGKILL);
        CHECK(workers[next].wait() == -SIGKILL);
        db.exec("INSERT INTO {s}.kills VALUES (" + std::to_string(pid) + ", clock_timestamp())");
        ++killed;
        workers[next] = test::start_worker(db, settings);
    }
    CHECK(db.is_empty());
    CHECK(db.query_int("SELECT count(DISTINCT job) FROM {s}.runs WHERE ended IS NOT NULL") ==
          static_cast<std::int64_t>(all.size()));
    CHECK(jobs.template held<task>().value().empty());
    for (auto& w : workers) {
        w.send(SIGTERM);
        CHECK(w.wait() == 0);
    }
    return killed;
}

}  // namespace

TEST_CASE("sixteen processes, one of them killed each second, never exceed a limit of three",
          "[stress][slow][limiter]") {
    const database db;
    limited_queue<pgq::limiter::global_concurrency<3>> jobs{db.driver()};
    std::vector<task> all;
    for (std::int64_t i = 0; i < 1500; ++i) all.push_back({.n = i, .act = "sleep:" + std::to_string(5 + i * 7 % 40)});
    const int killed = attack(db, jobs, all, {{"threads", "2"}});
    CHECK(killed >= 3);
    CHECK(test::most_at_once(db) == 3);
    WARN(killed << " were killed; " << db.rows("runs") << " executions, on average "
                << static_cast<double>(test::mean_at_once(db)) / 1000 << " of 3 ran");
}

TEST_CASE("sixteen processes, one of them killed each second, never run two jobs with one of a thousand keys",
          "[stress][slow][limiter]") {
    const database db;
    limited_queue<pgq::limiter::serialized_by<&task::n>> jobs{db.driver()};
    std::vector<task> all;
    for (std::int64_t i = 0; i < 10000; ++i)
        all.push_back({.n = i * 7919 % 1000, .act = "sleep:" + std::to_string(i % 20)});
    const int killed = attack(db, jobs, all, {{"threads", "2"}});
    CHECK(killed >= 1);
    CHECK(test::most_at_once(db, "r.n") == 1);
    CHECK(test::most_at_once(db) > 16);
    WARN(killed << " were killed; " << db.rows("runs") << " executions, at most " << test::most_at_once(db)
                << " at once");
}

TEST_CASE("eight processes keep a rate of a hundred a second within two percent over a minute",
          "[stress][slow][alone][limiter]") {
    const database db;
    test::make_journal(db);
    limited_queue<pgq::limiter::global_rate<100>> jobs{db.driver()};
    declare(jobs);
    (void)jobs.enqueue(std::vector<task>(8000)).value();
    std::vector<test::process> workers;
    for (int i = 0; i < 8; ++i) workers.push_back(test::start_worker(db, {{"threads", "4"}}));
    REQUIRE(test::eventually(2min, [&] { return db.rows("runs") >= 6300; }));
    const auto in_a_minute = db.query_int(
        "SELECT count(*) FROM {s}.runs, (SELECT min(began) + interval '1 second' AS t FROM {s}.runs) s"
        " WHERE began >= s.t AND began < s.t + interval '1 minute'");
    CHECK(in_a_minute <= 6120);
    CHECK(in_a_minute >= 5880);
    WARN(in_a_minute << " began in a minute");
    for (auto& w : workers) w.send(SIGTERM);
    for (auto& w : workers) CHECK(w.wait() == 0);
}

TEST_CASE("no limit is exceeded in ten thousand rounds of concurrent claims and acknowledgements",
          "[stress][slow][limiter]") {
    const database db;
    const auto make = [&] { return db.driver(); };
    pgq::laws::check_limits_under_contention<pgq::driver::libpq>(make, 2500);
}

}  // namespace stress_limits
