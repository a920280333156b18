#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace scenarios_time {

using namespace std::chrono_literals;
using test::claiming_session;
using test::database;
using test::enqueuing_session;
using test::note;
using steady = std::chrono::steady_clock;

TEST_CASE("no worker can claim a delayed job before its time, and one can afterwards", "[scenario][s23]") {
    database db;
    enqueuing_session s{db.options()};
    const auto lane = s.lanes({"delayed"});
    claiming_session c{db, lane};

    const auto before = steady::now();
    (void)s.enqueue(lane[0], {"later"}, {.run_at = pgq::in(1s)});
    const auto early = c.promote_and_claim(1);
    if (steady::now() - before < 1s) CHECK(early.claimed() == 0);
    CHECK(test::eventually([&] { return c.promote_and_claim(1).claimed() == 1; }));
    CHECK(steady::now() - before >= 1s);
}

TEST_CASE("a delay of zero or less, or a time in the past, means at once", "[scenario][s23]") {
    database db;
    enqueuing_session s{db.options()};
    const auto lane = s.lanes({"at once"});
    const auto when = GENERATE(pgq::when{pgq::in(0s)}, pgq::when{pgq::in(-1h)}, pgq::when{pgq::at(pgq::time_point{})});
    (void)s.enqueue(lane[0], {"now"}, {.run_at = when});
    CHECK(claiming_session{db, lane}.claim(1).claimed() == 1);
}

TEST_CASE("an idle worker starts a delayed job at its time, whatever the poll interval", "[scenario][s24][direct]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    (void)jobs.lanes().value();
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));

    const auto before = steady::now();
    (void)jobs.enqueue(note{.n = 1}, {.run_at = pgq::in(1s)}).value();
    REQUIRE(test::eventually([&] { return seen.size() == 1; }));
    const auto took = seen.all()[0].at - before;
    CHECK(took >= 1s);
    CHECK(took < 30s);
}

TEST_CASE("jobs that become due while a worker falls asleep or wakes all start without a poll",
          "[scenario][s25][direct]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    (void)jobs.lanes().value();
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    for (std::int64_t i = 0; i < 100; ++i)
        (void)jobs.enqueue(note{.n = i}, {.run_at = pgq::in(std::chrono::milliseconds{i * 7 % 300})}).value();

    CHECK(test::eventually([&] { return seen.size() == 100; }));
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(seen.each_ran_once(100));
}

TEST_CASE("run_until::empty leaves delayed jobs in the queue, and run_until::drained waits for them",
          "[scenario][s26]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    (void)jobs.enqueue(note{.n = 2}, {.run_at = pgq::in(2s)}).value();
    test::run_log seen;
    const auto handler = [&](const note& n, const pgq::context& c) { seen.add(n.n, c); };

    test::run_until_empty(jobs, {.until = pgq::run_until::empty}, handler);
    CHECK(seen.size() == 1);
    CHECK(db.rows("deferred") == 1);

    test::run_until_empty(jobs, {.poll_interval = 10min, .until = pgq::run_until::drained}, handler);
    CHECK(seen.size() == 2);
    CHECK(db.is_empty());
}

TEST_CASE("two workers with run_until::drained both end, with retries and delayed jobs in the queue",
          "[scenario][s26][s45]") {
    database db;
    test::note_queue<> jobs{db.driver(), {}, pgq::executor::thread_pool{2}};
    (void)jobs.enqueue(test::notes(200)).value();
    (void)jobs.enqueue(test::notes(20), {.run_at = pgq::in(500ms)}).value();
    test::run_log seen;
    const auto handler = [&](const note& n, const pgq::context& c) -> pgq::outcome {
        if (seen.add(n.n, c).attempt == 1 && n.n % 10 == 0) return pgq::retry_after{n.n % 20 == 0 ? 0ms : 100ms};
        return pgq::done{};
    };
    const pgq::worker_options drain{.poll_interval = 10min, .until = pgq::run_until::drained};
    test::running_worker one{jobs, drain, handler};
    test::running_worker two{jobs, drain, handler};

    REQUIRE(test::eventually([&] { return one.is_over() && two.is_over(); }));
    CHECK(one.stop().has_value());
    CHECK(two.stop().has_value());
    CHECK(db.is_empty());
    CHECK(seen.size() == 220 + 22);
}

}  // namespace scenarios_time
