#include <plans/backlog.hpp>
#include <plans/statements.hpp>

#include <pgq/protocol/sync.hpp>
#include <pgq/statement/liveness.hpp>

#include <support/catch.hpp>

#include <cstddef>
#include <vector>

// There are 2000 leases. Those with odd ids have tracked jobs.
namespace plans_lease {

using test::clients;
using test::million;
using test::names;
using test::ten_thousand;
using test::unknown_million;
using test::watched;
using test::workers;
using kind = pgq::settle_kind;
namespace statements = test::statements;
namespace st = pgq::statement;

namespace {

const names by_place{"Tid Scan"};

}  // namespace

TEST_CASE("an acknowledgement finds its lease by the row location", "[plans][lease]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::finish(statements::lease(w->sql(), 2)));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.ways_to_read("lease") == by_place);
        CHECK(e.blocks() <= 10);  // 3
    }
}

TEST_CASE("a partial acknowledgement finds its lease by the row location", "[plans][lease]") {
    for (auto* w : workers())
        for (const int id : {1, 2}) {
            const auto e = w->explain(statements::mark(statements::lease(w->sql(), id)));
            INFO(e.text());
            CHECK(e.read_whole() == names{});
            CHECK(e.top.ways_to_read("lease") == by_place);
            CHECK(e.blocks() <= 20);  // 7
        }
}

TEST_CASE("settling a job finds its lease by the row location", "[plans][lease]") {
    for (auto* w : workers())
        for (const bool last : {false, true})
            for (const auto k : {kind::retry, kind::hold}) {
                const auto e = w->explain(statements::settle(statements::lease(w->sql(), 2), k, last));
                INFO(e.text());
                CHECK(e.read_whole() == names{});
                CHECK(e.top.ways_to_read("lease") == by_place);
                CHECK(e.blocks() <= 80);  // 26: its row in another table, the indexes, the failure
            }
}

TEST_CASE("the end of a tracked job finds its records by id", "[plans][lease][tracked]") {
    for (auto* w : workers())
        for (const bool last : {false, true})
            for (const auto k : {kind::done, kind::retry, kind::hold}) {
                const auto e = w->explain(statements::settle(statements::lease(w->sql(), 1), k, last));
                INFO(e.text());
                CHECK(e.read_whole() == names{});
                CHECK(e.top.ways_to_read("lease") == by_place);
                CHECK(e.blocks() <= 180);  // 63
            }
}

TEST_CASE("the ends of many tracked jobs find their records by id", "[plans][lease][tracked]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::finish(statements::lease(w->sql(), 1)));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.ways_to_read("lease") == by_place);
        CHECK(e.blocks() <= 1500);  // 504 for twenty jobs, each with an outcome
    }
}

TEST_CASE("the end of tracked jobs reads no whole table, even with a plan from when there were few jobs",
          "[plans][lease][tracked]") {
    auto& w = unknown_million().worker_of_few;
    for (const auto& a : {statements::finish(statements::lease(w.sql(), 1)),
                          statements::settle(statements::lease(w.sql(), 1), kind::done, true)}) {
        const auto e = w.explain(a);
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.ways_to_read("lease") == by_place);
    }
}

TEST_CASE("an acknowledgement costs the same with twenty leases and with two thousand", "[plans][lease]") {
    auto &few = ten_thousand().worker, &many = million().worker;
    const auto of = [](const watched& w) {
        const auto plain = statements::lease(w.sql(), 2), tracked = statements::lease(w.sql(), 1);
        return std::vector{statements::finish(plain),
                           statements::mark(plain),
                           statements::settle(plain, kind::retry, false),
                           statements::settle(plain, kind::hold, true),
                           statements::settle(tracked, kind::retry, false),
                           statements::settle(tracked, kind::done, true)};
    };
    const auto of_few = of(few), of_many = of(many);
    for (std::size_t i = 0; i < of_few.size(); ++i) {
        const auto a = few.explain(of_few[i]), b = many.explain(of_many[i]);
        INFO(a.text() << b.text());
        CHECK(b.blocks() <= a.blocks() + 20);
    }
}

TEST_CASE("an acknowledgement in the caller's transaction finds its lease by the row location", "[plans][lease]") {
    for (auto* c : clients()) {
        const auto l = statements::lease(c->sql(), 2);
        for (const auto& a : {statements::hold_lease(l), statements::owns_lease(l), statements::settle_held(l)}) {
            const auto e = c->explain(a);
            INFO(e.text());
            CHECK(e.read_whole() == names{});
            CHECK(e.blocks() <= 15);  // 4
        }
    }
    for (auto* c : clients()) {
        const auto e = c->explain(statements::settle_held(statements::lease(c->sql(), 1)));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 130);  // 42
    }
}

// A lookup by id alone reads all rows of the lease table, but not their payloads and arrays, which are stored
// elsewhere.
TEST_CASE("a statement that does not know a lease's row location reads all leases", "[plans][lease]") {
    for (auto* w : workers()) {
        const auto l = statements::lease(w->sql(), 2);
        for (const auto& a :
             {statements::revise_body(l), statements::revise_progress(l), statements::of_worker(st::leases_of, 7)}) {
            const auto e = w->explain(a);
            INFO(e.text());
            CHECK(e.read_whole({"lease"}) == names{});
            CHECK(e.blocks() <= 2700);  // 894: two scans
        }
    }
    for (auto* c : clients()) {
        const auto e = c->explain(statements::finish_inside(statements::lease(c->sql(), 2)));
        INFO(e.text());
        CHECK(e.read_whole({"lease"}) == names{});
        CHECK(e.blocks() <= 1300);  // 445
    }
}

TEST_CASE("giving leases back reads each lease once and writes each of its jobs once", "[plans][lease]") {
    for (auto* w : workers()) {
        const auto all = w->explain(statements::of_worker(st::give_back_all, 7));
        INFO(all.text());
        CHECK(all.read_whole({"lease"}) == names{});
        CHECK(all.blocks_of("ready") > 0);
        CHECK(all.blocks() <= 11'000);  // 3768: 800 jobs
        const auto two = w->explain(statements::give_back({1, 2}));
        INFO(two.text());
        CHECK(two.read_whole({"lease"}) == names{});
        CHECK(two.blocks_of("ready") > 0);
        CHECK(two.blocks() <= 1800);  // 607: 40 jobs
    }
}

}  // namespace plans_lease
