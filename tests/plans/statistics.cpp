#include <plans/backlog.hpp>
#include <plans/statements.hpp>

#include <pgq/statement/statistics.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

// `minute` has two rows for each of 12 lanes and each of the 2083 minutes before the next full hour, `hour` their sums.
namespace plans_statistics {

using namespace std::chrono_literals;
using test::clients;
using test::names;
using test::watched;
using test::workers;
namespace statements = test::statements;
namespace st = pgq::statement;

namespace {

std::vector<watched*> everybody() {
    auto all = workers();
    for (auto* c : clients()) all.push_back(c);
    return all;
}

std::int64_t blocks_of_minutes(const test::explained& e) {
    return e.blocks_of("minute") + e.blocks_of("minute_pkey") + e.blocks_of("minute_of_workers");
}
/// The planner reads the first block of an empty index each time, and `minute_of_workers` may be empty.
std::int64_t blocks_of_statistics(const test::explained& e) {
    return blocks_of_minutes(e) + e.blocks_of("hour") + e.blocks_of("hour_pkey");
}

}  // namespace

TEST_CASE("a report reads and writes its own rows", "[plans][statistics]") {
    for (auto* w : everybody()) {
        const auto e = w->explain(statements::add_minutes(1));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks_of("minute") > 0);
        CHECK(e.blocks() <= 400);
    }
}

TEST_CASE("statistics read the minutes of their window, and no jobs", "[plans][statistics]") {
    for (auto* c : clients()) {
        const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
        const auto hour = c->explain(statements::statistics_of({statements::big}, {.from = now - 1h, .to = now}));
        INFO(hour.text());
        CHECK(hour.read_whole() == names{});
        CHECK(hour.blocks() == blocks_of_statistics(hour));
        CHECK(hour.blocks_of("minute_of_workers") <= 2);
        CHECK(hour.blocks() <= 400);
        const auto parts = c->explain(statements::statistics_of(statements::all_lanes(), {.last = 24h, .step = 5min}));
        INFO(parts.text());
        CHECK(parts.blocks() == blocks_of_statistics(parts));
        CHECK(parts.blocks_of("hour") <= 1);
        const auto day = c->explain(statements::statistics_of(statements::all_lanes(), {.last = 24h}));
        INFO(day.text());
        CHECK(day.read_whole() == names{});
        CHECK(day.blocks() == blocks_of_statistics(day));
        CHECK(day.blocks_of("hour") > 0);
        CHECK(blocks_of_minutes(day) * 4 < blocks_of_minutes(parts));
    }
}

TEST_CASE("counts up to a bound read so many entries of each lane, however many jobs there are",
          "[plans][statistics]") {
    for (auto* c : clients()) {
        const auto few = c->explain(statements::of_lanes(st::counts_up_to, statements::all_lanes(), 10));
        INFO(few.text());
        CHECK(few.read_whole({"lease"}) == names{});
        CHECK(few.blocks() <= 12'000);
        const auto many = c->explain(statements::of_lanes(st::counts_up_to, statements::all_lanes(), 10'000));
        INFO(many.text());
        CHECK(many.read_whole({"lease"}) == names{});
        CHECK(many.blocks() <= 200'000);
    }
}

TEST_CASE("counts up to a bound read the kinds of deferred jobs from an index", "[plans][statistics]") {
    // Lane 10 has more than 10 000 delayed and blocked jobs.
    const auto e = test::million().client.explain(statements::of_lanes(st::counts_up_to, {{10}}, 10'000));
    INFO(e.text());
    CHECK(e.blocks_of("deferred_open") > 0);
    CHECK(e.blocks_of("deferred") <= 20);
}

TEST_CASE("the latest failures are the first entries of an index", "[plans][statistics]") {
    for (auto* c : clients()) {
        const auto e = c->explain(statements::of_lanes(st::latest_failures, statements::all_lanes(), 50));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 1000);
    }
}

TEST_CASE("maintenance of statistics reads what it changes", "[plans][statistics]") {
    for (auto* w : everybody()) {
        const auto e = w->explain({.name = "fold", .text = "SELECT {s}.fold_minutes('48 hours')"},
                                  "UPDATE {s}.minute SET worker = 7 WHERE lane = 5 AND worker = 0"
                                  " AND at < now() - interval '10 hours'");
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 100'000);
    }
}

}  // namespace plans_statistics
