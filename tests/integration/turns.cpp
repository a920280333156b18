#include <support/catch.hpp>
#include <support/claimer.hpp>
#include <support/database.hpp>

#include <chrono>
#include <string>

namespace integration_turns {

using test::claimer;
using test::database;
using test::supplier;

namespace {

// Takes some of the turns and keeps them.
void hold_turns(const test::sql_connection& c, int from, int to) {
    for (int turn = from; turn <= to; ++turn)
        (void)c.exec("SELECT pg_advisory_lock(to_regnamespace('{q}')::oid::int8::int4, -" + std::to_string(turn) + ")");
}
std::int64_t turns_taken(const database& db) {
    return db.query_int(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = "
        "to_regnamespace('{q}')::oid"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND objid::int8 > 4294967290 AND objsubid = 2");
}

}  // namespace

TEST_CASE("a worker among many takes a turn for its claim, and gives it back with the commit", "[integration][turns]") {
    const database db;
    supplier from{db.options()};
    const auto lanes = from.lanes({"a"});
    (void)from.enqueue(lanes[0], {"1", "2"});
    claimer one{db, lanes};
    const pgq::claim_lane lane{.lane = lanes[0], .max_attempts = 20};
    const test::sql_connection other{db.conninfo(), db.schema()};
    hold_turns(other, 1, 3);
    CHECK(one.exchange({.lanes = {&lane, 1}, .limit = 1, .crowded = true}).leases.size() == 1);
    CHECK(turns_taken(db) == 3);
}

TEST_CASE("a worker that gets no turn claims all the same, a little later", "[integration][turns]") {
    const database db;
    supplier from{db.options()};
    const auto lanes = from.lanes({"a"});
    (void)from.enqueue(lanes[0], {"1", "2"});
    claimer one{db, lanes};
    const pgq::claim_lane lane{.lane = lanes[0], .max_attempts = 20};
    const test::sql_connection other{db.conninfo(), db.schema()};
    hold_turns(other, 1, 4);
    const auto began = std::chrono::steady_clock::now();
    const auto got = one.exchange({.lanes = {&lane, 1}, .limit = 1, .look_ahead = true, .crowded = true});
    CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds{60});
    CHECK(got.leases.size() == 1);
    CHECK(got.workers == 1);
    CHECK(one.finish(got).lost.empty());
    CHECK(turns_taken(db) == 4);
}

}  // namespace integration_turns
