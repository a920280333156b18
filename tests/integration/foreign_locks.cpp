#include <pgq/driver/libpq.hpp>
#include <pgq/limiter/global_concurrency.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <atomic>
#include <chrono>
#include <string>

namespace integration_foreign_locks {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

const std::string schema_id = "{s}.schema_id()";

}  // namespace

TEST_CASE("a worker goes to sleep, and is woken, although somebody else holds the lock of sleeping workers",
          "[integration][foreign_locks][direct]") {
    const database db;
    test::enqueuing_session from{db.options()};
    const auto lane = from.lanes({"a"}).at(0);
    test::claiming_session worker{db, {lane}};
    const test::sql_connection stranger{test::dsn(), db.schema()};
    for (const std::string& lock : {std::string{"0"}, std::to_string(worker.id().value)}) {
        CAPTURE(lock);
        (void)stranger.exec("SELECT pg_advisory_lock(" + schema_id + ", " + lock + ")");
        const auto began = std::chrono::steady_clock::now();
        worker.subscribe_wakes();
        CHECK(std::chrono::steady_clock::now() - began < 20s);
        (void)from.enqueue(lane, {"1"});
        CHECK(worker.receives_wake(5s));
        (void)worker.sync({.unsubscribe_wakes = true});
        (void)worker.finish(worker.claim(10));
        (void)stranger.exec("SELECT pg_advisory_unlock_all()");
    }
}

TEST_CASE("a limited lane whose lock somebody else holds does not keep a worker from its other lanes",
          "[integration][foreign_locks][direct]") {
    const database db;
    using limited = pgq::queue<pgq::job<note, pgq::limiter::global_concurrency<1>>, test::letter, pgq::driver::libpq,
                               pgq::serializer::json, pgq::executor::thread_pool, test::event_counts>;
    limited jobs{db.driver()};
    (void)jobs.lanes().value();
    std::atomic<int> notes{0}, letters{0};
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 10min}, [&](const note&) { ++notes; },
                           [&](const test::letter&) { ++letters; }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    const test::sql_connection stranger{test::dsn(), db.schema()};
    (void)stranger.exec("SELECT pg_advisory_lock((to_regnamespace('{q}')::oid::int8 << 32) + id) FROM {s}.lane_limit");
    (void)jobs.enqueue(note{}).value();
    (void)jobs.enqueue(test::letter{}).value();
    CHECK(test::eventually([&] { return letters == 1; }));
    (void)stranger.exec("SELECT pg_advisory_unlock_all()");
    CHECK(test::eventually([&] { return notes == 1; }));
}

TEST_CASE("enqueues into a lane with a bound take no lock that somebody else could hold",
          "[integration][foreign_locks]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    (void)jobs.lanes().value();
    const test::sql_connection stranger{test::dsn(), db.schema()};
    (void)stranger.exec("SELECT pg_advisory_lock(('{q}.ready'::regclass::oid::int8 << 32) | id) FROM {s}.lane");
    CHECK(jobs.enqueue(note{}, {.at_most = 5}).has_value());
}

}  // namespace integration_foreign_locks
