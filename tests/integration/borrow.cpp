#include <pgq/driver/borrow.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <libpq-fe.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace integration_borrow {

namespace {

using pgq::errc;
using test::note;
using note_queue = pgq::queue<note, pgq::driver::borrow, pgq::serializer::json, pgq::executor::in_place>;

/// A program with its own connection, and a queue on that connection.
struct program {
    test::database db;
    test::sql_connection mine{test::database::settings_of(db.conninfo(), "client_encoding", "UTF8"), db.schema()};
    note_queue jobs{pgq::driver::borrow{mine.get(), {.schema = db.schema()}}};

    PGconn* connection() const noexcept { return mine.get(); }
    PGTransactionStatusType state() const { return PQtransactionStatus(mine.get()); }
    /// Everything in a session that the library could have changed.
    // Except the settings that appear when the server loads PL/pgSQL.
    std::string settings() const {
        return mine.query_text(
                   "SELECT string_agg(name || '=' || setting, ',' ORDER BY name) FROM pg_settings"
                   " WHERE name NOT LIKE 'plpgsql.%'") +
               mine.query_text("SELECT coalesce(string_agg(name, ','), '') FROM pg_prepared_statements") +
               mine.query_text("SELECT coalesce(string_agg(c, ','), '') FROM pg_listening_channels() c") +
               std::to_string(mine.query_int("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()"
                                             " AND locktype = 'advisory'"));
    }
};

}  // namespace

TEST_CASE("a queue on a borrowed connection enqueues and manages jobs", "[driver][borrow][usual_settings]") {
    program p;
    CHECK(p.jobs.install().has_value());
    const auto id = p.jobs.enqueue(note{1, "x"}).value();
    CHECK(p.jobs.enqueue(test::notes(50)).value().size() == 50);
    CHECK(p.jobs.enqueue(note{2, "later"}, {.run_at = pgq::in(std::chrono::hours{1})}).has_value());
    CHECK(p.jobs.counts<note>().value() == pgq::lane_counts{.ready = 51, .deferred = 1});
    CHECK(p.jobs.cancel(id).value().removed == 1);
    CHECK(p.jobs.held<note>().value().empty());
    CHECK(p.jobs.requeue(id).value() == 0);
    CHECK(p.jobs.failures(id).value().empty());
    CHECK(p.db.rows("ready") == 50);
}

TEST_CASE("no call leaves a change on the borrowed connection", "[driver][borrow][usual_settings][direct]") {
    program p;
    p.mine.exec("SET work_mem = '7MB'");
    p.mine.exec("PREPARE theirs AS SELECT 1");
    const auto before = p.settings();
    const auto id = p.jobs.enqueue(note{1, "x"}).value();
    (void)p.jobs.enqueue(note{2, "y"}, {.priority = 3, .run_at = pgq::in(std::chrono::seconds{1})}).value();
    (void)p.jobs.cancel(id).value();
    (void)p.jobs.counts<note>().value();
    CHECK(p.settings() == before);
    CHECK(p.state() == PQTRANS_IDLE);
    CHECK(PQpipelineStatus(p.connection()) == PQ_PIPELINE_OFF);
    CHECK(PQisnonblocking(p.connection()) == 0);
    CHECK(p.mine.query_int("EXECUTE theirs") == 1);
}

TEST_CASE("a job in the program's transaction exists when that commits, and not if it rolls back",
          "[driver][borrow][usual_settings]") {
    program p;
    p.jobs.lanes().value();
    p.mine.exec("BEGIN");
    CHECK(p.jobs.enqueue(note{1, "x"}).has_value());
    CHECK(p.state() == PQTRANS_INTRANS);
    CHECK(p.db.rows("ready") == 0);
    p.mine.exec("COMMIT");
    CHECK(p.db.rows("ready") == 1);

    p.mine.exec("BEGIN");
    CHECK(p.jobs.enqueue(test::notes(5)).has_value());
    p.mine.exec("ROLLBACK");
    CHECK(p.db.rows("ready") == 1);
}

