#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace scenarios_resilience {

using namespace std::chrono_literals;
using test::database;
using test::note;
using steady = std::chrono::steady_clock;

namespace {

void terminate_backends(const database& db) { (void)db.end_sessions(); }

}  // namespace

TEST_CASE("a worker whose connections are all terminated goes on, acknowledges the finished jobs and runs none twice",
          "[scenario][s46][direct]") {
    database db;
    test::note_queue<> jobs{db.driver(), {}, pgq::executor::thread_pool{4}};
    (void)jobs.enqueue(test::notes(200)).value();
    test::run_log seen;
    test::gate gate;
    // With this long lease time no job is rescued: a job ends only because the worker acknowledges it.
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 5min, .poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) {
                               if (n.n >= 50) gate.pass(c);
                               seen.add(n.n, c);
                           }};
    REQUIRE(test::eventually([&] { return gate.waiting() == 4; }));
    const int rounds = GENERATE(1, 3);
    for (int i = 0; i < rounds; ++i) {
        terminate_backends(db);
        REQUIRE(test::eventually([&] { return jobs.observer()->restored >= i + 1; }));
    }
    terminate_backends(db);
    gate.open();

    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(seen.each_ran_once(200));
    for (const auto& s : seen.all()) CHECK(s.attempt == 1);

    // The worker listens again: only a notification can end this wait.
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    (void)jobs.enqueue(note{.n = 200}).value();
    CHECK(test::eventually([&] { return seen.size() == 201; }));
    CHECK(test::eventually([&] { return db.is_empty(); }));
}

TEST_CASE("jobs that finish without a connection are acknowledged once, after the worker has reconnected",
          "[scenario][s46]") {
    database db;
    test::proxy between;
    test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}, {}, pgq::executor::thread_pool{2}};
    (void)jobs.enqueue(test::notes(20)).value();
    test::run_log seen;
    test::gate gate;
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 5min, .poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) -> pgq::outcome {
                               gate.pass(c);
                               seen.add(n.n, c);
                               if (n.n == 7 && c.attempt() == 1) return pgq::retry_after{};
                               return pgq::done{};
                           }};
    REQUIRE(test::eventually([&] { return gate.waiting() == 2; }));
    gate.open();
    for (int i = 0; i < 5; ++i) between.cut();

    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(seen.size() == 21);
    for (const auto& [n, times] : seen.runs()) CHECK(times == (n == 7 ? 2 : 1));
}

TEST_CASE("an outcome counts once, even if the answer to its acknowledgement is lost", "[scenario][s46][direct]") {
    database db;
    test::proxy between;
    auto far = between.options(db);
    far.response_timeout = 500ms;
    test::note_queue<> jobs{pgq::driver::libpq{far}, {}, pgq::executor::thread_pool{1}};
    test::note_queue<> near_jobs{db.driver()};
    (void)near_jobs.enqueue(note{.n = 1}).value();
    using kind = pgq::outcome::kind;
    const auto what = GENERATE(kind::done, kind::hold, kind::retry);
    test::run_log seen;
    test::gate gate;
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 5min, .poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) -> pgq::outcome {
                               seen.add(n.n, c);
                               gate.pass(c);
                               if (what == kind::hold) return pgq::hold{"look"};
                               if (what == kind::retry && c.attempt() == 1) return pgq::retry_after{};
                               return pgq::done{};
                           }};
    REQUIRE(test::eventually([&] { return gate.waiting() == 1; }));
    REQUIRE(between.is_quiet_for(100ms));

    between.mute();
    gate.open();
    REQUIRE(test::eventually([&] { return jobs.observer()->restored == 1; }));
    const pgq::lane_counts wanted{.held = what == kind::hold ? 1 : 0};
    CHECK(test::eventually([&] { return near_jobs.counts<note>().value() == wanted; }));
    REQUIRE(between.is_quiet_for(100ms));
    CHECK(near_jobs.counts<note>().value() == wanted);
    CHECK(seen.size() == (what == kind::retry ? 2 : 1));
}

TEST_CASE("a worker detects a half-open connection, reconnects and finds the jobs that it missed", "[scenario][s47]") {
    database db;
    test::proxy between;
    auto far = between.options(db);
    far.response_timeout = 1s;
    test::note_queue<> near_jobs{db.driver()};
    test::note_queue<> far_jobs{pgq::driver::libpq{far}};
    (void)far_jobs.lanes().value();
    test::run_log seen;
    test::running_worker w{far_jobs, pgq::worker_options{.lease_time = 5min, .poll_interval = 500ms},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));

    between.freeze();
    const auto before = steady::now();
    (void)near_jobs.enqueue(note{.n = 1}).value();
    REQUIRE(test::eventually([&] { return seen.size() == 1; }));
    CHECK(steady::now() - before < 500ms + 1s + 10s);
    CHECK(far_jobs.observer()->failed >= 1);
    CHECK(test::eventually([&] { return db.is_empty(); }));

    // This time without a poll.
    REQUIRE(test::eventually([&] { return db.subscribed_workers() >= 1; }));
    (void)near_jobs.enqueue(note{.n = 2}).value();
    CHECK(test::eventually([&] { return seen.size() == 2; }));
    CHECK(test::eventually([&] { return db.is_empty(); }));
}

