#pragma once

#include <pgq/job/scheduled_at.hpp>
#include <pgq/testing/laws/driver/fixture.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

/// Laws of schedules, for drivers whose sessions can_schedule.
namespace pgq::laws {

/// A lane, and functions for schedules.
template <class Driver>
struct schedule_fixture {
    using session = typename Driver::session;

    explicit schedule_fixture(Driver d) : w{std::move(d)}, lane{w.lane()} {}

    /// Declares a schedule of one job in the fixture's lane. `change` changes its definition.
    bool declare(
        std::string_view name, const enqueue_options& options = {},
        const std::function<void(schedule_definition&)>& change = [](auto&) {}) {
        const bodies b = driver_fixture<Driver>::packed({"body of " + std::string{name}});
        schedule_definition d{.name = name, .expression = "* * * * *", .zone = "UTC"};
        d.job = {.lane = lane, .bodies = &b, .options = {&options, 1}};
        change(d);
        return must(w.client().declare_schedule("default", d));
    }
    schedule_list list(std::string_view queue = "default", const std::vector<std::string>& kept = {}) {
        return must(w.client().schedules(queue, kept));
    }
    stored_schedule find(std::string_view name) {
        const auto all = list();
        const auto found = std::find_if(all.all.begin(), all.all.end(), [&](const auto& s) { return s.name == name; });
        REQUIRE(found != all.all.end());
        return *found;
    }
    /// A firing of one tick: that of `next_at`.
    schedule_firing firing(std::string_view name) {
        const auto s = find(name);
        REQUIRE(s.next_at);
        return {.name = name, .lane = lane, .expected = *s.next_at, .next = *s.next_at + 1s, .ticks = {*s.next_at}};
    }
    fire_answer fire(const schedule_firing& f) {
        auto reply = must(w.client().fire_schedules("default", std::span{&f, 1}));
        REQUIRE(reply.all.size() == 1);
        return std::move(reply.all[0]);
    }
    /// Fires the tick of `next_at`; the id of its job.
    std::optional<job_id> fire_next(std::string_view name) {
        schedule_firing f = firing(name);
        f.next = f.expected + 1us;
        const auto a = fire(f);
        CHECK(a.outcome == fire_outcome::fired);
        REQUIRE(a.ticks.size() == 1);
        CHECK(a.ticks[0].reason.empty());
        return a.ticks[0].job;
    }
    schedule_change_reply change(std::string_view name, schedule_change what, std::string_view why = {}) {
        return must(w.client().change_schedule("default", name, what, why));
    }

    driver_fixture<Driver> w;
    lane_id lane;
};

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
        CHECK(reply.all[0].ticks[0].job < reply.all[0].ticks[1].job);
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

/// Overlap, and `change_schedule`.
template <class Driver, class Make>
void check_changed_schedules(Make make) {
    const auto with = [](overlap what) { return [what](schedule_definition& d) { d.overlap = what; }; };
    SECTION("with a unique key the job of the next tick is skipped until the first one has ended") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a", {.unique_key = "schedule/a"}, with(overlap::skip)));
        auto p = t.w.worker({t.lane});
        CHECK(t.fire_next("a"));
        CHECK_FALSE(t.fire_next("a"));
        const auto running = p.claim(1);
        CHECK_FALSE(t.fire_next("a"));
        const std::string mask = mask_of({0});
        const settlement done{.kind = settle_kind::done};
        (void)p.progress(
            {.ref = running.leases[0].ref, .last = true, .mask = mask, .items = std::span{&done, 1}, .flagged = true});
        CHECK(t.fire_next("a"));
    }
    SECTION("with a key that is held while a job waits one job runs and one waits") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a", {.unique_key = unique{"schedule/a"}.while_waiting()}, with(overlap::queue_one)));
        auto p = t.w.worker({t.lane});
        CHECK(t.fire_next("a"));
        CHECK(p.claim(1).claimed() == 1);
        CHECK(t.fire_next("a"));
        CHECK_FALSE(t.fire_next("a"));
    }
    SECTION("cancel_running cancels the former job, whether it waits or runs; the first reason to stop stays") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a", {}, with(overlap::cancel_running)));
        auto p = t.w.worker({t.lane});
        (void)t.fire_next("a");
        const auto running = t.fire_next("a");
        CHECK(t.w.counts(t.lane).ready == 1);
        CHECK(ids_of(p.claim(1)) == std::vector{*running});
        const auto cancel = [&] { return must(t.w.client().cancel(std::span{&*running, 1})).stopping; };
        const bool is_cancelled = GENERATE(false, true);
        if (is_cancelled) CHECK(cancel() == 1);
        (void)t.fire_next("a");
        CHECK(cancel() == 0);
        const auto flags = must(p.session.lease_updates(p.worker)).at(0).flags;
        CHECK(flags.at(0) == (is_cancelled ? flag_stop : flag_stop | flag_overlap));
        CHECK(t.w.counts(t.lane).ready == 1);
    }
    SECTION("a paused schedule is not fired; the pause survives a declaration; its ticks are not fired later") {
        schedule_fixture<Driver> t{make()};
        CHECK_FALSE(t.change("a", schedule_change::pause).changed);
        CHECK(t.declare("a"));
        CHECK_FALSE(t.change("a", schedule_change::resume).changed);
        CHECK(t.change("a", schedule_change::pause, "too much").changed);
        CHECK_FALSE(t.change("a", schedule_change::pause, "again").changed);
        CHECK(t.declare("a", {.priority = 1}));
        const auto paused = t.find("a");
        CHECK(paused.paused_at);
        CHECK(paused.pause_reason == "too much");
        CHECK(t.fire(t.firing("a")).outcome == fire_outcome::paused);
        CHECK(t.w.counts(t.lane).ready == 0);

        CHECK(t.change("a", schedule_change::resume).changed);
        const auto resumed = t.find("a");
        CHECK_FALSE(resumed.paused_at);
        CHECK(resumed.pause_reason.empty());
        CHECK(resumed.next_at >= paused.paused_at);
        CHECK(t.fire_next("a"));
    }
    SECTION("a schedule is fired now beside its ticks, and removed") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a"));
        const auto before = t.find("a");
        const auto now = t.change("a", schedule_change::fire_now);
        CHECK(now.changed);
        REQUIRE(now.fired.job);
        CHECK(t.w.counts(t.lane).ready == 1);
        const auto after = t.find("a");
        CHECK(after.next_at == before.next_at);
        CHECK_FALSE(after.fired_at);
        CHECK(t.change("a", schedule_change::remove).changed);
        CHECK(t.list().all.empty());
        CHECK_FALSE(t.change("a", schedule_change::remove).changed);
        CHECK_FALSE(t.change("a", schedule_change::fire_now).changed);
        CHECK(t.w.counts(t.lane).ready == 1);
    }
}

}  // namespace pgq::laws
