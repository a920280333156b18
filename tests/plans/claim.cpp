#include <plans/backlog.hpp>
#include <plans/statements.hpp>

#include <pgq/protocol/rank.hpp>
#include <pgq/protocol/sync.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <string>

namespace plans_claim {

using test::million;
using test::names;
using test::ten_thousand;
using test::workers;
namespace statements = test::statements;

namespace {

// How a claim may read: it finds its jobs by the index, and deletes them by their row locations.
const names by_order{"Index Scan using ready_order", "Tid Scan"};

}  // namespace

TEST_CASE("a claim of one lane reads the index in order, whatever the statistics say", "[plans][claim]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::claim_one());
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.ways_to_read("ready") == by_order);
        CHECK(e.top.rows_read("ready") == 100 + 100);
        CHECK(e.rows_sorted() == 0);
        CHECK(e.blocks() <= 1500);  // 520: five for each job, and its lease
    }
}

TEST_CASE("a claim after a cursor begins at the cursor", "[plans][claim]") {
    for (auto* w : workers()) {
        // In the middle of the jobs with priority 0 and no deadline.
        const auto e = w->explain(statements::claim_one_behind({pgq::rank::of(0), {500'000}}));
        INFO(e.text());
        CHECK(e.top.ways_to_read("ready") == by_order);
        CHECK(e.top.rows_read("ready") == 100 + 100);
        CHECK(e.rows_sorted() == 0);
        CHECK(e.blocks() <= 1500);  // 425
    }
}

TEST_CASE("a claim in a turn begins where the last claim of that turn ended", "[plans][claim]") {
    const auto turn = "UPDATE {s}.claim_slot SET rank = " + std::to_string(pgq::rank::of(0).value) +
                      ", id = 500000 WHERE lane = 1 AND number = 1; SELECT set_config('pgq.claim_slot', '1', true)";
    for (auto* w : workers()) {
        const auto e = w->explain(statements::claim_in_slot(), turn);
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.ways_to_read("ready") == by_order);
        CHECK(e.top.rows_read("ready") == 100 + 100);
        CHECK(e.blocks() <= 1500);
    }
}

TEST_CASE("a claim of one job reads one job", "[plans][claim]") {
    for (auto* w : workers())
        for (const auto& claim : {statements::claim_one(1), statements::claim_few(1)}) {
            const auto e = w->explain(claim);
            INFO(e.text());
            CHECK(e.top.ways_to_read("ready") == by_order);
            CHECK(e.top.rows_read("ready") == 1 + 1);
            CHECK(e.blocks() <= 30);  // 9
        }
}

TEST_CASE("a claim of few jobs is one pass over them", "[plans][claim]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::claim_few(30));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.rows_read("ready") == 30 + 30);
        CHECK(e.rows_sorted() == 0);
        CHECK(e.blocks() <= 500);
    }
}

// The payloads have 45 bytes.
TEST_CASE("a claim that counts bytes finds the payloads by their row locations", "[plans][claim]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::claim({statements::whole_lane(statements::big)}, 100, 20 * 45));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.ways_to_read("ready") == by_order);
        CHECK(e.top.rows_read("ready") == 100 + 20);
        CHECK(e.rows_sorted() <= 100);
        CHECK(e.blocks() <= 1500);  // 444
    }
}

// Each lane returns as many of its first jobs as the claim wants, in the order of the index. Only these are sorted to
// find the first ones over all lanes. The taken jobs may be sorted once more, to group them by lanes.
TEST_CASE("a claim of several lanes reads no more of each than it wants, whatever the statistics say",
          "[plans][claim]") {
    const double wanted = 100, lanes = 6;
    for (auto* w : workers())
        for (const auto& a : {statements::claim_many(), statements::claim_each()}) {
            const auto e = w->explain(a);
            INFO(e.text());
            CHECK(e.read_whole() == names{});
            CHECK(e.top.rows_read("ready") <= lanes * wanted + wanted + wanted);  // read, locked, deleted
            CHECK(e.rows_sorted() <= lanes * wanted + 2 * wanted);
            CHECK(e.blocks() <= 3400);  // 1140
        }
}

TEST_CASE("a claim of single jobs reads the index in order, too", "[plans][claim]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::claim_apart({statements::whole_lane(statements::big)}));
        INFO(e.text());
        CHECK(e.top.ways_to_read("ready") == by_order);
        CHECK(e.top.rows_read("ready") == 10 + 10);
        CHECK(e.rows_sorted() == 0);
        CHECK(e.blocks() <= 200);  // 68

        const auto many = w->explain(statements::claim_apart(statements::six_lanes()));
        INFO(many.text());
        CHECK(many.read_whole() == names{});
        CHECK(many.top.rows_read("ready") <= 6 * 10 + 10 + 10);
        CHECK(many.rows_sorted() <= 6 * 10 + 2 * 10);
        CHECK(many.blocks() <= 450);  // 148
    }
}

TEST_CASE("a claim with a filter reads the lane up to the last job that it takes", "[plans][claim]") {
    for (auto* w : workers()) {
        const auto e =
            w->explain(statements::claim_apart({statements::whole_lane(statements::big)}, statements::of_a_tenant()));
        INFO(e.text());
        CHECK(e.top.ways_to_read("ready") == by_order);
        CHECK(e.top.rows_read("ready") <= 60);  // 13 to find ten, and ten by their row locations
        CHECK(e.rows_sorted() == 0);
        CHECK(e.blocks() <= 200);  // 66
    }
}

TEST_CASE("a claim while another one runs reads on after the jobs that the other has locked", "[plans][claim]") {
    for (auto* w : workers()) {
        const test::sql_connection other{test::dsn(), w->schema()};
        (void)other.exec("BEGIN");
        (void)other.exec("SELECT FROM {s}.ready WHERE lane = 1 ORDER BY rank, id LIMIT 100 FOR UPDATE");
        const auto one = w->explain(statements::claim_one());
        INFO(one.text());
        CHECK(one.top.ways_to_read("ready") == by_order);
        CHECK(one.top.rows_read("ready") == 200 + 100);
        CHECK(one.blocks() <= 2200);  // 720

        const auto many = w->explain(statements::claim_many());
        INFO(many.text());
        CHECK(many.read_whole() == names{});
        CHECK(many.top.rows_read("ready") <= 6 * 100 + 200 + 100);
        CHECK(many.blocks() <= 4000);  // 1336
    }
}

TEST_CASE("a claim costs the same with ten thousand jobs and with a million", "[plans][claim]") {
    const auto costs_the_same = [](const test::bound_statement& a, std::int64_t more) {
        const auto few = ten_thousand().worker.explain(a), many = million().worker.explain(a);
        INFO(few.text() << many.text());
        CHECK(many.blocks() <= few.blocks() + more);
    };
    costs_the_same(statements::claim_one(), 20);  // 516, 517: the index has one more level
    costs_the_same(statements::claim_apart({statements::whole_lane(statements::big)}), 20);
    costs_the_same(statements::claim_apart({statements::whole_lane(statements::big)}, statements::of_a_tenant()), 20);
    // From six lanes. The last VACUUM decides whether the server must read the table itself for jobs that are only
    // compared.
    costs_the_same(statements::claim_many(), 600 + 50);
    costs_the_same(statements::claim_each(), 600 + 50);
    costs_the_same(statements::claim_apart(statements::six_lanes()), 60 + 50);
}

}  // namespace plans_claim