TEST_CASE("an enqueue over a silent connection ends with an error in time, and the next one works", "[scenario][s47]") {
    database db;
    test::proxy between;
    auto far = between.options(db);
    far.response_timeout = 500ms;
    test::note_queue<> jobs{pgq::driver::libpq{far}};
    (void)jobs.enqueue(note{.n = 1}).value();
    between.freeze();
    const auto begun = std::chrono::steady_clock::now();
    const auto silent = jobs.enqueue(note{.n = 2});
    REQUIRE_FALSE(silent);
    CHECK(std::chrono::steady_clock::now() - begun < 10s);  // by default it would be 30 s
    CHECK(silent.error() == pgq::errc::connection_lost);
    CHECK(jobs.enqueue(note{.n = 3}).has_value());
    CHECK(db.rows("ready") == 2);
}

TEST_CASE("notifications of other programs, malformed ones and throwing handlers do not disturb a worker",
          "[scenario][s48][direct][undisturbed]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    (void)jobs.lanes().value();
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.max_attempts = 1, .poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) {
                               seen.add(n.n, c);
                               if (n.n % 2 == 0) throw 5;
                           }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    const auto space = db.query_text("SELECT to_regnamespace('{q}')::oid");
    const auto worker = db.query_text("SELECT id FROM {s}.worker");
    for (const auto& channel : {space, space + "_" + worker})
        for (const auto* payload : {"''", "'nonsense'", "'2147483648'", "'-1'", "'{\"a\": 1}'", "repeat('x', 7000)"})
            db.exec("SELECT pg_notify('pgq_" + channel + "', " + payload + " || i) FROM generate_series(1, 100) i");

    for (std::int64_t i = 0; i < 10; ++i) {
        (void)jobs.enqueue(note{.n = i}).value();
        CHECK(test::eventually([&] { return seen.size() == static_cast<std::size_t>(i) + 1; }));
    }
    CHECK(test::eventually([&] { return jobs.counts<note>().value() == pgq::lane_counts{.held = 5}; }));
    CHECK(jobs.observer()->errors == 0);
    CHECK(jobs.observer()->failed == 0);
}

TEST_CASE("without session state a worker finds its jobs by polling, and leaves no state in its session",
          "[scenario][s49]") {
    database db;
    auto pooled = db.options();
    pooled.state = pgq::driver::session_state::none;
    test::proxy between;
    pooled.conninfo = between.options(db).conninfo;
    test::note_queue<> jobs{pgq::driver::libpq{pooled}};
    (void)jobs.lanes().value();
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 100ms},
                           [&](const note& n, const pgq::context& c) -> pgq::outcome {
                               if (seen.add(n.n, c).attempt == 1 && n.n == 2) return pgq::retry_after{50ms};
                               return pgq::done{};
                           }};
    const int before = between.syncs();
    REQUIRE(test::eventually([&] { return between.syncs() > before + 5; }));  // idle
    CHECK(db.subscribed_workers() == 0);
    (void)jobs.enqueue(note{.n = 1}).value();
    CHECK(test::eventually([&] { return seen.size() == 1; }));
    (void)jobs.enqueue(note{.n = 2}, {.run_at = pgq::in(200ms)}).value();
    CHECK(test::eventually([&] { return seen.size() == 3; }));
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(between.count("claim_one") + between.count("claim_few") == 0);  // no statement was prepared by name
    CHECK(between.count(test::frontend_reader::unnamed) > 0);
}

TEST_CASE("without session state a job waits for no longer than the poll interval", "[scenario][s49][direct]") {
    database db;
    auto pooled = db.options();
    pooled.state = pgq::driver::session_state::none;
    test::proxy between;
    pooled.conninfo = between.options(db).conninfo;
    test::note_queue<> jobs{pgq::driver::libpq{pooled}};
    (void)jobs.lanes().value();
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 1s},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    test::note_queue<> near_jobs{db.driver()};
    for (std::size_t i = 0; i < 4; ++i) {
        const int polls = between.syncs();
        REQUIRE(test::eventually([&] { return between.syncs() > polls; }));  // the job comes just after a poll
        const auto enqueued = steady::now();
        (void)near_jobs.enqueue(note{.n = static_cast<std::int64_t>(i)}).value();
        REQUIRE(test::eventually([&] { return seen.size() == i + 1; }));
        CHECK(steady::now() - enqueued < 1s + 3500ms);  // the default poll interval is 5 s
        REQUIRE(test::eventually([&] { return db.is_empty(); }));
        REQUIRE(between.is_quiet_for(100ms));
    }
}

}  // namespace scenarios_resilience