TEST_CASE("a call that fails does not change the program's open transaction", "[driver][borrow][usual_settings]") {
    program p;
    p.jobs.lanes().value();
    p.mine.exec("BEGIN");
    p.mine.exec("CREATE TEMPORARY TABLE theirs (n int) ON COMMIT DROP");
    p.db.exec("ALTER TABLE {s}.ready ADD CONSTRAINT none CHECK (length(body) < 3)");
    CHECK_FALSE(p.jobs.enqueue(note{1, "too long"}).has_value());
    CHECK(p.state() == PQTRANS_INTRANS);
    CHECK(p.mine.query_int("SELECT count(*) FROM theirs") == 0);
    p.mine.exec("COMMIT");
    // Without a transaction the call leaves nothing behind either.
    CHECK_FALSE(p.jobs.enqueue(note{1, "too long"}).has_value());
    CHECK(p.state() == PQTRANS_IDLE);
}

TEST_CASE("a borrowed connection that cannot be used at the moment is an error, and the call does not touch it",
          "[driver][borrow][usual_settings]") {
    program p;
    p.jobs.lanes().value();
    const auto refused = [&](std::string_view why) {
        const auto failed = p.jobs.enqueue(note{1, "x"});
        REQUIRE_FALSE(failed.has_value());
        CHECK(failed.error() == errc::invalid_option);
        CHECK(failed.error().message.find(why) != std::string::npos);
        CHECK_FALSE(failed.error().hint.empty());
    };
    SECTION("in pipeline mode") {
        REQUIRE(PQenterPipelineMode(p.connection()) == 1);
        refused("pipeline mode");
        CHECK(PQpipelineStatus(p.connection()) == PQ_PIPELINE_ON);
        REQUIRE(PQexitPipelineMode(p.connection()) == 1);
    }
    SECTION("in the middle of a statement") {
        REQUIRE(PQsendQuery(p.connection(), "SELECT 1") == 1);
        refused("middle of a statement");
        const pgq::driver::pq::result_ptr theirs{PQgetResult(p.connection())};
        CHECK(PQresultStatus(theirs.get()) == PGRES_TUPLES_OK);
        while (const pgq::driver::pq::result_ptr rest{PQgetResult(p.connection())}) {}
    }
    SECTION("in a transaction that has failed") {
        p.mine.exec("BEGIN");
        CHECK_THROWS(p.mine.exec("SELECT 1/0"));
        refused("has failed");
        CHECK(p.state() == PQTRANS_INERROR);
        p.mine.exec("ROLLBACK");
    }
    SECTION("with another encoding") {
        p.mine.exec("SET client_encoding = 'LATIN1'");
        refused("is LATIN1, not UTF8");
        p.mine.exec("RESET client_encoding");
    }
    CHECK(p.jobs.enqueue(note{1, "x"}).has_value());
}

TEST_CASE("a call in the program's transaction creates no lane, because the transaction could roll back",
          "[driver][borrow][usual_settings]") {
    program p;
    p.mine.exec("BEGIN");
    const auto failed = p.jobs.enqueue(note{1, "x"});
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().hint.find("lanes()") != std::string::npos);
    p.mine.exec("ROLLBACK");
    CHECK(p.db.rows("lane") == 0);
    p.jobs.lanes().value();
    p.mine.exec("BEGIN");
    CHECK(p.jobs.enqueue(note{1, "x"}).has_value());
    p.mine.exec("COMMIT");
    CHECK(p.db.rows("ready") == 1);
}

TEST_CASE("a borrowed connection that is broken is an error, and works again after the program has reset it",
          "[driver][borrow][usual_settings][direct]") {
    program p;
    p.jobs.lanes().value();
    p.db.exec("SELECT pg_terminate_backend(" + std::to_string(PQbackendPID(p.connection())) + ", 5000)");
    for (int i = 0; i < 2; ++i) {
        const auto refused = p.jobs.enqueue(note{1, "x"}).error();
        CHECK(refused == errc::connection_lost);
        CHECK(refused.detail == "");  // not in doubt: nothing was sent
    }
    PQreset(p.connection());
    CHECK(p.jobs.enqueue(note{1, "x"}).has_value());
}

