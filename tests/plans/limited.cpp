#include <plans/backlog.hpp>
#include <plans/statements.hpp>

#include <support/catch.hpp>

// claim_limited is a function: the statistics of its tables show what its statements read.
namespace plans_limited {

using test::million;
using test::names;
using test::ten_thousand;
using test::workers;
namespace statements = test::statements;

TEST_CASE("a claim from a lane with a limit costs no more than one from a lane without", "[plans][claim][limit]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::claim_limited(statements::counted));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.rows_sorted() <= 10);  // limits
        CHECK(e.blocks() <= 1900);     // 637
    }
}

// The payloads have 45 bytes.
TEST_CASE("a claim from a lane with a limit that counts bytes finds the payloads by their row locations",
          "[plans][claim][limit]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::claim_limited(statements::counted, 20 * 45));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.rows_sorted() <= 100 + 10);  // jobs and limits
        CHECK(e.blocks() <= 1900);           // 490
    }
}

// The front of the lane, a little more than four times the wanted jobs, is read in the order of the index and sorted by
// keys.
TEST_CASE("a claim from a lane with a keyed limit reads only the front of the lane", "[plans][claim][limit]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::claim_limited(statements::keyed));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.rows_sorted() <= 2 * (4 * 100 + 64) + 10);
        CHECK(e.blocks() <= 3300);  // 1110
    }
}

// Then the claim reads the front of each key, here a thousand of them. For jobs without a key, which have no index, it
// reads sixteen fronts of the lane.
TEST_CASE("a claim from a lane whose front has one busy key reads only a part of the lane", "[plans][claim][limit]") {
    for (auto* w : workers()) {
        const auto e = w->explain(statements::claim_limited(statements::busy));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 26'000);
    }
}

TEST_CASE("a claim from a lane with limits costs the same with ten thousand jobs and with a million",
          "[plans][claim][limit]") {
    const auto few = ten_thousand().worker.explain(statements::claim_limited(statements::counted));
    const auto many = million().worker.explain(statements::claim_limited(statements::counted));
    INFO(few.text() << many.text());
    CHECK(many.blocks() <= few.blocks() + 30);

    // Ten thousand jobs do not fill the front of the keyed lane: it has 200 jobs.
    const auto short_front = ten_thousand().worker.explain(statements::claim_limited(statements::keyed));
    const auto full_front = million().worker.explain(statements::claim_limited(statements::keyed));
    INFO(short_front.text() << full_front.text());
    CHECK(full_front.blocks() <= short_front.blocks() + 464);
}

}  // namespace plans_limited
