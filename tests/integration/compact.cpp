#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>

#include <chrono>
#include <string>
#include <vector>

// What sql/0004_compact.sql promises for compact().
namespace integration_compact {

using test::database;

namespace {

const std::string all_jobs =
    "SELECT string_agg(r::text, '|' ORDER BY r.id) FROM (SELECT id, rank, lane, attempts, flags, headers, key, body "
    "FROM {s}.ready) r";
const std::string all_leases = "SELECT string_agg(l::text, '|' ORDER BY l.id) FROM {s}.lease l";

// Makes enough dead rows for a compaction. An open snapshot keeps VACUUM from removing them.
void leave_dead_rows(const database& db) {
    db.exec("INSERT INTO {s}.ready (id, rank, lane, body) SELECT -i, 0, 1, 'gone' FROM generate_series(1, 200001) i");
    db.exec("DELETE FROM {s}.ready WHERE id < 0");
    db.exec(
        "INSERT INTO {s}.lease (worker, lane, max_attempts, ids, ranks, attempts, bodies, enqueued_at)"
        " SELECT -1, 1, 1, '{1}', '{1}', '{1}', '{gone}', '{now}' FROM generate_series(1, 20001)");
    db.exec("DELETE FROM {s}.lease WHERE worker = -1");
}

// The beat of a worker. Before version 15 the server counts the dead rows of a session when that session does something
// else, half a second later.
pgq::beat_reply beat(test::claiming_session& c, const database& db) {
    (void)db.query_int("SELECT 1");
    return c.line().beat(c.id()).value();
}

bool compacts(const test::sql_connection& c) { return c.query_text("SELECT {s}.compact()") == "t"; }

struct reader_of_the_past {
    explicit reader_of_the_past(const database& db) : line{test::dsn(), db.schema()} {
        (void)line.exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
        (void)line.exec("SELECT count(*) FROM pg_class");
    }
    test::sql_connection line;
};

}  // namespace

TEST_CASE("compaction removes dead rows despite an old snapshot, and keeps jobs and leases unchanged",
          "[integration][compact]") {
    database db;
    test::enqueuing_session s{db.options()};
    const auto lane = s.lanes({"work"}).at(0);
    (void)s.enqueue(lane, test::numbered("urgent", 20), {.priority = 3});
    const auto ids = s.enqueue(lane, test::numbered("job", 30));
    db.exec("UPDATE {s}.ready SET headers = '{\"tenant\": \"a\"}', key = 'k', flags = 1 WHERE id % 7 = 0");
    test::claiming_session c{db, {lane}};
    const auto before = c.claim(1), claimed = c.claim(5);
    (void)c.finish(before);
    const reader_of_the_past holder{db};
    leave_dead_rows(db);
    const auto jobs = db.query_text(all_jobs), leases = db.query_text(all_leases);
    CHECK(db.query_int("SELECT pg_relation_size('{q}.ready')") > 10'000'000);

    const auto is_small = [&](const std::string& table) {
        return db.query_int("SELECT pg_relation_size('{q}." + table + "')") < 100'000;
    };
    // As a worker's heartbeat calls it, and with its report.
    int compacted = 0;
    REQUIRE(test::eventually([&] {
        compacted += c.line().beat(c.id()).value().compacted;
        return is_small("ready") && is_small("lease");
    }));
    CHECK(compacted == 2);
    CHECK_FALSE(c.line().beat(c.id()).value().compacted);
    CHECK(db.query_text(all_jobs) == jobs);
    CHECK(db.query_text(all_leases) == leases);

    // The lease has moved. The worker's first acknowledgement does not find it, and is repeated at the new location.
    CHECK(c.finish(claimed).lost.size() == 1);
    const auto now = c.line().lease_updates(c.id()).value();
    REQUIRE(now.size() == 1);
    CHECK(now[0].ref.id == claimed.leases.at(0).ref.id);
    const std::vector refs{now[0].ref};
    CHECK(c.sync({.finished = refs}).lost.empty());
    CHECK(c.claim(100).claimed() == 44);
    CHECK(s.enqueue(lane, {"next"}).at(0) > ids.back());
}

TEST_CASE("compaction keeps the values of columns that somebody else has added", "[integration][compact]") {
    database db;
    test::enqueuing_session s{db.options()};
    const auto lane = s.lanes({"work"}).at(0);
    (void)s.enqueue(lane, test::numbered("job", 30));
    test::claiming_session c{db, {lane}};
    const auto claimed = c.claim(5);
    for (const std::string table : {"ready", "lease", "pack", "claim_slot"})
        db.exec("ALTER TABLE {s}." + table + " ADD COLUMN dropped int, ADD COLUMN \"their own\" text DEFAULT 'x'");
    for (const std::string table : {"ready", "lease", "pack", "claim_slot"})
        db.exec("ALTER TABLE {s}." + table + " DROP COLUMN dropped");
    db.exec("UPDATE {s}.ready SET \"their own\" = id::text");
    const auto theirs = [&] {
        return db.query_text("SELECT string_agg(\"their own\", ',' ORDER BY id) FROM {s}.ready");
    };
    const auto before = theirs(), leases = db.query_text(all_leases);
    const reader_of_the_past holder{db};
    leave_dead_rows(db);

    int compacted = 0;
    CHECK(test::eventually([&] { return (compacted += beat(c, db).compacted) == 2; }));
    CHECK(db.query_int("SELECT pg_relation_size('{q}.ready')") < 100'000);
    CHECK(theirs() == before);
    CHECK(db.query_text(all_leases) == leases);
    CHECK(c.claim(100).claimed() == 25);
}

TEST_CASE("the reply to a heartbeat says why compaction failed, and the worker is alive all the same",
          "[integration][compact]") {
    database db;
    test::enqueuing_session s{db.options()};
    const auto lane = s.lanes({"work"}).at(0);
    (void)s.enqueue(lane, test::numbered("job", 3));
    test::claiming_session c{db, {lane}};
    // Nobody can insert a value of a generated column.
    db.exec("ALTER TABLE {s}.ready ADD COLUMN size int GENERATED ALWAYS AS (octet_length(body)) STORED");
    const reader_of_the_past holder{db};
    leave_dead_rows(db);
    db.exec("TRUNCATE {s}.lease");
    pgq::beat_reply answer;
    REQUIRE(test::eventually([&] {
        answer = beat(c, db);
        return answer.compact_error.has_value();
    }));
    CHECK(answer.alive);
    CHECK_FALSE(answer.compacted);
    CHECK(answer.compact_error->text().find("\"size\"") != std::string::npos);
    CHECK(db.rows("ready") == 3);
}

TEST_CASE("compaction removes dead packs and keeps waiting ones", "[integration][compact][packs]") {
    database db;
    test::enqueuing_session s{db.options()};
    const auto lane = s.lanes({"work"}).at(0);
    const auto ids = s.enqueue(lane, test::numbered("job", 250), {.packed = true});
    const std::string all_packs = "SELECT string_agg(p::text, '|' ORDER BY p.id) FROM {s}.pack p";
    const auto packs = db.query_text(all_packs);
    const reader_of_the_past holder{db};
    db.exec(
        "INSERT INTO {s}.pack (id, rank, lane, n, ids, bodies)"
        " SELECT -i, 0, 1, 1, ARRAY[-i], ARRAY['gone'::bytea] FROM generate_series(1, 20001) i");
    db.exec("DELETE FROM {s}.pack WHERE id < 0");
    CHECK(test::eventually([&] { return compacts(db.sql()); }));
    CHECK(db.query_int("SELECT pg_relation_size('{q}.pack')") < 100'000);
    CHECK(db.query_text(all_packs) == packs);
    test::claiming_session c{db, {lane}};
    CHECK(c.claim(1000).claimed() == ids.size());
}

TEST_CASE("compaction removes dead deferred jobs and keeps those that wait, are blocked or are held",
          "[integration][compact][deferred]") {
    database db;
    test::enqueuing_session s{db.options()};
    const auto lanes = s.lanes({"work", "dead"});
    (void)s.enqueue(lanes[0], test::numbered("job", 20), {.run_at = pgq::in(std::chrono::hours{1})});
    db.exec(
        "UPDATE {s}.deferred SET kind = 'h', run_at = 'infinity', reason = 'why', headers = '{\"a\": \"b\"}', key = "
        "'k',"
        " flags = 1 WHERE id % 5 = 0");
    db.exec("UPDATE {s}.deferred SET kind = 'b', run_at = 'infinity' WHERE id % 5 = 1");
    // Jobs that are held already stay where they are when their lane gets dead letters.
    db.exec("UPDATE {s}.lane SET dead_letters = " + std::to_string(lanes[1].value) +
            " WHERE id = " + std::to_string(lanes[0].value));
    const std::string all = "SELECT string_agg(d::text, '|' ORDER BY d.id) FROM {s}.deferred d";
    const auto before = db.query_text(all);
    const reader_of_the_past holder{db};
    db.exec(
        "INSERT INTO {s}.deferred (run_at, id, rank, lane, kind, body)"
        " SELECT now(), -i, 0, 1, 'd', 'gone' FROM generate_series(1, 200001) i");
    db.exec("DELETE FROM {s}.deferred WHERE id < 0");
    CHECK(test::eventually([&] { return compacts(db.sql()); }));
    CHECK(db.query_int("SELECT pg_relation_size('{q}.deferred')") < 100'000);
    CHECK(db.query_int("SELECT pg_relation_size('{q}.deferred_due')") < 100'000);
    CHECK(db.query_text(all) == before);
    CHECK(db.rows("ready") == 0);

    // A job that is held from now on goes there.
    db.exec(
        "UPDATE {s}.deferred SET kind = 'h', run_at = 'infinity' WHERE id = (SELECT min(id) FROM {s}.deferred"
        " WHERE kind = 'd')");
    CHECK(s.ready(lanes[1]) == 1);
}

TEST_CASE("the more rows are dead, the longer compaction waits for its lock", "[integration][compact]") {
    database db;
    const reader_of_the_past holder{db};
    leave_dead_rows(db);
    db.exec("TRUNCATE {s}.lease");
    REQUIRE(test::eventually(
        [&] { return db.query_int("SELECT pg_stat_get_dead_tuples('{q}.ready'::regclass)") >= 200'000; }));
    const test::sql_connection other{test::dsn(), db.schema()};
    (void)other.exec("BEGIN; LOCK TABLE {s}.ready IN ROW EXCLUSIVE MODE");
    const auto waits = [&](const std::string& dead_jobs) {
        const auto began = std::chrono::steady_clock::now();
        CHECK(db.query_text("SELECT {s}.compact(" + dead_jobs + ")") == "f");
        return std::chrono::steady_clock::now() - began;
    };
    CHECK(waits("200000") >= std::chrono::milliseconds{20});
    CHECK(waits("100000") >= std::chrono::milliseconds{180});
    CHECK(waits("50000") >= std::chrono::milliseconds{320});
    (void)other.exec("COMMIT");
    CHECK(test::eventually([&] { return compacts(db.sql()); }));
}

TEST_CASE("compaction leaves a table unchanged if that is not worth it, not safe, or switched off",
          "[integration][compact]") {
    database db;
    test::enqueuing_session s{db.options()};
    const auto lane = s.lanes({"work"}).at(0);
    CHECK_FALSE(compacts(db.sql()));
    leave_dead_rows(db);
    const auto size = [&] { return db.query_int("SELECT pg_relation_size('{q}.ready')"); };
    const auto before = size();
    REQUIRE(test::eventually(
        [&] { return db.query_int("SELECT pg_stat_get_dead_tuples('{q}.ready'::regclass)") >= 200'000; }));

    SECTION("in a transaction whose snapshot may be older than the rewritten rows") {
        const test::sql_connection other{test::dsn(), db.schema()};
        (void)other.exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
        CHECK_FALSE(compacts(other));
        (void)other.exec("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE; COMMIT");
        CHECK_FALSE(compacts(other));
    }
    SECTION("when it is switched off") {
        const test::sql_connection other{test::dsn(), db.schema()};
        (void)other.exec("SET pgq.compact = off");
        CHECK_FALSE(compacts(other));
    }
    SECTION("while another transaction has enqueued and not committed: compaction does not wait for it") {
        const test::sql_connection other{test::dsn(), db.schema()};
        (void)other.exec(
            "BEGIN; LOCK TABLE {s}.lease IN ROW EXCLUSIVE MODE;"
            "INSERT INTO {s}.ready (rank, lane, body) VALUES (0, 1, 'x')");
        CHECK_FALSE(compacts(db.sql()));
        CHECK(size() >= before);
        (void)other.exec("COMMIT");
        CHECK(db.rows("ready") == 1);
    }
    SECTION("when few rows are dead, unless the table is large") {
        (void)db.sql().exec("SET pgq.compact = off");
        const test::sql_connection other{test::dsn(), db.schema()};
        const auto leases = [&](int n, int bytes) {
            db.exec("TRUNCATE {s}.lease");
            REQUIRE(test::eventually(
                [&] { return db.query_int("SELECT pg_stat_get_dead_tuples('{q}.lease'::regclass)") == 0; }));
            db.exec("TRUNCATE {s}.ready");
            db.exec(
                "INSERT INTO {s}.lease (worker, lane, max_attempts, ids, ranks, attempts, bodies, enqueued_at)"
                " SELECT -1, 1, 1, '{1}', '{1}', '{1}', ARRAY[convert_to(repeat('x', " +
                std::to_string(bytes) + "), 'UTF8')], '{now}' FROM generate_series(1, " + std::to_string(n) + ")");
            db.exec("DELETE FROM {s}.lease WHERE worker = -1");
            REQUIRE(test::eventually(
                [&] { return db.query_int("SELECT pg_stat_get_dead_tuples('{q}.lease'::regclass)") >= n; }));
        };
        leases(300, 1000);
        CHECK_FALSE(compacts(other));
        leases(300, 300'000);
        CHECK(db.query_int("SELECT pg_table_size('{q}.lease')") > 67'108'864);
        CHECK(test::eventually([&] { return compacts(other); }));
        CHECK(db.query_int("SELECT pg_table_size('{q}.lease')") < 100'000);
        return;
    }
    SECTION("when the waiting jobs are more than a tenth of the dead rows, or are long") {
        db.exec("TRUNCATE {s}.lease");
        REQUIRE(test::eventually(
            [&] { return db.query_int("SELECT pg_stat_get_dead_tuples('{q}.lease'::regclass)") == 0; }));
        if (GENERATE(true, false)) (void)s.enqueue(lane, test::numbered("job", 20'100));
        else (void)s.enqueue(lane, std::vector<std::string>(6, std::string(6 << 20, 'x')));
        const auto waiting = db.rows("ready");
        CHECK_FALSE(compacts(db.sql()));
        CHECK(db.rows("ready") == waiting);
    }
    CHECK(size() >= before);
}

}  // namespace integration_compact
