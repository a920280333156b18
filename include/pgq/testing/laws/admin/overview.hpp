#pragma once

#include <pgq/admin.hpp>
#include <pgq/concept/statistics.hpp>
#include <pgq/testing/laws/driver/fixture.hpp>

#include <array>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Laws of pgq::admin::overview.
namespace pgq::laws {

/// Three lanes of two queues with jobs, workers, schedules and failures.
template <class Driver>
struct overview_fixture {
    explicit overview_fixture(const Driver& d) : w{d}, ops{d} {
        (void)w.enqueue(first, {"1", "2"});
        (void)w.enqueue(last, {"3"});
        (void)w.enqueue(other, {"4"}, {.run_at = in(1h)});
        auto p = w.worker({first, last});
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "refused"});
        (void)w.worker({other});
        if constexpr (can_keep_statistics<typename Driver::session>) {
            const std::array<minute_counts, 2> rows{
                {{.lane = first, .what = {.enqueued = 1, .done = 3}}, {.lane = other, .what = {.done = 5}}}};
            CHECK(must(p.session.beat(p.worker, {.number = 1, .rows = rows})).alive);
        }
        for (const auto& [queue, lane] : {std::pair{"b", first}, std::pair{"a", other}}) {
            const bodies b = w.packed({"tick"});
            const enqueue_options options{};
            schedule_definition s{.name = "nightly", .expression = "0 3 * * *", .zone = "UTC"};
            s.job = {.lane = lane, .bodies = &b, .options = {&options, 1}};
            must(w.client().declare_schedule(queue, s));
        }
    }
    driver_fixture<Driver> w;
    admin<Driver> ops;
    lane_id last = w.lane("z", "b"), first = w.lane("a", "b"), other = w.lane("a", "a");
};

template <class Driver, class Make>
void check_overview(Make make) {
    SECTION("an overview has all entrypoints in the order of their names, with their numbers") {
        overview_fixture<Driver> t{make()};
        must(t.ops.pause("b", "a", "maintenance"));
        const overview o = must(t.ops.overview());
        REQUIRE(o.entrypoints.size() == 3);
        strings names;
        for (const auto& e : o.entrypoints) names.push_back(e.queue + '/' + e.entrypoint);
        CHECK(names == strings{"a/a", "b/a", "b/z"});
        CHECK(o.entrypoints[0].counts.deferred == capped_count{1, false});
        CHECK(o.entrypoints[1].paused);
        CHECK_FALSE(o.entrypoints[2].paused);
        const auto& jobs = o.entrypoints[1].counts;
        const auto& more = o.entrypoints[2].counts;
        CHECK(jobs.ready.value + more.ready.value == 2);
        CHECK(jobs.held.value + more.held.value == 1);
        CHECK(o.workers.size() == 2);
        CHECK(o.schedules.size() == 2);
        REQUIRE(o.find(o.schedules.at(0).lane) != nullptr);
        CHECK(o.find(o.schedules[0].lane)->queue == "a");
        REQUIRE(o.failures.size() == 1);
        CHECK(o.failures[0].reason == "refused");
        CHECK(o.failures[0].entrypoint == o.find(o.failures[0].lane)->entrypoint);
        CHECK(o.at >= o.failures[0].at);
        CHECK_FALSE(o.more_lanes);
        CHECK(o.find({INT32_MAX}) == nullptr);
        if constexpr (can_keep_statistics<typename Driver::session>) {
            CHECK(o.entrypoints[0].last.done == 5);
            CHECK(o.entrypoints[1].last.done == 3);
            CHECK(o.entrypoints[1].last.enqueued == 1);
        }
    }
    SECTION("an overview of one queue has nothing of others") {
        overview_fixture<Driver> t{make()};
        const overview o = must(t.ops.overview({.queue = "a"}));
        REQUIRE(o.entrypoints.size() == 1);
        CHECK(o.entrypoints[0].lanes == std::vector{t.other});
        CHECK(o.workers.size() == 1);
        CHECK(o.schedules.size() == 1);
        CHECK(o.failures.empty());
        const overview none = must(t.ops.overview({.queue = "unknown"}));
        CHECK(none.entrypoints.empty());
        CHECK(none.workers.empty());
        CHECK(none.at > time_point{});
    }
    SECTION("an overview says that there are more lanes than it shows") {
        overview_fixture<Driver> t{make()};
        const overview o = must(t.ops.overview({.most_lanes = 2}));
        CHECK(o.more_lanes);
        CHECK(o.entrypoints.size() == 2);
        CHECK_FALSE(must(t.ops.overview({.most_lanes = 3})).more_lanes);
        CHECK(must(t.ops.overview({.failures = 0})).failures.empty());
    }
    SECTION("versions of a payload are one entrypoint") {
        overview_fixture<Driver> t{make()};
        const lane_name second{.entrypoint = "a", .version = "2"};
        const auto lane = must(t.w.client().lanes("a", std::span{&second, 1})).at(0);
        (void)t.w.enqueue(lane, {"5", "6"});
        const overview o = must(t.ops.overview({.queue = "a"}));
        REQUIRE(o.entrypoints.size() == 1);
        CHECK(o.entrypoints[0].lanes == std::vector{t.other, lane});
        CHECK(o.entrypoints[0].counts.ready.value == 2);
        CHECK(o.entrypoints[0].counts.deferred.value == 1);
        CHECK(o.entrypoints[0].counts.oldest_ready.has_value());
    }
    SECTION("a request that cannot be met is refused") {
        overview_fixture<Driver> t{make()};
        CHECK(t.ops.overview({.most_lanes = 0}).error() == errc::invalid_option);
        CHECK(t.ops.overview({.last = 0s}).error() == errc::invalid_option);
    }
}

}  // namespace pgq::laws
