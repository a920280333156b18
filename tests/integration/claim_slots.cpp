#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace integration_claim_slots {

using test::claiming_session;
using test::database;
using test::enqueuing_session;

namespace {

// Takes some of the turns and keeps them.
void hold_turns(const test::sql_connection& c, int from, int to) {
    for (int turn = from; turn <= to; ++turn)
        (void)c.exec("SELECT pg_advisory_lock({s}.schema_id(), -" + std::to_string(turn) + ")");
}
std::int64_t turns_taken(const database& db) {
    return db.query_int(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = "
        "to_regnamespace('{q}')::oid"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND objid::int8 > 4294967290 AND objsubid = 2");
}

}  // namespace

TEST_CASE("among many workers a claim takes a claim slot, and gives it back with the commit",
          "[integration][claim_slots]") {
    const database db;
    enqueuing_session from{db.options()};
    const auto lanes = from.lanes({"a"});
    (void)from.enqueue(lanes[0], {"1", "2"});
    claiming_session one{db, lanes};
    const pgq::claim_lane lane{.lane = lanes[0], .max_attempts = 20};
    const test::sql_connection other{test::dsn(), db.schema()};
    hold_turns(other, 1, 3);
    CHECK(one.sync({.lanes = {&lane, 1}, .limit = 1, .contended = true}).leases.size() == 1);
    CHECK(turns_taken(db) == 3);
}

TEST_CASE("a worker that gets no turn claims without one after about two seconds, at the turn that is least far",
          "[integration][claim_slots]") {
    const database db;
    enqueuing_session from{db.options()};
    const auto lanes = from.lanes({"a"});
    const auto ids = from.enqueue(lanes[0], {"1", "2", "3"});
    db.exec("UPDATE {s}.claim_slot SET rank = (SELECT min(rank) FROM {s}.ready), id = number - 1 + " +
            std::to_string(ids[0].value));
    claiming_session one{db, lanes};
    const pgq::claim_lane lane{.lane = lanes[0], .max_attempts = 20};
    const test::sql_connection other{test::dsn(), db.schema()};
    hold_turns(other, 1, 4);
    const auto began = std::chrono::steady_clock::now();
    const auto got = one.sync({.lanes = {&lane, 1}, .limit = 1, .peek_next_due = true, .contended = true});
    CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds{2290});
    REQUIRE(got.leases.size() == 1);
    CHECK(got.leases[0].jobs.at(0).id == ids[1]);
    CHECK(got.workers == 1);
    CHECK(one.finish(got).lost.empty());
    CHECK(turns_taken(db) == 4);
}

TEST_CASE("a worker with a claim slot claims behind the cursor of the last holder, unless its own cursor is exact",
          "[integration][claim_slots]") {
    const database db;
    enqueuing_session from{db.options()};
    const auto lanes = from.lanes({"a", "b"});
    (void)from.enqueue(lanes[0], test::numbered("", 9));
    claiming_session one{db, lanes}, two{db, lanes};
    pgq::claim_lane lane{.lane = lanes[0], .max_attempts = 20};
    const auto claim = [&](claiming_session& c, std::uint32_t limit) {
        return c.sync({.lanes = {&lane, 1}, .limit = limit, .contended = true});
    };
    const auto first = claim(one, 1);
    CHECK(claim(one, 2).claimed() == 2);
    CHECK(one.settle(first, {.kind = pgq::settle_kind::retry}).lost.empty());
    const auto body = [](const pgq::sync_reply& r) { return std::string{r.leases.at(0).jobs.at(0).body}; };
    CHECK(body(claim(two, 1)) == "3");
    lane.exact = true;
    CHECK(body(claim(two, 1)) == "0");
    lane.exact = false;
    CHECK(body(claim(two, 1)) == "4");
    CHECK(two.sync({.lanes = {&lane, 1}, .limit = 9}).claimed() == 4);
    // Each of several lanes still has its own cursor.
    (void)from.enqueue(lanes[1], {"b"});
    const pgq::claim_lane both[]{lane, {.lane = lanes[1], .max_attempts = 20}};
    CHECK(one.sync({.lanes = both, .limit = 9, .contended = true}).claimed() == 1);
}

TEST_CASE("if the holders of all turns are stuck, a worker claims without a turn", "[integration][claim_slots]") {
    const database db;
    enqueuing_session from{db.options()};
    std::vector<std::unique_ptr<claiming_session>> workers;
    for (int i = 0; i < 5; ++i) workers.push_back(std::make_unique<claiming_session>(db, from.lanes({"a"})));
    const test::sql_connection other{test::dsn(), db.schema()};
    hold_turns(other, 1, 4);
    test::note_queue<> jobs{db.driver()};
    // The worker sees few workers: each of its claims waits the full time for a turn.
    (void)jobs.enqueue(test::notes(20)).value();
    test::run_log seen;
    test::running_worker w{jobs, {}, [&](const test::note& n, const pgq::context& c) { seen.add(n.n, c); }};
    CHECK(test::eventually([&] { return seen.each_ran_once(20); }));
    // The second time it knows that there are many workers.
    (void)jobs.enqueue(test::notes(20)).value();
    CHECK(test::eventually([&] { return seen.size() == 40; }));
    CHECK(turns_taken(db) == 4);
    w.stop().value();
}

}  // namespace integration_claim_slots
