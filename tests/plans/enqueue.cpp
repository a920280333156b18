#include <plans/backlog.hpp>
#include <plans/statements.hpp>

#include <pgq/job/unique.hpp>

#include <support/catch.hpp>

#include <cstdint>

// enqueue_copy is not here: COPY has no plan.
namespace plans_enqueue {

using test::clients;
using test::million;
using test::names;
using test::ten_thousand;
namespace statements = test::statements;

TEST_CASE("an enqueue reads no rows and writes each job once", "[plans][enqueue]") {
    for (auto* c : clients()) {
        const auto one = c->explain(statements::enqueue_plain(1));
        INFO(one.text());
        CHECK(one.read_whole() == names{});
        CHECK(one.blocks() <= 12);  // 4

        const auto many = c->explain(statements::enqueue_plain(100));
        INFO(many.text());
        CHECK(many.read_whole() == names{});
        CHECK(many.rows_sorted() == 0);
        CHECK(many.blocks() <= 1200);  // 406

        const auto delayed = c->explain(statements::enqueue_delayed(100));
        INFO(delayed.text());
        CHECK(delayed.read_whole() == names{});
        CHECK(delayed.blocks() <= 1700);  // 560
    }
}

TEST_CASE("an enqueue of tracked jobs writes one more row per job", "[plans][enqueue][tracked]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::enqueue_followed(100));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 2100);  // 715
    }
}

// A session that made its plans with few keys reads all keys until the next ANALYZE.
TEST_CASE("an enqueue with unique keys finds them by the index", "[plans][enqueue][tracked]") {
    for (auto* c : clients())
        for (const auto rule : {pgq::unique{}, pgq::unique{}.or_replace(), pgq::unique{}.or_debounce()}) {
            const auto e = c->explain(statements::enqueue_unique(rule));
            INFO(e.text());
            CHECK(e.read_whole() == names{});
            CHECK(e.blocks() <= 300);  // 95
        }
}

// To know whether a parent runs, the statement reads all leases.
TEST_CASE("an enqueue after tracked jobs finds them by the index", "[plans][enqueue][tracked]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::enqueue_behind());
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 500);
    }
}

// To count running jobs, the statement reads all leases. It finds the others in the lane's parts of two indexes, up to
// the bound.
TEST_CASE("an enqueue with a bound counts no further than the bound", "[plans][enqueue][tracked]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::enqueue_bounded());
        INFO(e.text());
        CHECK(e.read_whole({"lease"}) == names{});
        CHECK(e.blocks() - e.blocks_of("lease") <= 100);
    }
}

TEST_CASE("an enqueue costs the same with ten thousand jobs and with a million", "[plans][enqueue]") {
    const auto costs_the_same = [](const test::bound_statement& a, std::int64_t more) {
        const auto few = ten_thousand().client.explain(a), many = million().client.explain(a);
        INFO(few.text() << many.text());
        CHECK(many.blocks() <= few.blocks() + more);
    };
    costs_the_same(statements::enqueue_plain(1), 5);
    costs_the_same(statements::enqueue_plain(100), 100 + 20);  // an index has one more level
    costs_the_same(statements::enqueue_delayed(100), 200 + 20);
    costs_the_same(statements::enqueue_followed(100), 200 + 20);
    costs_the_same(statements::enqueue_unique({}), 40);
}

}  // namespace plans_enqueue
