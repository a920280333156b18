#include <plans/backlog.hpp>
#include <plans/statements.hpp>

#include <pgq/statement/liveness.hpp>
#include <pgq/statement/wake.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>

#include <vector>

// There are 50 workers with 40 leases each.
namespace plans_liveness {

using test::bound_statement;
using test::clients;
using test::million;
using test::names;
using test::unknown_million;
using test::watched;
using test::workers;
namespace statements = test::statements;
namespace st = pgq::statement;

namespace {

// The session that sends the heartbeat is not a worker's by its settings, but it could be one.
std::vector<watched*> everybody() {
    auto all = workers();
    for (auto* c : clients()) all.push_back(c);
    return all;
}

}  // namespace

// Leases have no index except for the limited ones, so that a claim has no index entry to write.
TEST_CASE("a heartbeat reads the leases and no jobs", "[plans][liveness]") {
    for (auto* w : everybody()) {
        const auto e = w->explain(statements::of_worker(st::beat, 7));
        INFO(e.text());
        CHECK(e.read_whole({"lease"}) == names{});
        CHECK(e.blocks_of("lease") <= 2 * 1300);  // 900: two scans
        CHECK(e.blocks_of("lease (toast)") == 0);
        CHECK(e.blocks() - e.blocks_of("lease") <= 3 * 4100);  // 4010: if the worker of each lease is looked up
    }
}

TEST_CASE("removing dead workers reads only the workers", "[plans][liveness]") {
    for (auto* w : everybody()) {
        const auto e = w->explain(bound_statement::of(st::remove_dead_workers),
                                  "UPDATE {s}.worker SET heartbeat_at = now() - interval '1 day' WHERE id = 7");
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() == e.blocks_of("worker") + e.blocks_of("worker_pkey"));
        CHECK(e.top.rows_read("worker") > 50);
        CHECK(e.blocks() <= 90);  // 31: ids are random, so neighbours by id are apart
    }
}

TEST_CASE("a rescue reads each lease once and writes each of the dead worker's jobs once", "[plans][liveness]") {
    for (auto* w : everybody()) {
        const auto e = w->explain(bound_statement::of(st::rescue_leases), "DELETE FROM {s}.worker WHERE id = 8");
        INFO(e.text());
        CHECK(e.read_whole({"lease"}) == names{});
        CHECK(e.blocks_of("ready") > 0);
        CHECK(e.blocks() <= 12'000);  // 3771: 800 jobs
    }
}

TEST_CASE("an enqueue that finds no sleeping worker reads no table", "[plans][wake]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::wake(c->sql()));
        INFO(e.text());
        CHECK(e.blocks() == 0);
    }
    for (auto* w : workers()) {
        const auto e = w->explain(statements::in_space(st::wake_collected, w->sql()));
        INFO(e.text());
        CHECK(e.blocks() == 0);
    }
}

TEST_CASE("an enqueue that finds a sleeping worker reads the workers, and no jobs", "[plans][wake]") {
    for (auto* jobs : {&million().jobs, &unknown_million().jobs}) {
        const test::sql_connection sleeper{test::dsn(), jobs->db().schema()};
        (void)sleeper.exec("SELECT pg_advisory_lock_shared({s}.schema_id(), 0), pg_advisory_lock({s}.schema_id(), 7)");
        for (auto* c : clients()) {
            if (c->schema() != jobs->db().schema()) continue;
            const auto e = c->explain(statements::wake(c->sql()));
            INFO(e.text());
            CHECK(e.blocks() > 0);
            CHECK(e.blocks() == e.blocks_of("worker"));
            CHECK(e.blocks() <= 60);  // 4, two per lane; 18 with the dead rows of rolled back heartbeats
        }
    }
}

}  // namespace plans_liveness
