#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

// Promotions under an old snapshot. An open transaction keeps VACUUM from removing the entries of promoted jobs.
namespace integration_deferred_cursor {

using namespace std::chrono_literals;
using test::database;

namespace {

constexpr std::int64_t dead = 100'000;

struct old_snapshot {
    explicit old_snapshot(const database& db) : line{test::dsn(), db.schema()} {
        (void)line.exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
        (void)line.exec("SELECT count(*) FROM pg_class");
    }
    test::sql_connection line;
};

// Leaves the dead entries of jobs that were due up to now.
void leave_dead_jobs(const database& db) {
    db.exec(
        "INSERT INTO {s}.deferred (run_at, id, rank, lane, kind, body)"
        " SELECT statement_timestamp() - i * interval '1 millisecond', -i, 0, 1, 'd', 'gone' FROM generate_series(1, " +
        std::to_string(dead) + ") i");
    db.exec("DELETE FROM {s}.deferred WHERE id < 0");
}
void leave_dead_expiries(const database& db) {
    db.exec(
        "INSERT INTO {s}.tracked (id, lane, rank, expires_at)"
        " SELECT -i, 1, 0, statement_timestamp() - i * interval '1 millisecond' FROM generate_series(1, " +
        std::to_string(dead) + ") i");
    db.exec("DELETE FROM {s}.tracked WHERE id < 0");
}

// The entries that were read of an index. Sessions count when they end, at the latest.
std::int64_t entries_read(const database& db, const std::string& index) {
    REQUIRE(test::eventually([&] { return db.count_sessions("pid <> pg_backend_pid()") == 0; }));
    return db.query_int("SELECT pg_stat_get_tuples_returned('{q}." + index + "'::regclass)");
}

}  // namespace

TEST_CASE("under an old snapshot only the first of many promotions reads what has gone",
          "[integration][deferred_cursor][direct]") {
    database db;
    const old_snapshot holder{db};
    leave_dead_jobs(db);
    leave_dead_expiries(db);
    const auto read = [&](const std::string& index) { return entries_read(db, index); };
    const auto before = read("deferred_due"), expiries_before = read("tracked_expiry");
    constexpr int rounds = 40;
    {
        auto session = db.driver().connect(pgq::session_role::client).value();
        pgq::take_reply reply;
        for (int i = 0; i < rounds; ++i) session.take({.limit = 0, .peek_next_due = true}, reply).value();
    }
    // Before version 15 the server counts some time after the session has ended.
    CHECK(test::eventually([&] { return read("deferred_due") - before >= 2 * dead; }));
    // Each would read all of them twice. A scan takes some milliseconds, so at most each 40th of that time may be one.
    const auto jobs = read("deferred_due") - before, expiries = read("tracked_expiry") - expiries_before;
    INFO(jobs << " " << expiries);
    CHECK(jobs < rounds * dead);
    CHECK(expiries < rounds * dead);
}

TEST_CASE("a deferred job that commits after its time, behind the cursor, is found by the next full scan",
          "[integration][deferred_cursor]") {
    database db;
    test::enqueuing_session s{db.options()};
    const auto lane = s.lanes({"work"}).at(0);
    const old_snapshot holder{db};
    leave_dead_jobs(db);
    test::claiming_session one{db, {lane}}, two{db, {lane}};
    const auto promote = [](test::claiming_session& c) { return c.sync({.promote = true, .peek_next_due = true}); };

    const test::sql_connection late{test::dsn(), db.schema()};
    (void)late.exec("BEGIN");
    (void)late.exec(
        "INSERT INTO {s}.deferred (run_at, id, rank, lane, kind, body)"
        " SELECT statement_timestamp() + interval '1 millisecond', 7, 0, " +
        std::to_string(lane.value) + ", 'd', 'late'");
    // The cursors of both sessions pass its time.
    const auto started = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - started < 200ms) (void)promote(one), (void)promote(two);
    (void)late.exec("COMMIT");

    // A session says when it wants to look again, and a worker wakes up at that time.
    std::uint32_t promoted = 0;
    const auto committed = std::chrono::steady_clock::now();
    std::optional<pgq::duration> next = pgq::duration{};
    REQUIRE(test::eventually(30s, [&] {
        if (std::chrono::steady_clock::now() < committed + *next) return false;
        const auto reply = promote(two);
        promoted += reply.promoted;
        if (promoted == 0) {
            REQUIRE(reply.next_due.has_value());
            next = std::chrono::steady_clock::now() - committed + *reply.next_due;
        }
        return promoted == 1;
    }));
    CHECK(one.claim(10).claimed() == 1);
    CHECK(db.rows("deferred") == 0);
}

TEST_CASE("a session that promotes in vain while another holds a job's row promotes that job later",
          "[integration][deferred_cursor]") {
    database db;
    test::enqueuing_session s{db.options()};
    const auto lane = s.lanes({"work"}).at(0);
    const old_snapshot holder{db};
    leave_dead_jobs(db);
    (void)s.enqueue(lane, {"job"}, {.run_at = pgq::in(1ms)});
    const test::sql_connection other{test::dsn(), db.schema()};
    (void)other.exec("BEGIN");
    (void)other.exec("SELECT FROM {s}.deferred FOR UPDATE");  // as a promotion that dies before its commit
    test::claiming_session c{db, {lane}};
    for (int i = 0; i < 20; ++i) {
        const auto reply = c.sync({.promote = true, .peek_next_due = true});
        CHECK(reply.promoted == 0);
        REQUIRE(reply.next_due.has_value());
    }
    (void)other.exec("ROLLBACK");
    // The cursor has not passed it, so no full scan is needed.
    std::uint32_t promoted = 0;
    CHECK(test::eventually([&] {
        promoted += c.sync({.promote = true, .peek_next_due = true}).promoted;
        return promoted == 1;
    }));
    CHECK(c.claim(10).claimed() == 1);
}

}  // namespace integration_deferred_cursor
