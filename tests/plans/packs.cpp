#include <plans/backlog.hpp>
#include <plans/statements.hpp>

#include <pgq/statement/admin.hpp>

#include <support/catch.hpp>

namespace plans_packs {

using test::clients;
using test::names;
using test::workers;
namespace statements = test::statements;
namespace st = pgq::statement;

namespace {

const names by_order{"Index Only Scan using pack_order", "Index Scan using pack_order", "Tid Scan"};

}  // namespace

TEST_CASE("a claim of packs reads the index in order and takes ten packs for a thousand jobs", "[plans][packs]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::claim_packed(statements::packed, 1000));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.ways_to_read("pack") == by_order);
        CHECK(e.top.rows_read("ready") == 0);
        CHECK(e.top.rows_read("pack") <=
              108 + 10 + 10 + 1);  // read, locked, taken, and the check whether there are any
        CHECK(e.blocks() <= 1500);
    }
}

TEST_CASE("a claim from a lane that could have packs and has none reads the taken jobs three times", "[plans][packs]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::claim_packed(statements::big, 100));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.rows_read("ready") == 100 + 100 + 100);
        CHECK(e.blocks() <= 2000);
    }
}

TEST_CASE("looking for packs in lanes without packs costs next to nothing", "[plans][packs]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::unpack({statements::big, statements::keyed, statements::idle}, 1000));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 12);
    }
}

TEST_CASE("unpacking finds its packs by the index, and unpacks as many as are wanted", "[plans][packs]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::unpack({statements::big, statements::packed}, 200));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 4000);  // each job is written to the table of single jobs
    }
}

TEST_CASE("an enqueue of a pack reads no rows and writes one row", "[plans][packs][enqueue]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::enqueue_pack(100));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 40);
    }
}

}  // namespace plans_packs
