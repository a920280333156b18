#include <plans/backlog.hpp>
#include <plans/statements.hpp>

#include <pgq/statement/admin.hpp>
#include <pgq/statement/revise.hpp>
#include <pgq/statement/track.hpp>

#include <support/catch.hpp>

namespace plans_tracked {

using test::clients;
using test::names;
namespace statements = test::statements;
namespace st = pgq::statement;

TEST_CASE("the end of jobs finds their children by the index, and these become ready", "[plans][tracked]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::end_tracked());
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 300);  // 104
    }
}

TEST_CASE("a wait for tracked jobs finds them by the index", "[plans][tracked]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::watch({{7}, {27}}));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 150);
    }
}

// No index finds a ready job by its id alone: the statement reads all ready jobs once to cancel, and once to check that
// none was missed. It reads nothing else whole except the leases. A session whose plans are from when there were few
// jobs also reads all tracked jobs. The settings cannot demand indexes here, because for ready jobs a scan by index
// would be worse.
TEST_CASE("a cancel by ids reads all ready jobs and leases, and finds other rows by indexes", "[plans][tracked]") {
    auto all_but_of_few = clients();
    all_but_of_few.pop_back();
    for (auto* c : all_but_of_few) {
        const auto e = c->explain(statements::of_jobs(st::cancel, {7, 27}));
        INFO(e.text());
        CHECK(e.read_whole({"lease", "pack", "ready"}) == names{});
        CHECK(e.blocks() - e.blocks_of("ready") - e.blocks_of("pack") - e.blocks_of("lease") <= 300);
    }
}

TEST_CASE("a requeue by ids finds held jobs by the index", "[plans][tracked]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::of_jobs(st::requeue, {statements::held + 50, statements::held + 100}));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 800);  // 68; with a plan from when there were few jobs 252, all entries of held jobs
    }
}

TEST_CASE("statements about one job find its rows by indexes", "[plans][tracked]") {
    for (auto* c : clients())
        for (const auto& a :
             {statements::of_job(st::progress_of, 7), statements::of_job(st::failures, statements::elsewhere + 20),
              statements::held_of(statements::big), statements::keep({7})}) {
            const auto e = c->explain(a);
            INFO(e.text());
            CHECK(e.read_whole() == names{});
            CHECK(e.blocks() <= 45);  // 14
        }
}

TEST_CASE("expire and purge find their rows by indexes", "[plans][tracked]") {
    for (auto* c : clients()) {
        const auto e =
            c->explain(statements::expire_and_purge(),
                       "UPDATE {s}.tracked SET expires_at = now() WHERE id BETWEEN 1 AND 1000 AND expires_at > now();"
                       "UPDATE {s}.outcome SET keep_until = now() WHERE id < 500001000");
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 3300);  // 1110: ten jobs and a hundred records
    }
}

}  // namespace plans_tracked
