#include <plans/backlog.hpp>
#include <plans/statements.hpp>

#include <pgq/protocol/action.hpp>
#include <pgq/statement/admin/action.hpp>
#include <pgq/statement/admin/listing.hpp>

#include <support/catch.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// A page of jobs is a merge of ranges: each lane and rank of ready jobs and packs, and each lane of held jobs. A
// seventh of the ready jobs has a deadline: the lanes 4, 5 and 6 have 4300 ranges, and all lanes have more than the
// statement steps along.
namespace plans_admin {

using test::bound_statement;
using test::clients;
using test::million;
using test::names;
namespace statements = test::statements;
namespace st = pgq::statement;

namespace {

constexpr std::array lanes{pgq::lane_id{4}, pgq::lane_id{5}, pgq::lane_id{6}, pgq::lane_id{12}};

bound_statement page_of(const pgq::job_search& r) {
    return bound_statement::of(st::list_jobs, [&](auto& p) { st::bind_list_jobs(p, r); });
}
bound_statement acting(const st::query& q, pgq::job_action what, const std::vector<pgq::job_place>& jobs) {
    return bound_statement::of(q, [&](auto& p) {
        p.int8s(jobs.size(), [&](std::size_t i) { return jobs[i].id.value; });
        st::bind_places(p, {.what = what, .jobs = jobs});
        if (what == pgq::job_action::move) p.number(std::int32_t{11});
    });
}

}  // namespace

TEST_CASE("a page of jobs of several lanes and all states reads a small part of each range", "[plans][admin]") {
    for (auto* c : clients()) {
        const auto e = c->explain(page_of({.lanes = lanes}));
        INFO(e.text());
        CHECK(e.read_whole({"lease", "lane"}) == names{});
        CHECK(e.blocks() <= 100'000);
    }
}

TEST_CASE("a page from the middle reads no more than the first one", "[plans][admin]") {
    for (auto* c : clients())
        for (const auto id : {std::int64_t{500'000}, statements::in_packs + 500'077, statements::held + 10'000}) {
            const auto e = c->explain(page_of({.lanes = lanes, .after = {id}, .most = 100}));
            INFO(e.text());
            CHECK(e.read_whole({"lease", "lane"}) == names{});
            CHECK(e.blocks() <= 100'000);
        }
}

TEST_CASE("a search for a header that no job has looks at so many jobs only", "[plans][admin]") {
    const std::array<pgq::header, 1> nobody{{{"tenant", "nobody"}}};
    for (auto* c : clients()) {
        const auto e = c->explain(
            page_of({.lanes = lanes, .states = pgq::job_state::ready, .headers = nobody, .most = 100, .look = 1000}));
        INFO(e.text());
        CHECK(e.read_whole({"lane"}) == names{});
        CHECK(e.blocks() <= 100'000);
    }
}

TEST_CASE("with a deadline for each job a page reads the table of ready jobs", "[plans][admin]") {
    const auto e = million().client.explain(page_of({.states = pgq::job_state::ready}));
    INFO(e.text());
    CHECK(e.read_whole({"lane", "ready"}) == names{});
}

TEST_CASE("jobs of which the place is known are cancelled and moved by the index", "[plans][admin]") {
    const std::vector<pgq::job_place> jobs{{.id = {10}, .lane = pgq::lane_id{1}, .rank = pgq::rank::of(5)},
                                           {.id = {statements::held + 50}, .lane = pgq::lane_id{2}, .rank = {-1}}};
    auto all_but_of_few = clients();
    all_but_of_few.pop_back();  // with plans from when there were few jobs, a cancel also reads all tracked jobs
    for (auto* c : all_but_of_few) {
        const auto e = c->explain(acting(st::cancel_at, pgq::job_action::cancel, jobs));
        INFO(e.text());
        CHECK(e.read_whole({"lease"}) == names{});
    }
    for (auto* c : clients()) {
        const auto e = c->explain(acting(st::move_jobs, pgq::job_action::move, jobs));
        INFO(e.text());
        CHECK(e.read_whole({"lease"}) == names{});
    }
}

TEST_CASE("held jobs are dropped and deferred ones run now by their ids", "[plans][admin]") {
    for (auto* c : clients()) {
        const auto drop = c->explain(statements::of_jobs(st::drop_held, {statements::held + 50}));
        INFO(drop.text());
        CHECK(drop.read_whole() == names{});
        const auto run = c->explain(statements::of_jobs(st::run_now, {statements::delayed + 20'000}));
        INFO(run.text());
        CHECK(run.read_whole() == names{});
    }
}

TEST_CASE("groups of held jobs read so many of each lane", "[plans][admin]") {
    for (auto* c : clients()) {
        const auto e = c->explain(bound_statement::of(
            st::failed_groups, [](auto& p) { st::bind_some_lanes(p, std::nullopt).number(std::int64_t{100}); }));
        INFO(e.text());
        CHECK(e.read_whole({"lane"}) == names{});
        CHECK(e.blocks() <= 6000);
    }
}

}  // namespace plans_admin
