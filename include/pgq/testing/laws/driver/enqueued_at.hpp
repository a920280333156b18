#pragma once

#include <pgq/protocol/take.hpp>
#include <pgq/testing/laws/driver/take.hpp>
#include <pgq/testing/laws/driver/tracked_fixture.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Laws of the enqueue time: the database's clock sets it, and nothing that happens to a job changes it.
namespace pgq::laws {

/// The time of the only job.
inline time_point enqueued_at(const sync_reply& claimed) {
    REQUIRE(claimed.claimed() == 1);
    return claimed.leases[0].jobs[0].enqueued_at;
}

/// Waits until the clock of the database shows another time.
template <class Driver>
void let_time_pass(driver_fixture<Driver>& w) {
    const auto until = std::chrono::steady_clock::now() + 3ms;
    while (std::chrono::steady_clock::now() < until) (void)must(w.client().wait(1ms));
}

template <class Driver, class Make>
void check_enqueue_time(Make make) {
    using fixture = tracked_fixture<Driver>;
    SECTION("a claim answers with the time at which each of its jobs was enqueued") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane(), other = w.lane("other");
        const auto single = w.enqueue(lane, {"single"}).at(0);
        let_time_pass(w);
        const auto many = w.enqueue(lane, strings(30, "many"), {.packed = true});
        let_time_pass(w);
        const auto any = w.enqueue(lane, {"any"}, {.priority = 1, .expected_at = in(1h)}).at(0);
        w.enqueue(other, {"elsewhere"});
        auto p = w.worker({lane});
        std::map<job_id, time_point> times;
        for (const auto limit : {5u, 100u})
            for (const auto& j : in_order(p.claim(limit))) times[j.id] = j.enqueued_at;
        REQUIRE(times.size() == 32);
        CHECK(times[single] < times[many[0]]);
        for (const auto id : many) CHECK(times[id] == times[many[0]]);
        CHECK(times[many[0]] < times[any]);
        const auto apart = times[any] - std::chrono::system_clock::now();
        CHECK((apart < 24h && apart > -24h));
        auto both = w.worker({lane, other});
        CHECK(enqueued_at(both.claim(9)) >= times[any]);
    }
    SECTION("a large call gives all its jobs one time") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"before"});
        let_time_pass(w);
        w.enqueue(lane, strings(6000, "x"));
        auto p = w.worker({lane});
        const auto all = in_order(p.claim(6001));
        REQUIRE(all.size() == 6001);
        CHECK(all[0].enqueued_at < all[1].enqueued_at);
        CHECK(all[1].enqueued_at == all.back().enqueued_at);
    }
    SECTION("a job keeps its time through retries, a delay, a snooze and a job beside it") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x"}, {.run_at = in(1ms)});
        auto p = w.worker({lane});
        auto got = p.claim_when_due(1);
        const auto first = enqueued_at(got);
        for (const auto& how :
             {settlement{.kind = settle_kind::retry, .reason = "why"},
              settlement{.kind = settle_kind::retry, .delay = 1ms}, settlement{.kind = settle_kind::release},
              settlement{.kind = settle_kind::release, .delay = 1ms}}) {
            let_time_pass(w);
            (void)p.settle(got, how);
            got = p.claim_when_due(1);
            CHECK(enqueued_at(got) == first);
        }
        (void)p.settle(got, {.kind = settle_kind::retry});
        w.enqueue(lane, {"later"});
        const auto all = in_order(p.claim(2));
        REQUIRE(all.size() == 2);
        CHECK(all[0].enqueued_at == first);
        CHECK(all[1].enqueued_at > first);
        CHECK(all[0].attempt > 1);
        CHECK(all[1].attempt == 1);
    }
    SECTION("jobs of one lease keep their times when only some of them go back") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        std::map<job_id, time_point> times;
        for (const auto* text : {"a", "b", "c"}) w.enqueue(lane, {text}), let_time_pass(w);
        auto p = w.worker({lane});
        const auto got = p.claim(3);
        for (const auto& j : in_order(got)) times[j.id] = j.enqueued_at;
        const settlement second{.index = in_order(got)[1].index, .kind = settle_kind::retry};
        const std::string mask = mask_of({second.index});
        (void)p.progress({.ref = got.leases[0].ref, .mask = mask, .items = std::span{&second, 1}});
        const auto again = in_order(p.claim(3));
        REQUIRE(again.size() == 1);
        CHECK(again[0].enqueued_at == times[again[0].id]);
        must(p.session.retire(p.worker));
        auto q = w.worker({lane});
        const auto all = in_order(q.claim(9));
        REQUIRE(all.size() == 3);
        for (const auto& j : all) CHECK(j.enqueued_at == times[j.id]);
    }
    SECTION("a job keeps its time when its worker dies") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x"});
        auto dead = w.worker({lane}, 100ms, 2);
        const auto first = enqueued_at(dead.claim(1));
        CHECK(w.rescue().returned == 1);
        auto last = w.worker({lane}, 100ms, 2);
        CHECK(enqueued_at(last.claim(1)) == first);
        CHECK(w.rescue().held == 1);
        CHECK(w.held(lane).at(0).enqueued_at == first);
    }
    SECTION("a held job shows its time, and keeps it when it is requeued or goes to the dead letters") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane(), dead = w.lane("job", "dead");
        const auto ids = w.enqueue(lane, {"x"});
        auto p = w.worker({lane}), of_dead = w.worker({dead});
        const auto got = p.claim(1);
        const auto first = enqueued_at(got);
        let_time_pass(w);
        (void)p.settle(got, {.kind = settle_kind::hold, .reason = "no"});
        CHECK(w.held(lane).at(0).enqueued_at == first);
        CHECK(must(w.client().requeue(ids)) == 1);
        const auto again = p.claim(1);
        CHECK(enqueued_at(again) == first);
        must(w.client().set_dead_letter_routes(std::span{&lane, 1}, std::span{&dead, 1}));
        (void)p.settle(again, {.kind = settle_kind::hold, .reason = "no"});
        CHECK(enqueued_at(of_dead.claim(1)) == first);
    }
    SECTION("a job that takes the payload or the time of another one keeps the time of its own enqueue") {
        fixture t{make()};
        const auto id = t.add("a", {.unique_key = unique{"k"}}).id;
        t.add("mark", {.priority = 1});
        let_time_pass(t.w);
        CHECK(t.add("b", {.unique_key = unique{"k"}.or_replace()}).id == id);
        CHECK(t.add("c", {.run_at = in(1ms), .unique_key = unique{"k"}.or_debounce()}).id == id);
        const auto mark = enqueued_at(t.claim("mark"));
        const auto got = t.p.claim_when_due(1);
        CHECK(bodies_of(got) == strings{"c"});
        CHECK(enqueued_at(got) <= mark);
    }
    SECTION("a job that waits for another one has the time of its own enqueue") {
        fixture t{make()};
        const auto parent = t.add("parent");
        t.add("child", {.after = std::span{&parent, 1}});
        let_time_pass(t.w);
        t.add("mark", {});
        t.run("parent");
        const auto first = enqueued_at(t.claim("child"));
        CHECK(first < enqueued_at(t.claim("mark")));
    }
    SECTION("a new payload of a running job does not change its time") {
        fixture t{make()};
        t.add("a", {});
        const auto got = t.claim("a");
        let_time_pass(t.w);
        must(t.p.session.revise(
            {.worker = t.p.worker, .lease = got.leases[0].ref.id, .job = got.leases[0].jobs[0].id, .body = "new"}));
        (void)t.end(got, {.kind = settle_kind::retry});
        CHECK(enqueued_at(t.claim("new")) == enqueued_at(got));
    }
    if constexpr (can_take<typename Driver::session>) {
        SECTION("a taken job has its time, and keeps it when it is held") {
            driver_fixture<Driver> w{make()};
            const auto lane = w.lane();
            const auto ids = w.enqueue(lane, {"x"});
            auto p = w.worker({lane});
            const auto got = p.claim(1);
            (void)p.settle(got, {.kind = settle_kind::retry});
            const auto taken = take(w.client(), {lane});
            CHECK(taken.at(0).enqueued_at == enqueued_at(got));
            must(w.client().hold_taken(taken[0], "no good"));
            CHECK(w.held(lane).at(0).enqueued_at == enqueued_at(got));
            CHECK(must(w.client().requeue(ids)) == 1);
            CHECK(take(w.client(), {lane}).at(0).enqueued_at == enqueued_at(got));
        }
    }
}

}  // namespace pgq::laws
