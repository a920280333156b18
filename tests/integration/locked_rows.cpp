#include <pgq/driver/libpq.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/schedule.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Calls that skip the rows which another session has locked. That session may be silent for long. A call that waits for
// it fails with the statement_timeout.
namespace integration_locked_rows {

using namespace std::chrono_literals;
using test::database;
using strings = std::vector<std::string>;

namespace {

pgq::driver::libpq impatient(const database& db) {
    auto o = database::unbroken(db.options());
    o.statement_timeout = 20s;
    return pgq::driver::libpq{o};
}

// Another session, which has locked some rows.
struct locker {
    locker(const database& db, const std::string& from, int rows) : line{test::dsn(), db.schema()} {
        (void)line.exec("BEGIN");
        const auto locked = line.exec("SELECT FROM " + from + " LIMIT " + std::to_string(rows) + " FOR UPDATE");
        REQUIRE(PQntuples(locked.get()) == rows);
    }
    test::sql_connection line;
};
const std::string ready = "{s}.ready ORDER BY rank, id", packs = "{s}.pack ORDER BY rank, id";

template <class Job>
strings bodies_of(const std::vector<Job>& jobs) {
    strings out;
    for (const auto& j : jobs) out.emplace_back(j.body);
    return out;
}
strings bodies_of(const pgq::sync_reply& reply) {
    strings out;
    for (const auto& lease : reply.leases)
        for (auto& body : bodies_of(lease.jobs)) out.push_back(std::move(body));
    std::sort(out.begin(), out.end());
    return out;
}

pgq::bodies packed(const strings& texts) {
    pgq::bodies b;
    for (const auto& text : texts) b.bytes().append(text), b.close();
    return b;
}
void enqueue_keyed(test::enqueuing_session& from, pgq::lane_id lane, const strings& texts, const strings& names) {
    const pgq::bodies b = packed(texts), keys = packed(names);
    const pgq::enqueue_options plain;
    std::vector<pgq::job_id> ids;
    from.line().enqueue({.lane = lane, .bodies = &b, .options = {&plain, 1}, .keys = &keys}, ids).value();
}
pgq::sync_reply claim_limited(test::claiming_session& c, pgq::lane_id lane, std::uint32_t most) {
    const pgq::limited_lane limited{.lane = lane, .most = most, .max_attempts = 5};
    return c.sync({.limited = {&limited, 1}, .limited_capacity = most});
}
void declare(test::enqueuing_session& from, const std::string& entrypoint, const pgq::limit_spec& what) {
    const pgq::lane_limit one{.entrypoint = entrypoint, .limit = what};
    (void)from.line().limits("default", {&one, 1}).value();
}

}  // namespace

TEST_CASE("a claim takes other jobs while another session has locked the first one", "[integration][locked_rows]") {
    const database db;
    test::enqueuing_session from{db.options()};
    const auto lanes = from.lanes({"a", "b"});
    test::claiming_session c{impatient(db), lanes};
    (void)from.enqueue(lanes[0], {"1", "2", "3"});
    (void)from.enqueue(lanes[1], {"4"});
    const locker first{db, ready, 1};
    const pgq::claim_lane one{.lane = lanes[0], .max_attempts = 5};
    SECTION("from one lane") { CHECK(bodies_of(c.sync({.lanes = {&one, 1}, .limit = 9})) == strings{"2", "3"}); }
    SECTION("a few jobs whose bytes are not counted") {
        CHECK(bodies_of(c.sync({.lanes = {&one, 1}, .limit = 9, .counts_bytes = false})) == strings{"2", "3"});
    }
    SECTION("over several lanes") { CHECK(c.claim(3).claimed() == 3); }
    SECTION("with a lease for each job") {
        pgq::claim_lane each = one;
        each.lease_per_job = true;
        CHECK(bodies_of(c.sync({.lanes = {&each, 1}, .limit = 9})) == strings{"2", "3"});
    }
    SECTION("within a limit") {
        declare(from, "a", {.kind = pgq::limit_kind::running, .amount = 5});
        CHECK(bodies_of(claim_limited(c, lanes[0], 5)) == strings{"2", "3"});
    }
}

TEST_CASE("a claim within a limit by key takes other jobs while another session has locked one",
          "[integration][locked_rows][limit]") {
    const database db;
    test::enqueuing_session from{db.options()};
    const auto lane = from.lanes({"a"}).at(0);
    test::claiming_session c{impatient(db), {lane}};
    declare(from, "a", {.kind = pgq::limit_kind::running_by_key, .amount = 1});
    SECTION("at the front of the lane") {
        enqueue_keyed(from, lane, {"a1", "a2", "b1"}, {"a", "a", "b"});
        const locker first{db, ready, 1};
        CHECK(bodies_of(claim_limited(c, lane, 5)) == strings{"b1"});
    }
    SECTION("behind many jobs of a key that is busy") {
        enqueue_keyed(from, lane, strings(500, "busy"), strings(500, "a"));
        enqueue_keyed(from, lane, {"b1", "c1"}, {"b", "c"});
        CHECK(bodies_of(claim_limited(c, lane, 1)) == strings{"busy"});
        const locker other{db, "{s}.ready WHERE key = 'b'", 1};
        CHECK(bodies_of(claim_limited(c, lane, 5)) == strings{"c1"});
    }
}

TEST_CASE("a caller takes other jobs while another session has locked the first one", "[integration][locked_rows]") {
    const database db;
    test::enqueuing_session from{db.options()};
    const auto lanes = from.lanes({"a", "b"});
    (void)from.enqueue(lanes[0], {"1", "2"});
    (void)from.enqueue(lanes[1], {"3"});
    auto session = impatient(db).connect(pgq::session_role::client).value();
    const locker first{db, ready, 1};
    const bool is_one = GENERATE(true, false);
    pgq::take_reply reply;
    session.take({.lanes = std::span{lanes}.first(is_one ? 1 : 2), .limit = 2}, reply).value();
    CHECK(bodies_of(reply.jobs) == (is_one ? strings{"2"} : strings{"2", "3"}));
}

TEST_CASE("a claim from a lane with packs takes other jobs while another session has locked some",
          "[integration][locked_rows][packs]") {
    const database db;
    test::enqueuing_session from{db.options()};
    const auto lanes = from.lanes({"a"});
    const auto enqueue = [&](std::string_view prefix) {
        (void)from.enqueue(lanes[0], test::numbered(prefix, 10), {.packed = true});
    };
    enqueue("a");
    enqueue("b");
    test::claiming_session c{impatient(db), lanes};
    SECTION("the first pack, which must be unpacked") {
        const locker first{db, packs, 1};
        CHECK(bodies_of(c.claim(1)) == strings{"b0"});
    }
    SECTION("all packs, which must be unpacked") {
        const locker both{db, packs, 2};
        CHECK(c.claim(1).leases.empty());
    }
    SECTION("in a session that has found packs before") {
        CHECK(bodies_of(c.claim(5)) == strings{"a0", "a1", "a2", "a3", "a4"});  // of a pack that it has unpacked
        REQUIRE(db.rows("ready") == 5);
        enqueue("c");
        REQUIRE(db.rows("pack") == 2);
        SECTION("the first pack") {
            const locker first{db, packs, 1};
            CHECK(bodies_of(c.claim(7)) == strings{"a5", "a6", "a7", "a8", "a9", "c0", "c1"});
        }
        SECTION("a single job") {
            const locker first{db, ready, 1};
            CHECK(bodies_of(c.claim(5)) == strings{"a6", "a7", "a8", "a9", "b0"});
        }
        SECTION("a single job and all packs") {
            const locker first{db, ready, 1}, both{db, packs, 2};
            CHECK(bodies_of(c.claim(5)) == strings{"a6", "a7", "a8", "a9"});
        }
    }
}

TEST_CASE("jobs expire while another session has locked one that has expired, too",
          "[integration][locked_rows][expiry]") {
    const database db;
    test::enqueuing_session from{db.options()};
    const auto lane = from.lanes({"a"}).at(0);
    const pgq::enqueue_options late{.expires_at = pgq::at(pgq::time_point{1s}), .keep_outcome = 1h};
    (void)from.enqueue(lane, {"1", "2"}, late);
    auto session = impatient(db).connect(pgq::session_role::client).value();
    const locker first{db, "{s}.tracked ORDER BY id", 1};
    CHECK(session.expire_and_purge().value().expired == 1);
}

TEST_CASE("a scheduler does not wait for one that fires the same schedule", "[integration][locked_rows][schedule]") {
    const database db;
    test::enqueuing_session from{db.options()};
    const auto lane = from.lanes({"a"}).at(0);
    auto session = impatient(db).connect(pgq::session_role::client).value();
    const pgq::bodies b = packed({"x"});
    const pgq::enqueue_options plain;
    pgq::schedule_definition s{.name = "s", .expression = "* * * * *", .zone = "UTC"};
    s.job = {.lane = lane, .bodies = &b, .options = {&plain, 1}};
    REQUIRE(session.declare_schedule("default", s).value());
    const auto next = session.schedules("default", {}).value().all.at(0).next_at.value();
    const pgq::schedule_firing tick{.name = "s", .lane = lane, .expected = next, .next = next + 1s, .ticks = {next}};
    const locker other{db, "{s}.schedule", 1};
    const auto fired = session.fire_schedules("default", {&tick, 1}).value();
    CHECK(fired.all.at(0).outcome == pgq::fire_outcome::busy);
    CHECK(from.ready(lane) == 0);
}

TEST_CASE("a rescue leaves a dead worker to the session that has locked it", "[integration][locked_rows][rescue]") {
    const database db;
    test::enqueuing_session from{db.options()};
    const auto lanes = from.lanes({"a"});
    (void)from.enqueue(lanes[0], {"1", "2"});
    {
        test::claiming_session one{db, lanes}, two{db, lanes};
        CHECK(one.claim(1).claimed() == 1);
        CHECK(two.claim(1).claimed() == 1);
    }
    db.exec("UPDATE {s}.worker SET heartbeat_at = heartbeat_at - interval '1 hour'");
    auto session = impatient(db).connect(pgq::session_role::client).value();
    const locker first{db, "{s}.worker ORDER BY id", 1};
    CHECK(session.rescue().value().returned == 1);
}

}  // namespace integration_locked_rows
