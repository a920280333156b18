#include <plans/asked.hpp>
#include <plans/backlog.hpp>

#include <pgq/statement/admin.hpp>

#include <support/catch.hpp>

namespace plans_packs {

using test::clients;
using test::names;
using test::workers;
namespace ask = test::ask;
namespace st = pgq::statement;

namespace {

const names by_order{"Index Only Scan using pack_order", "Index Scan using pack_order", "Tid Scan"};

}  // namespace

TEST_CASE("a claim of packs reads the index in order and takes ten of them for a thousand jobs", "[plans][packs]") {
    for (auto* w : workers()) {
        const auto e = w->explain(ask::claim_packed(ask::packed, 1000));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.ways_to_read("pack") == by_order);
        CHECK(e.top.rows_read("ready") == 0);
        CHECK(e.top.rows_read("pack") <= 108 + 10 + 10 + 1);  // looked at, locked, taken, and whether there were some
        CHECK(e.blocks() <= 1500);
    }
}

TEST_CASE("a claim that could have packs and has none reads what it takes three times", "[plans][packs]") {
    for (auto* w : workers()) {
        const auto e = w->explain(ask::claim_packed(ask::big, 100));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.rows_read("ready") == 100 + 100 + 100);
        CHECK(e.blocks() <= 2000);
    }
}

TEST_CASE("looking for packs of lanes that have none costs next to nothing", "[plans][packs]") {
    for (auto* w : workers()) {
        const auto e = w->explain(ask::unpack({ask::big, ask::keyed, ask::idle}, 1000));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 12);
    }
}

TEST_CASE("packs are taken apart by the index, and as many as are wanted", "[plans][packs]") {
    for (auto* w : workers()) {
        const auto e = w->explain(ask::unpack({ask::big, ask::packed}, 200));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 4000);  // each job is written where single ones wait
    }
}

TEST_CASE("an enqueue of a pack reads nothing and writes one row", "[plans][packs][enqueue]") {
    for (auto* c : clients()) {
        const auto e = c->explain(ask::enqueue_pack(100));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 40);
    }
}

}  // namespace plans_packs