TEST_CASE("in the program's transaction a call leaves no lock and no setting behind, and wakes with the commit",
          "[driver][borrow][usual_settings][direct]") {
    program p;
    using worker_queue = pgq::queue<note, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place>;
    worker_queue elsewhere{p.db.driver()};
    const auto parent = p.jobs.enqueue(note{1, "x"}, {.run_at = pgq::in(std::chrono::hours{1})}).value().id();
    const std::array after{parent};
    (void)p.jobs.enqueue(note{2, "y"}, {.after = after, .if_parent_fails = pgq::parent_failure::run}).value();
    std::atomic<int> ran{0};
    std::stop_source stop;
    pgq::worker w{elsewhere, {.poll_interval = std::chrono::hours{1}}, [&](const note&) { ++ran; }};
    std::thread running{[&] { w.run(stop.get_token()).value(); }};
    const bool slept = test::eventually([&] { return p.db.subscribed_workers() == 1; });

    const auto durable = p.mine.query_text("SHOW synchronous_commit");
    p.mine.exec("BEGIN");
    const bool cancelled = p.jobs.cancel(parent).value().removed == 1;
    const auto durable_still = p.mine.query_text("SHOW synchronous_commit");
    const auto locks =
        p.mine.query_int("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'");
    p.mine.exec("COMMIT");
    const bool woke = test::eventually([&] { return ran == 1; });
    stop.request_stop();
    running.join();
    CHECK(slept);
    CHECK(cancelled);
    CHECK(durable_still == durable);
    CHECK(locks == 0);
    CHECK(woke);
}

TEST_CASE("a borrowed connection takes jobs and does not wait for them", "[driver][borrow][usual_settings]") {
    program p;
    const auto id = p.jobs.enqueue(note{1, "x"}).value().id();
    const auto taken = p.jobs.get<note>({.timeout = std::chrono::hours{1}}).value();
    REQUIRE(taken.has_value());
    CHECK(taken->id() == id);
    CHECK_FALSE(p.jobs.get<note>({.timeout = {}}).value().has_value());
    const auto failed = p.jobs.get<note>({.timeout = std::chrono::hours{1}});
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error() == errc::invalid_option);
    CHECK(failed.error().hint.find("timeout of zero") != std::string::npos);
}

TEST_CASE("a borrowed connection to a database without the schema is an error that says so",
          "[driver][borrow][usual_settings]") {
    const test::database db;
    note_queue jobs{pgq::driver::borrow{db.connection(), {.schema = "not_there"}}};
    CHECK(jobs.enqueue(note{1, "x"}).error() == errc::schema_missing);
    const auto failed = jobs.install();
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().hint.find("driver::libpq") != std::string::npos);
}

TEST_CASE("an enqueue on a borrowed connection wakes a worker of another process, in a transaction or not",
          "[driver][borrow][usual_settings][direct]") {
    program p;
    using worker_queue = pgq::queue<note, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place>;
    worker_queue elsewhere{p.db.driver()};
    std::atomic<int> ran{0};
    std::stop_source stop;
    pgq::worker w{elsewhere, {.poll_interval = std::chrono::hours{1}}, [&](const note&) { ++ran; }};
    std::thread running{[&] { w.run(stop.get_token()).value(); }};
    p.jobs.lanes().value();
    const bool slept = test::eventually([&] { return p.db.subscribed_workers() == 1; });
    const bool stored = p.jobs.enqueue(note{1, "x"}).has_value();
    const bool woke = test::eventually([&] { return ran == 1 && p.db.subscribed_workers() == 1; });
    p.mine.exec("BEGIN");
    const bool stored_too = p.jobs.enqueue(note{2, "x"}).has_value();
    p.mine.exec("COMMIT");
    const bool woke_again = test::eventually([&] { return ran == 2; });
    stop.request_stop();
    running.join();
    CHECK(slept);
    CHECK(stored);
    CHECK(woke);
    CHECK(stored_too);
    CHECK(woke_again);
}

}  // namespace integration_borrow
