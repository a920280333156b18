#include <plans/asked.hpp>
#include <plans/backlog.hpp>

#include <pgq/statement/admin.hpp>
#include <pgq/statement/revise.hpp>
#include <pgq/statement/track.hpp>

#include <support/catch.hpp>

namespace plans_tracked {

using test::clients;
using test::names;
namespace ask = test::ask;
namespace st = pgq::statement;

TEST_CASE("the end of jobs finds their children by the index, and these begin", "[plans][tracked]") {
    for (auto* c : clients()) {
        const auto e = c->explain(ask::end_tracked());
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 300);  // 104
    }
}

TEST_CASE("a wait for tracked jobs finds them by the index", "[plans][tracked]") {
    for (auto* c : clients()) {
        const auto e = c->explain(ask::watch({{7}, {27}}));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 150);
    }
}

// By its id alone a job that waits is found in no index: all that wait are read, once to cancel and once to see that none has
// got away. Nothing else is read so but the leases.
// A session that has its plans from when there were few jobs reads what is tracked, too: indexes cannot be asked for, because
// those of what waits would be worse than none.
TEST_CASE("a cancel by ids reads what waits and what runs, and the rest by indexes", "[plans][tracked]") {
    auto all_but_of_few = clients();
    all_but_of_few.pop_back();
    for (auto* c : all_but_of_few) {
        const auto e = c->explain(ask::of_jobs(st::cancel, {7, 27}));
        INFO(e.text());
        CHECK(e.read_whole({"lease", "pack", "ready"}) == names{});
        CHECK(e.blocks() - e.blocks_of("ready") - e.blocks_of("pack") - e.blocks_of("lease") <= 300);
    }
}

TEST_CASE("a requeue by ids finds held jobs by the index", "[plans][tracked]") {
    for (auto* c : clients()) {
        const auto e = c->explain(ask::of_jobs(st::requeue, {ask::held + 50, ask::held + 100}));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 800);  // 68; with a plan from when there were few jobs 252, all entries of those held
    }
}

TEST_CASE("what is asked or said of one job is found by indexes", "[plans][tracked]") {
    for (auto* c : clients())
        for (const auto& a : {ask::of_job(st::progress_of, 7), ask::of_job(st::failures, ask::elsewhere + 20),
                              ask::held_of(ask::big), ask::keep({7})}) {
            const auto e = c->explain(a);
            INFO(e.text());
            CHECK(e.read_whole() == names{});
            CHECK(e.blocks() <= 45);  // 14
        }
}

TEST_CASE("a sweep finds what is over by indexes", "[plans][tracked]") {
    for (auto* c : clients()) {
        const auto e =
            c->explain(ask::sweep(),
                       "UPDATE {s}.tracked SET expires_at = now() WHERE id BETWEEN 1 AND 1000 AND expires_at > now();"
                       "UPDATE {s}.outcome SET keep_until = now() WHERE id < 500001000");
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 3300);  // 1110: ten jobs and a hundred records
    }
}

}  // namespace plans_tracked
