#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/sql_functions.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace integration_foreign_rows {

using test::claiming_session;
using test::database;
using test::enqueuing_session;

namespace {

std::string in_lane(std::string_view text, pgq::lane_id lane) {
    std::string out{text};
    const auto at = out.find('#');
    return at == std::string::npos ? out : out.replace(at, 1, std::to_string(lane.value));
}

}  // namespace

TEST_CASE("the tables refuse rows that no statement of the library writes", "[integration][foreign_rows]") {
    const database db;
    enqueuing_session from{db.options()};
    const auto lane = from.lanes({"a"}).at(0);
    for (const std::string_view row : {
             "deferred (run_at, kind, id, rank, lane, body) VALUES ('-infinity', 'd', 1, 1, #, '')",
             "deferred (run_at, kind, id, rank, lane, body) VALUES ('infinity', 'd', 1, 1, #, '')",
             "deferred (run_at, kind, id, rank, lane, body) VALUES ('infinity', 'r', 1, 1, #, '')",
             "deferred (run_at, kind, id, rank, lane, body) VALUES (now(), 'h', 1, 1, #, '')",
             "deferred (run_at, kind, id, rank, lane, body) VALUES (now(), 'b', 1, 1, #, '')",
             "deferred (run_at, kind, id, rank, lane, body) VALUES (now(), 'x', 1, 1, #, '')",
             "deferred (run_at, kind, id, rank, lane, body, headers) VALUES (now(), 'd', 1, 1, #, '', '5')",
             "ready (rank, lane, body, headers) VALUES (1, #, '', '[1]')",
             "pack (id, rank, lane, n, ids, bodies) VALUES (1, 1, #, 2, '{1,2}', '{a}')",
             "pack (id, rank, lane, n, ids, bodies) VALUES (1, 1, #, 1, '{1,2}', '{a,b}')",
             "pack (id, rank, lane, n, ids, bodies) VALUES (1, 1, #, 2, '{1,NULL}', '{a,b}')",
             "pack (id, rank, lane, n, ids, bodies) VALUES (1, 1, #, 2, '{1,2}', '{a,NULL}')",
             "pack (id, rank, lane, n, ids, bodies) VALUES (1, 1, #, 0, '{}', '{}')",
             "pack (id, rank, lane, n, ids, bodies) VALUES (1, 1, #, 2, '[5:6]={1,2}', '{a,b}')",
             "pack (id, rank, lane, n, ids, bodies) VALUES (1, 1, #, 4, '{{1,2},{3,4}}', '{a,b,c,d}')",
         }) {
        CAPTURE(row);
        CHECK(test::refusal(db.sql(), in_lane("INSERT INTO {s}." + std::string{row}, lane)).starts_with("23514"));
    }
}

TEST_CASE("claims and searches work although old rows exist that the tables would refuse now",
          "[integration][foreign_rows]") {
    const database db;
    enqueuing_session from{db.options()};
    const auto lane = from.lanes({"a"}).at(0);
    db.exec(
        "DO $$ DECLARE c record; BEGIN FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint"
        " WHERE contype = 'c' AND conrelid::regclass IN ('{q}.ready', '{q}.deferred') LOOP"
        " EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP; END $$");
    db.exec(in_lane("INSERT INTO {s}.ready (rank, lane, body, headers) VALUES (1, #, 'array', '[1]')", lane));
    db.exec(in_lane("INSERT INTO {s}.ready (rank, lane, body, headers) VALUES (1, #, 'number', '5')", lane));
    db.exec(in_lane("INSERT INTO {s}.ready (rank, lane, body) VALUES (1, #, 'good')", lane));
    db.exec(
        in_lane("INSERT INTO {s}.deferred (run_at, kind, id, rank, lane, body) "
                "VALUES ('-infinity', 'd', 900, 1, #, 'early')",
                lane));
    claiming_session c{db, {lane}};
    CHECK(c.sync({.peek_next_due = true}).next_due.has_value());
    CHECK(c.promote_and_claim(10).claimed() == 4);
}

TEST_CASE("the jobs of a lease with a missing payload are rescued; that one is held with a reason",
          "[integration][foreign_rows]") {
    const database db;
    enqueuing_session from{db.options()};
    const auto lane = from.lanes({"a"}).at(0);
    (void)from.enqueue(lane, {"1", "2", "3"});
    claiming_session c{db, {lane}};
    CHECK(c.claim(3).claimed() == 3);
    db.exec("UPDATE {s}.lease SET bodies[2] = NULL");
    db.exec("UPDATE {s}.worker SET heartbeat_at = now() - interval '1 day'");
    claiming_session other{db, {lane}};
    const auto rescued = other.line().rescue().value();
    CHECK(rescued.returned == 2);
    CHECK(rescued.held == 1);
    REQUIRE(rescued.held_jobs.size() == 1);
    CHECK(rescued.held_jobs[0].id.value == db.query_int("SELECT id FROM {s}.deferred WHERE kind = 'h'"));
    CHECK(rescued.held_jobs[0].reason == "its payload is missing");
    CHECK(db.rows("lease") == 0);
    CHECK(db.query_text("SELECT reason FROM {s}.deferred WHERE kind = 'h'") == "its payload is missing");
}

TEST_CASE("a session that gives back a job with a missing payload says that this job is held",
          "[integration][foreign_rows]") {
    const database db;
    enqueuing_session from{db.options()};
    const auto lane = from.lanes({"a"}).at(0);
    const auto ids = from.enqueue(lane, {"1", "2"});
    claiming_session c{db, {lane}};
    const auto claimed = c.claim(2);
    REQUIRE(claimed.leases.size() == 1);
    db.exec("UPDATE {s}.lease SET bodies[2] = NULL");
    const bool retires = GENERATE(false, true);
    const auto held = retires ? c.line().retire(c.id()) : c.line().give_back({&claimed.leases[0].ref, 1});
    CHECK(held.value() == std::vector<pgq::held_by_rescue>{{ids[1], "its payload is missing"}});
    CHECK(from.ready(lane) == 1);
}

}  // namespace integration_foreign_rows
