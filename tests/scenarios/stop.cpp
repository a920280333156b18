#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/worker_process.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace scenarios_stop {

using namespace std::chrono_literals;
using test::claiming_session;
using test::database;
using test::enqueuing_session;
using test::note;
using test::task;
using steady = std::chrono::steady_clock;

namespace {

using task_queue = pgq::queue<task, pgq::driver::libpq, pgq::serializer::json>;

std::vector<task> tasks(std::int64_t count) {
    std::vector<task> made;
    for (std::int64_t i = 0; i < count; ++i) made.push_back({.n = i});
    return made;
}

std::int64_t ended(const database& db) { return db.query_int("SELECT count(*) FROM {s}.runs WHERE ended IS NOT NULL"); }

}  // namespace

TEST_CASE("a cancelled job never runs, whether it is ready, delayed or held", "[scenario][s40]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    const auto held = jobs.enqueue(note{.n = 1}).value();
    test::run_until_empty(jobs, {}, [](const note&) -> pgq::outcome { return pgq::hold{}; });
    const auto delayed = jobs.enqueue(note{.n = 2}, {.run_at = pgq::in(300ms)}).value();
    const auto waiting = jobs.enqueue(note{.n = 3}).value();
    const auto kept = jobs.enqueue(note{.n = 4}).value();

    const std::array<pgq::job_id, 4> ids{held, delayed, waiting, pgq::job_id{1'000'000}};
    CHECK(jobs.cancel(ids).value().removed == 3);
    CHECK(jobs.requeue(held).value() == 0);
    CHECK(jobs.cancel(ids).value().removed == 0);

    test::run_log seen;
    test::run_until_empty(jobs, {.until = pgq::run_until::drained},
                          [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    REQUIRE(seen.size() == 1);
    CHECK(seen.all()[0].id == kept);
    CHECK(db.is_empty());
}

TEST_CASE("one call cancels a hundred thousand jobs", "[scenario][s42]") {
    database db;
    enqueuing_session s{db.options()};
    const auto lane = s.lanes({"many"});
    const auto ids = s.enqueue(lane[0], std::vector<std::string>(100'000, "x"));
    CHECK(s.line().cancel(ids).value().removed == 100'000);
    CHECK(db.is_empty());
}

TEST_CASE(
    "a worker that gets SIGTERM finishes running jobs, acknowledges them, and gives the others back without an attempt",
    "[scenario][s43]") {
    database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    (void)jobs.enqueue(tasks(50)).value();
    auto w = test::start_worker(db, {{"do", "sleep:500"}, {"threads", "2"}});
    REQUIRE(test::eventually([&] { return db.rows("runs") >= 2; }));

    w.send(SIGTERM);
    CHECK(w.wait() == 0);
    const auto ran = db.rows("runs");
    CHECK(ran < 50);
    CHECK(ended(db) == ran);
    CHECK(db.rows("lease") == 0);
    CHECK(db.has_no_worker());
    CHECK(db.rows("ready") == 50 - ran);
    CHECK(db.query_int("SELECT max(attempts) FROM {s}.ready") == 0);
}

TEST_CASE("after the grace time a handler that calls throw_if_stopping puts its job back, and no attempt counts",
          "[scenario][s43]") {
    database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    (void)jobs.enqueue(tasks(10)).value();
    auto w = test::start_worker(db, {{"do", "heed:60000"}, {"threads", "2"}, {"grace", "300"}});
    REQUIRE(test::eventually([&] { return db.rows("runs") == 2; }));

    const auto reported = steady::now();
    w.send(SIGTERM);
    CHECK(w.wait() == 0);
    CHECK(steady::now() - reported >= 300ms);
    CHECK(db.rows("lease") == 0);
    CHECK(db.rows("ready") == 10);
    CHECK(db.query_int("SELECT max(attempts) FROM {s}.ready") == 0);
}

TEST_CASE("a handler that ignores its stop token does not keep its job from other workers after the grace time",
          "[scenario][s43]") {
    database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    (void)jobs.enqueue(tasks(1)).value();
    auto stubborn = test::start_worker(db, {{"do", "wait"}, {"grace", "200"}, {"lease", "600000"}});
    REQUIRE(test::eventually([&] { return db.rows("runs") == 1; }));

    stubborn.send(SIGTERM);
    REQUIRE(test::eventually([&] { return db.rows("ready") == 1; }));
    CHECK_FALSE(stubborn.exited());
    CHECK(db.leased() == 0);
    auto other = test::start_worker(db, {{"do", "done"}, {"until", "empty"}});
    CHECK(other.wait() == 0);
    CHECK(db.is_empty());
    CHECK_FALSE(stubborn.exited());
    db.exec("INSERT INTO {s}.events (what) VALUES ('go')");
    CHECK(stubborn.wait() == 0);
    CHECK(db.is_empty());
}

TEST_CASE("a stop at any moment leaves no job leased and counts no attempt", "[scenario][s44]") {
    database db;
    test::note_queue<> jobs{db.driver(), {}, pgq::executor::thread_pool{2}};
    constexpr std::size_t count = 20'000;
    (void)jobs.enqueue(test::notes(count)).value();
    test::run_log seen;
    for (std::size_t round = 0; round < 20; ++round) {
        const std::size_t until = std::min(seen.size() + round * 7, count);
        test::running_worker w{jobs, pgq::worker_options{},
                               [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
        REQUIRE(test::eventually([&] { return seen.size() >= until; }));
        CHECK(w.stop().has_value());
        CHECK(db.rows("lease") == 0);
        CHECK(db.rows("ready") == static_cast<std::int64_t>(count - seen.size()));
        CHECK(db.query_int("SELECT max(attempts) FROM {s}.ready") == 0);
    }
    test::run_until_empty(jobs, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    CHECK(seen.each_ran_once(count));
    CHECK(db.is_empty());
}

TEST_CASE("a worker that is told to stop before it starts runs no job", "[scenario][s44]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    (void)jobs.enqueue(test::notes(10)).value();
    std::atomic<int> ran{0};
    pgq::worker w{jobs, [&](const note&) { ++ran; }};
    std::stop_source stop;
    stop.request_stop();
    CHECK(w.run(stop.get_token()).has_value());
    CHECK(ran == 0);
    CHECK(db.rows("ready") == 10);
    CHECK(db.rows("lease") == 0);
    CHECK(db.has_no_worker());
}

}  // namespace scenarios_stop
