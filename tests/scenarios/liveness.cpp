#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/worker_process.hpp>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

namespace scenarios_liveness {

using namespace std::chrono_literals;
using test::database;
using test::task;
using steady = std::chrono::steady_clock;

namespace {

// This process only enqueues: the workers are other processes.
using task_queue = pgq::queue<task, pgq::driver::libpq, pgq::serializer::json>;

std::string by(const test::process& p) { return " WHERE pid = " + std::to_string(p.pid()); }

}  // namespace

TEST_CASE("another worker runs the job of a killed worker within two lease times", "[scenario][s34]") {
    database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    auto first_worker = test::start_worker(db, {{"do", "sleep:60000"}, {"lease", "2000"}});
    const auto id = jobs.enqueue(task{.n = 1}).value();
    REQUIRE(test::eventually([&] { return db.rows("runs") == 1; }));
    auto second_worker = test::start_worker(db, {{"do", "done"}, {"lease", "2000"}});

    const auto killed = steady::now();
    first_worker.send(SIGKILL);
    REQUIRE(test::eventually([&] { return db.query_int("SELECT count(*) FROM {s}.runs" + by(second_worker)) == 1; }));
    CHECK(steady::now() - killed < 2 * 2s + 10s);
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(db.rows("runs") == 2);
    CHECK(db.query_int("SELECT attempt FROM {s}.runs" + by(second_worker)) == 2);
    CHECK(db.query_int("SELECT job FROM {s}.runs" + by(second_worker)) == id.value);
}

TEST_CASE("a worker that drains waits for the jobs of a dead worker", "[scenario][drained]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    (void)jobs.enqueue(test::notes(3)).value();
    test::claiming_session dies{db, {jobs.lanes().value().back()}, 1s, 5};
    REQUIRE(dies.claim(2).claimed() == 2);
    test::run_log seen;
    test::run_until_empty(jobs, {.lease_time = 1s, .until = pgq::run_until::drained},
                          [&](const test::note& n, const pgq::context& c) { seen.add(n.n, c); });
    CHECK(seen.each_ran_once(3));
    CHECK(db.is_empty());
}

// Without heartbeats the other worker would take the job after one lease time and a beat, that is after 4 s. A busy
// machine may hold a beat up for 2 s.
TEST_CASE("a job that runs for three lease times runs once", "[scenario][s35][undisturbed]") {
    database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    auto one = test::start_worker(db, {{"do", "spin:9000"}, {"lease", "3000"}, {"threads", "1"}});
    auto two = test::start_worker(db, {{"do", "spin:9000"}, {"lease", "3000"}, {"threads", "1"}});
    (void)jobs.enqueue(task{.n = 1}).value();

    CHECK(test::eventually(90s,
                           [&] { return db.query_int("SELECT count(*) FROM {s}.runs WHERE ended IS NOT NULL") == 1; }));
    CHECK(test::eventually([&] { return db.is_empty(); }));
    INFO(test::events_of(db));
    CHECK(db.rows("runs") == 1);
    CHECK(db.query_int("SELECT max(attempt) FROM {s}.runs") == 1);
    // Not one beat was answered with an error, and no connection broke.
    CHECK(db.rows("events") == 0);
}

TEST_CASE("a worker that was frozen for longer than its lease time cannot change a job that another worker now runs",
          "[scenario][s36][undisturbed]") {
    database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    // When it continues, it returns a retry. If that counted, the job would be there twice.
    auto frozen = test::start_worker(db, {{"do", "retry:1000"}, {"lease", "1000"}});
    (void)jobs.enqueue(task{.n = 1}).value();
    REQUIRE(test::eventually([&] { return db.rows("runs") == 1; }));
    frozen.send(SIGSTOP);

    auto second_worker = test::start_worker(db, {{"do", "sleep:3000"}, {"lease", "10000"}});
    REQUIRE(test::eventually([&] { return db.rows("runs") == 2; }));
    frozen.send(SIGCONT);
    CHECK(test::eventually([&] {
        return db.query_int("SELECT count(*) FROM {s}.events" + by(frozen) + " AND what = 'lease lost'") == 1;
    }));
    CHECK(test::eventually([&] { return db.query_int("SELECT count(*) FROM {s}.runs WHERE ended IS NOT NULL") == 2; }));
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(db.rows("runs") == 2);
    INFO(test::events_of(db));
    CHECK(db.query_int("SELECT count(*) FROM {s}.runs" + by(second_worker)) == 1);
    CHECK(db.query_int("SELECT count(*) FROM {s}.events" + by(second_worker)) == 0);

    // It registers again and runs jobs, under a new worker id.
    second_worker.send(SIGTERM);
    CHECK(second_worker.wait() == 0);
    (void)jobs.enqueue(task{.n = 2}).value();
    CHECK(test::eventually([&] {
        return db.query_int("SELECT count(*) FROM {s}.runs WHERE n = 2 AND pid = " + std::to_string(frozen.pid())) > 0;
    }));
}

TEST_CASE("a job that kills its worker each time is held after its last attempt", "[scenario][s38]") {
    database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    const auto bad = jobs.enqueue(task{.n = 1, .act = GENERATE(as<std::string>{}, "crash", "exit")}).value();
    const auto held = [&] { return db.query_int("SELECT count(*) FROM {s}.deferred WHERE kind = 'h'") == 1; };

    int started = 0;
    const auto deadline = steady::now() + test::test_timeout;
    while (!held() && steady::now() < deadline) {
        auto w = test::start_worker(db, {{"lease", "500"}, {"attempts", "3"}, {"threads", "1"}});
        ++started;
        (void)test::eventually([&] { return w.exited() || held(); });
    }
    REQUIRE(held());
    CHECK(db.rows("runs") == 3);
    CHECK(started == 4);
    const auto found = jobs.held<task>().value();
    REQUIRE(found.size() == 1);
    CHECK(found[0].id == bad);
    CHECK(found[0].attempts == 3);
    CHECK(found[0].reason == "its worker died");

    // Other jobs of the lane still run.
    auto w = test::start_worker(db);
    (void)jobs.enqueue(task{.n = 2}).value();
    CHECK(test::eventually([&] { return db.query_int("SELECT count(*) FROM {s}.runs WHERE n = 2") == 1; }));
}

}  // namespace scenarios_liveness
