#pragma once

#include <pgq/testing/laws/schedules/fixture.hpp>

#include <chrono>

/// Laws of schedules that are declared, listed and pruned.
namespace pgq::laws {

/// `declare_schedule`, `schedules` and `prune_schedules`.
template <class Driver, class Make>
void check_declared_schedules(Make make) {
    SECTION("a schedule is stored as it was declared; the same declaration changes nothing") {
        schedule_fixture<Driver> t{make()};
        const auto change = [](schedule_definition& d) {
            d.expression = "0 3 * * *";
            d.zone = "Europe/Berlin";
            d.jitter = 90s;
            d.starts_at = time_point{std::chrono::sys_days{std::chrono::year{2125} / 1 / 1}};
            d.ends_at = time_point{std::chrono::sys_days{std::chrono::year{2126} / 1 / 1} + 1us};
            d.missed_count = 7;
            d.missed_age = 3h + 1us;
            d.overlap = overlap::queue_one;
        };
        CHECK(t.declare("b", {.priority = -3, .headers = {{"a", "1"}, {"b", ""}}}, change));
        CHECK(t.declare("a"));
        const auto before = t.list();
        REQUIRE(before.all.size() == 2);
        CHECK(before.all[0].name == "a");
        const auto& s = before.all[1];
        CHECK(s.name == "b");
        CHECK(s.entrypoint == "job");
        CHECK(s.lane == t.lane);
        CHECK(s.expression == "0 3 * * *");
        CHECK(s.zone == "Europe/Berlin");
        CHECK(s.jitter == 90s);
        CHECK(s.starts_at == time_point{std::chrono::sys_days{std::chrono::year{2125} / 1 / 1}});
        CHECK(s.ends_at == time_point{std::chrono::sys_days{std::chrono::year{2126} / 1 / 1} + 1us});
        CHECK(s.missed_count == 7);
        CHECK(s.missed_age == 3h + 1us);
        CHECK(s.overlap == overlap::queue_one);
        CHECK(s.next_at == s.starts_at);
        CHECK_FALSE(s.fired_at);
        CHECK_FALSE(s.fired_job);
        CHECK_FALSE(s.paused_at);
        CHECK(before.all[0].next_at <= before.now);
        CHECK_FALSE(before.all[0].missed_age);

        CHECK_FALSE(t.declare("b", {.priority = -3, .headers = {{"a", "1"}, {"b", ""}}}, change));
        CHECK_FALSE(t.declare("a"));
        CHECK(t.find("a").next_at == before.all[0].next_at);
        CHECK(t.list("other").all.empty());
        CHECK(t.list("").all.size() == 2);
    }
    SECTION("a changed job keeps the next tick, changed times begin anew") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a"));
        const auto first = t.find("a").next_at;
        CHECK(t.declare("a", {.priority = 5}));
        CHECK(t.declare("a", {.priority = 5, .headers = {{"a", "1"}}}));
        CHECK(t.find("a").next_at == first);
        CHECK(t.declare("a", {}, [](auto& d) { d.expression = "*/2 * * * *"; }));
        CHECK(t.find("a").next_at > first);
    }
    SECTION("a declaration of a changed job keeps what the schedule has fired") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a"));
        const auto job = t.fire_next("a");
        REQUIRE(job.has_value());
        const auto before = t.find("a");
        CHECK(before.fired_job == job);
        CHECK(t.declare("a", {.priority = 5}));
        const auto after = t.find("a");
        CHECK(after.fired_at == before.fired_at);
        CHECK(after.fired_job == job);
    }
    SECTION("prune_schedules removes what no program declares any more") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a"));
        CHECK(must(t.w.client().prune_schedules("default", 1h)) == 0);
        const auto declared = t.find("a").declared_at;
        REQUIRE(t.w.eventually([&] { return t.list().now > declared; }));
        CHECK(must(t.w.client().prune_schedules("other", 0s)) == 0);
        CHECK(must(t.w.client().prune_schedules("default", 0s)) == 1);
        CHECK(t.list().all.empty());
    }
    SECTION("a session that has listed the schedules is notified when one is declared or changed") {
        schedule_fixture<Driver> t{make()};
        auto follower = t.w.connect(session_role::client);
        if (must(follower.schedules("default", {})).notifies) {
            CHECK(t.declare("a"));
            CHECK(must(follower.wait(law_timeout)) == wake_reason::notified);
            for (const auto what : {schedule_change::pause, schedule_change::resume, schedule_change::remove}) {
                CHECK(t.change("a", what).changed);
                CHECK(must(follower.wait(law_timeout)) == wake_reason::notified);
            }
        }
    }
}

}  // namespace pgq::laws
