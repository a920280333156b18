#include <pgq/driver/memory.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>

#include "support/catch.hpp"
#include "support/jobs.hpp"
#include "unit/worker/faulty.hpp"

#include <chrono>
#include <memory>

namespace unit_pull_poll_worker {

using namespace std::chrono_literals;
using test::fault_plan, test::note;

namespace {

using database = test::faulty<pgq::driver::memory>;

}  // namespace

TEST_CASE("a poller gives back a job whose claim it has not received, and polls it again", "[unit][pull][poll]") {
    const auto plan = std::make_shared<fault_plan>(
        fault_plan::at(test::verb::sync, 1, {.error = pgq::errc::connection_lost, .performed = true}));
    pgq::queue<note, database, pgq::serializer::json> jobs{database{pgq::driver::memory{}, plan}};
    jobs.enqueue(note{.n = 1}).value();
    auto poller = jobs.poll<note>({.timeout = 0s});
    CHECK_FALSE(poller.next().has_value());
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.leased = 1});
    auto again = poller.next().value();
    REQUIRE(again.has_value());
    again->ack().value();
    CHECK(plan->failed_verb() == 1);
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{});
}

}  // namespace unit_pull_poll_worker
