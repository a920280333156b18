#include <pgq/driver/memory/table/undo_log.hpp>

#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace unit_driver_memory_table_undo_log {

using namespace pgq;
using namespace std::chrono_literals;
using driver::in_memory::job, driver::in_memory::job_store, driver::in_memory::undo_log;

namespace {

constexpr time_point now{1'000'000s};

/// A store with one lane and ready jobs, and a transaction.
struct fixture {
    job_store jobs{};
    lane_id lane = jobs.add_lane();
    undo_log log{};

    job make(std::int64_t id) const { return {.id = {id}, .lane = lane}; }
    void add(std::int64_t id) { jobs.add_ready(make(id)); }
    void take(std::int64_t id) {
        const std::array ids{job_id{id}};
        const auto taken = jobs.remove(ids);
        REQUIRE(taken.size() == 1);
        log.record_take(taken[0]);
    }
    lane_counts counts() const { return jobs.counts(lane); }
};

}  // namespace

TEST_CASE("a rollback returns taken jobs, removes held ones and drops enqueued ones", "[driver][memory][undo_log]") {
    fixture f;
    for (const auto id : {1, 2}) f.add(id);
    f.take(1);
    f.take(2);
    f.jobs.hold(f.make(2), "no");
    f.log.record_hold(f.make(2), "no");
    f.log.record_enqueue(f.make(3), std::nullopt);
    CHECK(f.counts() == lane_counts{.held = 1});
    f.log.rollback(f.jobs);
    CHECK(f.counts() == lane_counts{.ready = 2});
    CHECK(f.log.pending().empty());
    CHECK(f.jobs.touched() == std::vector{f.lane, f.lane});
}

TEST_CASE("a commit stores enqueued jobs, ready or deferred", "[driver][memory][undo_log]") {
    fixture f;
    f.log.record_enqueue(f.make(1), std::nullopt);
    f.log.record_enqueue(f.make(2), now + 1h);
    CHECK(f.counts() == lane_counts{});
    f.log.commit(f.jobs, now);
    CHECK(f.counts() == lane_counts{.ready = 1, .deferred = 1});
    CHECK(f.jobs.touched() == std::vector{f.lane, f.lane});
}

TEST_CASE("a commit ends the taken jobs as done, or as held", "[driver][memory][undo_log]") {
    fixture f;
    for (const auto id : {1, 2}) {
        job j = f.make(id);
        j.flags = flag_tracked;
        f.jobs.tracked().add(j.id, {.lane = f.lane, .keep_outcome = 1h});
        f.jobs.add_ready(j);
        f.take(id);
    }
    f.log.record_hold(f.make(2), "unreadable");
    f.log.commit(f.jobs, now);
    REQUIRE(f.jobs.outcome({1}).has_value());
    CHECK(f.jobs.outcome({1})->kind == end_kind::done);
    REQUIRE(f.jobs.outcome({2}).has_value());
    CHECK(f.jobs.outcome({2})->kind == end_kind::held);
    CHECK(f.jobs.outcome({2})->reason == "unreadable");
}

TEST_CASE("a rollback to a savepoint undoes only what came after it", "[driver][memory][undo_log]") {
    fixture f;
    for (const auto id : {1, 2}) f.add(id);
    f.take(1);
    f.log.record_enqueue(f.make(3), std::nullopt);
    f.log.savepoint();
    f.take(2);
    f.log.take_pending({3});
    f.log.record_enqueue(f.make(4), std::nullopt);
    CHECK(f.log.has_savepoint());
    f.log.rollback_to_savepoint(f.jobs);
    CHECK_FALSE(f.log.has_savepoint());
    CHECK(f.counts() == lane_counts{.ready = 1});
    REQUIRE(f.log.pending().size() == 1);
    CHECK(f.log.pending()[0].what.id == job_id{3});
    f.log.commit(f.jobs, now);
    CHECK(f.counts() == lane_counts{.ready = 2});
}

}  // namespace unit_driver_memory_table_undo_log
