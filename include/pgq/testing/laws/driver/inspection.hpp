#pragma once

#include <pgq/testing/laws/driver/fixture.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

/// Laws of what a program asks about jobs, and of dead-letter routes.
namespace pgq::laws {

/// `failures` and `open_jobs`.
template <class Driver, class Make>
void check_inspection(Make make) {
    SECTION("failures lists the failed attempts of a job, oldest first, also after the job has ended") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        const auto ids = w.enqueue(lane, {"a"});
        CHECK(must(w.client().failures(ids[0])).empty());
        p.settle(p.claim(1), {.kind = settle_kind::retry, .reason = "first"});
        p.settle(p.claim(1), {.kind = settle_kind::release, .reason = "no failure"});
        p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "second"});
        CHECK(must(w.client().requeue(ids)) == 1);
        p.finish(p.claim(1));
        const auto history = must(w.client().failures(ids[0]));
        REQUIRE(history.size() == 2);
        CHECK(history[0].attempt == 1);
        CHECK(history[0].reason == "first");
        CHECK(history[1].attempt == 2);
        CHECK(history[1].reason == "second");
        CHECK(history[0].at <= history[1].at);
    }
    if constexpr (can_find_problems<typename Driver::session>) {
        SECTION("problems finds nothing that prevents work where workers work") {
            driver_fixture<Driver> w{make()};
            for (const auto& p : must(w.client().problems())) {
                CAPTURE(p.message);
                CHECK_FALSE(p.prevents_work);
            }
        }
    }
    SECTION("open_jobs counts jobs that have not ended and are not held, no further than `most`") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto other = w.lane("other");
        auto p = w.worker({lane});
        CHECK(must(w.client().open_jobs(lane, 100)) == 0);
        (void)w.enqueue(lane, {"a", "b", "c"});
        (void)w.enqueue(lane, {"later"}, {.run_at = in(1h)});
        (void)w.enqueue(other, {"elsewhere"});
        CHECK(must(w.client().open_jobs(lane, 100)) == 4);
        CHECK(must(w.client().open_jobs(lane, 3)) == 3);
        const auto leased = p.claim(1);
        CHECK(must(w.client().open_jobs(lane, 100)) == 4);
        p.finish(leased);
        p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "no"});
        CHECK(must(w.client().open_jobs(lane, 100)) == 2);
    }
}

/// `set_dead_letter_routes`.
template <class Driver, class Make>
void check_dead_letter_routes(Make make) {
    SECTION("a job that would be held goes to the lane of its route, until the route is removed") {
        driver_fixture<Driver> w{make()};
        const auto from = std::array{w.lane("job")}, to = std::array{w.lane("job", "dead")};
        auto p = w.worker({from[0]}), collector = w.worker({to[0]});
        must(w.client().set_dead_letter_routes(from, to));
        const std::vector<header> mine{{"tenant", "blue"}};
        const auto ids = w.enqueue(from[0], {"a"}, {.headers = mine});
        p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "broken"});
        CHECK(w.held(from[0]).empty());
        const auto moved = collector.claim(1);
        REQUIRE(ids_of(moved) == ids);
        CHECK(bodies_of(moved) == strings{"a"});
        CHECK(moved.leases[0].jobs[0].attempt == 1);
        const auto value = [&](std::string_view name) {
            for (const auto& h : moved.leases[0].jobs[0].headers)
                if (h.name == name) return std::string{h.value};
            return std::string{"(none)"};
        };
        CHECK(value("tenant") == "blue");
        CHECK(value("pgq-died-in") == "default");
        CHECK(value("pgq-died-of") == "broken");
        CHECK(value("pgq-attempts") == "1");
        collector.finish(moved);

        must(w.client().set_dead_letter_routes(from, {}));
        (void)w.enqueue(from[0], {"b"});
        p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "broken"});
        CHECK(w.held(from[0]).size() == 1);
        CHECK(collector.claim(1).claimed() == 0);
    }
}

}  // namespace pgq::laws
