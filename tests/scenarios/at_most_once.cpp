#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <pgq/delivery/at_most_once.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace scenarios_at_most_once {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

using once_queue = pgq::queue<pgq::job<note, pgq::delivery::at_most_once>, pgq::driver::libpq, pgq::serializer::json,
                              test::event_counts>;

pgq::worker_options usual() { return {.lease_time = 5min, .until = pgq::run_until::drained}; }

}  // namespace

TEST_CASE("a worker deletes an at-most-once job from the database before it runs it",
          "[scenario][at_most_once][undisturbed]") {
    const database db;
    once_queue jobs{db.driver(), {}, pgq::executor::thread_pool{4}};
    (void)jobs.enqueue(test::notes(200)).value();
    test::run_log seen;
    std::atomic<int> still_there{0};
    test::run_until_empty(jobs, usual(), [&](const note& n, const pgq::context& c) {
        seen.add(n.n, c);
        if (n.n % 10 != 0) return;
        const test::sql_connection sql{test::dsn(), db.schema()};
        still_there += static_cast<int>(sql.query_int("SELECT count(*) FROM {s}.job WHERE state = 'leased' AND id = " +
                                                      std::to_string(c.id().value)));
    });
    CHECK(seen.each_ran_once(200));
    CHECK(still_there == 0);
    CHECK(db.is_empty());
    CHECK(jobs.observer()->lost == 0);
    CHECK(jobs.observer()->errors == 0);
}

TEST_CASE("the deletion of an at-most-once job is on disk before it runs, whatever synchronous_commit the user sets",
          "[scenario][at_most_once][usual_settings][direct]") {
    const database db;
    db.exec("CREATE TABLE {s}.settings (value text)");
    db.exec(
        "CREATE FUNCTION {s}.note_setting() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO {s}.settings VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$");
    db.exec("CREATE TRIGGER t AFTER DELETE ON {s}.lease FOR EACH ROW EXECUTE FUNCTION {s}.note_setting()");
    auto options = db.options();
    options.conninfo = database::with_settings("options", "-c synchronous_commit=off");
    once_queue jobs{pgq::driver::libpq{options}};
    (void)jobs.enqueue(note{.n = 1}).value();
    test::run_until_empty(jobs, usual(), [](const note&) {});
    CHECK(db.query_text("SELECT string_agg(value, ', ') FROM {s}.settings") == "on");
}

TEST_CASE("a worker does not run an at-most-once job whose deletion is in doubt, and tells the observer",
          "[scenario][at_most_once]") {
    const database db;
    test::proxy between;
    auto far = between.options(db);
    far.response_timeout = 500ms;
    once_queue jobs{pgq::driver::libpq{far}, {}, pgq::executor::thread_pool{1}};
    (void)jobs.enqueue(test::notes(2)).value();
    std::atomic<int> runs{0};
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 5min, .poll_interval = 10min}, [&](const note&) {
                               // The next job is deleted over the session of this one, and the answer is lost.
                               if (++runs == 1) between.mute();
                           }};
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(test::eventually([&] { return jobs.observer()->errors >= 1; }));
    CHECK(w.stop());
    CHECK(runs == 1);
    CHECK(db.is_empty());
}

TEST_CASE("no at-most-once job is lost when idle sessions break", "[scenario][at_most_once][direct][undisturbed]") {
    const database db;
    once_queue jobs{db.driver(), {}, pgq::executor::thread_pool{1}};
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 5min, .poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    (void)jobs.enqueue(note{.n = 1}).value();
    REQUIRE(test::eventually([&] { return seen.size() == 1; }));
    (void)db.end_sessions();
    REQUIRE(test::eventually([&] { return jobs.observer()->restored >= 1; }));
    // This uses a new queue object, because a session of the first one broke, too.
    once_queue{db.driver()}.enqueue(note{.n = 2}).value();
    CHECK(test::eventually([&] { return seen.size() == 2; }));
    CHECK(w.stop());
    CHECK(db.is_empty());
}

}  // namespace scenarios_at_most_once
