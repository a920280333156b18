#include <plans/backlog.hpp>
#include <plans/statements.hpp>

#include <support/catch.hpp>

#include <cstdint>

// Nothing indexes waiting jobs by id: find_one steps along the pairs of lane and rank. In the lane `big` a seventh of
// the jobs has a deadline, so there are more pairs than it steps along; the lanes before them are found by steps.
namespace plans_find_one {

using test::clients;
using test::million;
using test::names;
using test::ten_thousand;
namespace statements = test::statements;

TEST_CASE("a deferred, a held and a leased job are found by their indexes and leases", "[plans][find_one]") {
    for (auto* c : clients())
        for (const auto id : {statements::delayed + 20'000, statements::held + 50}) {
            const auto e = c->explain(statements::find_one(id));
            INFO(e.text());
            CHECK(e.top.rows_read("ready") == 0);
            CHECK(e.top.rows_read("pack") == 0);
            CHECK(e.read_whole({"lease"}) == names{});
        }
}

TEST_CASE("a tracked job says its lane and rank", "[plans][find_one]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::find_one(7));
        INFO(e.text());
        CHECK(e.top.rows_read("ready") == 1);
        CHECK(e.top.rows_read("pack") == 0);
        CHECK(e.read_whole({"lease"}) == names{});
    }
}

TEST_CASE("a ready job is found by steps over lanes and ranks", "[plans][find_one]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::find_one(10),
                                  "DELETE FROM {s}.ready WHERE rank & 281474976710655 < 281474976710655");
        INFO(e.text());
        CHECK(e.top.rows_read("ready") <= 100);  // a step for each pair, and the job
        CHECK(e.read_whole({"lease"}) == names{});
    }
}

TEST_CASE("with a deadline for each job it steps along a thousand pairs, and then reads the table",
          "[plans][find_one]") {
    const auto e = million().client.explain(statements::find_one(999'999));
    INFO(e.text());
    CHECK(e.read_whole({"lease", "ready"}) == names{});
}

TEST_CASE("a packed job is found in the last packs before its id", "[plans][find_one]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::find_one(statements::in_packs + 500'077),
                                  "DELETE FROM {s}.ready WHERE rank & 281474976710655 < 281474976710655");
        INFO(e.text());
        CHECK(e.top.rows_read("pack") <= 3 * 2 + 3 * 16);
        CHECK(e.top.rows_read("ready") <= 100);
        CHECK(e.read_whole({"lease"}) == names{});
    }
}

}  // namespace plans_find_one
