#pragma once

#include <pgq/job/scheduled_at.hpp>
#include <pgq/testing/laws/schedules/fixture.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// Laws of schedules that are fired.
namespace pgq::laws {

/// `fire_schedules`.
template <class Driver, class Make>
void check_fired_schedules(Make make) {
    SECTION("a tick enqueues the job with its options, and with the name and the tick as headers") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a", {.priority = 9, .headers = {{"tenant", "acme"}}}));
        auto p = t.w.worker({t.lane});
        const auto f = t.firing("a");
        const auto a = t.fire(f);
        CHECK(a.outcome == fire_outcome::fired);
        CHECK(a.next_at == f.next);
        REQUIRE(a.ticks.size() == 1);
        const auto claimed = p.claim(10);
        const auto got = in_order(claimed);
        REQUIRE(got.size() == 1);
        CHECK(got[0].id == a.ticks[0].job);
        CHECK(got[0].body == "body of a");
        CHECK(got[0].rank.priority() == 9);
        const auto header = [&](std::string_view name) {
            for (const auto& h : got[0].headers)
                if (h.name == name) return std::string{h.value};
            return std::string{"none"};
        };
        CHECK(header("tenant") == "acme");
        CHECK(header(pgq::detail::schedule_header) == "a");
        CHECK(pgq::detail::parse_tick(header(pgq::detail::scheduled_at_header)) == f.ticks[0]);
        const auto s = t.find("a");
        CHECK(s.next_at == f.next);
        CHECK(s.fired_at == f.ticks[0]);
        CHECK(s.fired_job == a.ticks[0].job);
    }
    SECTION("the job of a tick has the delay, the deadline, the expiry and the limit key of the schedule") {
        schedule_fixture<Driver> t{make()};
        const bodies keys = driver_fixture<Driver>::packed({"tenant"});
        const enqueue_options options{
            .run_at = in(2h), .expected_at = in(3h), .expires_at = in(1h), .keep_outcome = 1h};
        CHECK(t.declare("a", options, [&](auto& d) { d.job.keys = &keys; }));
        const auto id = t.fire_next("a");
        REQUIRE(id.has_value());
        const auto job = must(t.w.client().find_one(*id));
        REQUIRE(job.has_value());
        CHECK(job->state == job_state::deferred);
        REQUIRE(job->run_at.has_value());
        CHECK(*job->run_at > job->enqueued_at + 110min);
        CHECK(*job->run_at < job->enqueued_at + 130min);
        const time_point deadline{std::chrono::milliseconds{job->rank.deadline_ms()}};
        CHECK(deadline > job->enqueued_at + 170min);
        CHECK(deadline < job->enqueued_at + 190min);
        CHECK(job->key == "tenant");
        auto p = t.w.worker({t.lane});
        const auto due = p.sync({.peek_next_due = true}).next_due;
        REQUIRE(due.has_value());
        CHECK(*due <= 1h);
    }
    SECTION("a tick is fired only if next_at is the expected one") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a"));
        const auto f = t.firing("a");
        CHECK(t.fire(f).outcome == fire_outcome::fired);
        const auto second = t.fire(f);
        CHECK(second.outcome == fire_outcome::not_expected);
        CHECK(second.next_at == f.next);
        CHECK(second.ticks.empty());
        CHECK(t.w.counts(t.lane).ready == 1);
    }
    SECTION("no tick is fired before its time, and none of a schedule that is not there") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a"));
        auto f = t.firing("a");
        f.ticks.push_back(t.list().now + 1h);
        CHECK(t.fire(f).outcome == fire_outcome::early);
        f.name = "b";
        CHECK(t.fire(f).outcome == fire_outcome::gone);
        CHECK(t.w.counts(t.lane).ready == 0);
        CHECK(must(t.w.client().fire_schedules("default", {})).all.empty());
    }
    SECTION("one call fires many schedules and many ticks, and may fire none") {
        schedule_fixture<Driver> t{make()};
        for (const auto* name : {"a", "b", "c"}) CHECK(t.declare(name));
        std::vector<schedule_firing> all{t.firing("c"), t.firing("a"), t.firing("b")};
        all[0].ticks = {all[0].ticks[0] - 1s, all[0].ticks[0]};
        all[0].next.reset();
        all[1].expected += 1s;
        all[2].ticks.clear();
        const auto reply = must(t.w.client().fire_schedules("default", all));
        REQUIRE(reply.all.size() == 3);
        CHECK(reply.all[0].outcome == fire_outcome::fired);
        REQUIRE(reply.all[0].ticks.size() == 2);
        CHECK(reply.all[0].ticks[1].job > reply.all[0].ticks[0].job);
        CHECK(reply.all[1].outcome == fire_outcome::not_expected);
        CHECK(reply.all[2].outcome == fire_outcome::fired);
        CHECK(t.w.counts(t.lane).ready == 2);
        CHECK_FALSE(t.find("c").next_at);
        CHECK(t.find("b").next_at == all[2].next);
        CHECK_FALSE(t.find("b").fired_at);
    }
    SECTION("of sessions that fire one tick at the same time one fires it") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a"));
        for (int round = 0; round < 10; ++round) {
            auto f = t.firing("a");
            f.next = f.expected + 1us;
            std::array<fire_outcome, 4> outcomes{};
            {
                std::vector<std::jthread> threads;
                for (auto& outcome : outcomes)
                    threads.emplace_back([&outcome, &f, s = t.w.connect(session_role::client)]() mutable {
                        auto reply = s.fire_schedules("default", std::span{&f, 1});
                        if (reply && reply->all.size() == 1) outcome = reply->all[0].outcome;
                    });
            }
            CHECK(std::count(outcomes.begin(), outcomes.end(), fire_outcome::fired) == 1);
            for (const auto v : outcomes)
                CHECK((v == fire_outcome::fired || v == fire_outcome::busy || v == fire_outcome::not_expected));
            CHECK(t.w.counts(t.lane).ready == round + 1);
        }
    }
    SECTION("a fired tick wakes a sleeping worker") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a"));
        auto p = t.w.worker({t.lane});
        p.subscribe();
        (void)t.fire_next("a");
        CHECK(p.receives_wake());
    }
}

}  // namespace pgq::laws
