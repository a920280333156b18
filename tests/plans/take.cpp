#include <plans/backlog.hpp>
#include <plans/statements.hpp>

#include <support/catch.hpp>

#include <cstdint>

// The server plans each take anew, so a client that connected when the tables were empty takes as well as others.
namespace plans_take {

using test::clients;
using test::million;
using test::names;
using test::ten_thousand;
namespace statements = test::statements;

namespace {

const names by_order{"Index Scan using ready_order", "Tid Scan"};

}  // namespace

TEST_CASE("a take reads the index in order, whatever the statistics say", "[plans][take]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::take_one());
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.ways_to_read("ready") == by_order);
        CHECK(e.top.rows_read("ready") == 1 + 1);
        CHECK(e.rows_sorted() == 0);
        CHECK(e.blocks() <= 25);  // 8
    }
}

TEST_CASE("a take of many jobs reads the index in order, too", "[plans][take]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::take({statements::big}, 1000));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.ways_to_read("ready") == by_order);
        CHECK(e.rows_sorted() == 0);
        CHECK(e.blocks() <= 15'000);  // 5008: five for each job
    }
}

TEST_CASE("a take from several lanes reads the first job of each", "[plans][take]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::take_many());
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.rows_read("ready") <= 6 + 1 + 1);
        CHECK(e.rows_sorted() <= 6 + 2);
        CHECK(e.blocks() <= 100);  // 32
    }
}

TEST_CASE("a take with a filter reads the lane up to the last job that it takes", "[plans][take]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::take({statements::big}, 10, statements::of_a_tenant()));
        INFO(e.text());
        CHECK(e.top.ways_to_read("ready") == by_order);
        CHECK(e.top.rows_read("ready") <= 60);
        CHECK(e.rows_sorted() == 0);
        CHECK(e.blocks() <= 170);  // 56
    }
}

TEST_CASE("a take costs the same with ten thousand jobs and with a million", "[plans][take]") {
    const auto costs_the_same = [](const test::bound_statement& a, std::int64_t more) {
        const auto few = ten_thousand().client.explain(a), many = million().client.explain(a);
        INFO(few.text() << many.text());
        CHECK(many.blocks() <= few.blocks() + more);
    };
    costs_the_same(statements::take_one(), 5);
    costs_the_same(statements::take_many(), 20);
    costs_the_same(statements::take({statements::big}, 10, statements::of_a_tenant()), 20);
}

}  // namespace plans_take
