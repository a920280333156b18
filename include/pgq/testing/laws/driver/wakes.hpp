#pragma once

#include <pgq/testing/laws/driver/fixture.hpp>

#include <atomic>
#include <chrono>
#include <span>
#include <thread>
#include <utility>
#include <vector>

/// Laws of wake-ups: only a subscribed worker is woken, and no wake is lost.
namespace pgq::laws {

template <class Driver, class Make>
void check_wake_targets(Make make) {
    SECTION("an enqueue wakes a subscribed worker of its lane") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({w.lane("other"), lane});
        p.subscribe();
        w.enqueue(lane, {"x"});
        CHECK(p.receives_wake());
        CHECK(bodies_of(p.sync({.lanes = p.lanes, .limit = 1, .unsubscribe_wakes = true})) == strings{"x"});
    }
    SECTION("a worker that has not subscribed, or has unsubscribed, is not woken") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto never = w.worker({lane}), again = w.worker({lane});
        again.subscribe();
        (void)again.sync({.unsubscribe_wakes = true});
        w.enqueue(lane, {"x"});
        CHECK_FALSE(never.receives_wake(quiet_time));
        CHECK_FALSE(again.receives_wake(quiet_time));
    }
    SECTION("an enqueue into another lane wakes no worker") {
        driver_fixture<Driver> w{make()};
        auto p = w.worker({w.lane("mine")});
        p.subscribe();
        w.enqueue(w.lane("other"), {"x"});
        CHECK_FALSE(p.receives_wake(quiet_time));
    }
    SECTION("one enqueue of many jobs wakes one of two workers, and that one can wake its peer") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto a = w.worker({lane}), b = w.worker({lane});
        a.subscribe();
        b.subscribe();
        w.enqueue(lane, strings(100, "x"));
        bool a_woken = false;
        REQUIRE(w.eventually([&] { return (a_woken = a.receives_wake(1ms)) || b.receives_wake(1ms); }));
        auto& woken = a_woken ? a : b;
        auto& asleep = a_woken ? b : a;
        CHECK_FALSE(asleep.receives_wake(quiet_time));
        (void)woken.sync({.lanes = woken.lanes, .limit = 1, .unsubscribe_wakes = true, .wake_peer = true});
        CHECK(asleep.receives_wake());
    }
    SECTION("waking a peer wakes neither an awake worker nor the caller") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane}), q = w.worker({lane});
        (void)p.sync({.subscribe_wakes = true, .wake_peer = true});
        CHECK_FALSE(p.receives_wake(quiet_time));
        CHECK_FALSE(q.receives_wake(quiet_time));
    }
}

/// Checks that an event in `lane` wakes a subscribed worker.
template <class Driver, class Make, class Event>
void check_wake(Make make, Event event) {
    driver_fixture<Driver> w{make()};
    const auto lane = w.lane();
    auto sleeper = w.worker({lane}), actor = w.worker({lane}, 200ms);
    event(w, lane, actor, [&] {
        (void)w.counts(lane);  // an enqueue returns before its wake is over
        sleeper.subscribe();
    });
    CHECK(sleeper.receives_wake());
}

template <class Driver, class Make>
void check_wake_sources(Make make) {
    const auto settled = [&](settlement s) {
        check_wake<Driver>(make, [s](auto& w, lane_id lane, auto& actor, auto asleep) {
            w.enqueue(lane, {"x"});
            const auto got = actor.claim(1);
            asleep();
            (void)actor.settle(got, s);
        });
    };
    SECTION("a delayed job wakes a worker, so that it can set its timer") {
        check_wake<Driver>(make, [](auto& w, lane_id lane, auto&, auto asleep) {
            asleep();
            w.enqueue(lane, {"x"}, {.run_at = in(1h)});
        });
    }
    SECTION("a retry wakes a worker") { settled({.kind = settle_kind::retry}); }
    SECTION("a retry with a delay wakes a worker") { settled({.kind = settle_kind::retry, .delay = 1h}); }
    SECTION("a release wakes a worker") { settled({.kind = settle_kind::release}); }
    SECTION("a retry out of a lease whose other jobs run on wakes a worker") {
        check_wake<Driver>(make, [](auto& w, lane_id lane, auto& actor, auto asleep) {
            w.enqueue(lane, {"x", "y"});
            const auto got = actor.claim(2);
            const settlement retry{.index = 0, .kind = settle_kind::retry};
            const auto mask = mask_of({0});
            asleep();
            (void)actor.progress({.ref = got.leases.at(0).ref, .mask = mask, .items = std::span{&retry, 1}});
        });
    }
    SECTION("a requeue wakes a worker") {
        check_wake<Driver>(make, [](auto& w, lane_id lane, auto& actor, auto asleep) {
            const auto ids = w.enqueue(lane, {"x"});
            (void)actor.settle(actor.claim(1), {.kind = settle_kind::hold});
            asleep();
            CHECK(must(w.client().requeue(ids)) == 1);
        });
    }
    SECTION("a promotion wakes a worker") {
        check_wake<Driver>(make, [](auto& w, lane_id lane, auto& actor, auto asleep) {
            w.enqueue(lane, {"x"}, {.run_at = in(1ms)});
            asleep();
            CHECK(w.eventually([&] { return actor.sync({.promote = true}).promoted == 1; }));
        });
    }
    SECTION("a rescue wakes a worker") {
        check_wake<Driver>(make, [](auto& w, lane_id lane, auto& actor, auto asleep) {
            w.enqueue(lane, {"x"});
            (void)actor.claim(1);
            asleep();
            CHECK(w.rescue().returned == 1);
        });
    }
    SECTION("a worker that retires wakes another one") {
        check_wake<Driver>(make, [](auto& w, lane_id lane, auto& actor, auto asleep) {
            w.enqueue(lane, {"x"});
            (void)actor.claim(1);
            asleep();
            must(actor.session.retire(actor.worker));
        });
    }
    SECTION("giving a lease back wakes a worker") {
        check_wake<Driver>(make, [](auto& w, lane_id lane, auto& actor, auto asleep) {
            w.enqueue(lane, {"x"});
            const auto got = actor.claim(1);
            asleep();
            must(actor.session.give_back(leases_of(got)));
        });
    }
}

template <class Driver, class Make>
void check_no_lost_wakes(Make make) {
    SECTION("a wake between subscribing and waiting is not lost") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        for (int i = 0; i < 20; ++i) {
            REQUIRE(p.sync({.lanes = p.lanes, .limit = 9, .subscribe_wakes = true}).leases.empty());
            w.enqueue(lane, {"x"});
            REQUIRE(p.receives_wake());
            const auto got = p.sync({.lanes = p.lanes, .limit = 9, .unsubscribe_wakes = true});
            REQUIRE(got.claimed() == 1);
            (void)p.finish(got);
        }
    }
    SECTION("a job that is enqueued at any point of subscribe, claim and wait is claimed without a time-out") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        constexpr int rounds = 300;
        std::atomic<int> round{0};
        std::atomic<bool> failed{false};
        std::jthread producer{[&] {
            std::vector<job_id> ids;
            const bodies b = driver_fixture<Driver>::packed({"x"});
            const enqueue_options plain{};
            const enqueue_request one{.lane = lane, .bodies = &b, .options = std::span{&plain, 1}};
            for (int i = 0; i < rounds; ++i) {
                round.wait(i);
                if (round < 0) return;
                if (!w.client().enqueue(one, ids).has_value()) failed = true;
            }
        }};
        int seen = 0;
        for (int i = 1; i <= rounds && seen == i - 1; ++i) {
            round = i;
            round.notify_one();
            auto got = p.sync({.lanes = p.lanes, .limit = 9, .subscribe_wakes = true});
            // A wake of an earlier round may come late. Then the claim is empty, and the worker sleeps again.
            while (got.leases.empty() && p.receives_wake()) got = p.sync({.lanes = p.lanes, .limit = 9});
            seen += static_cast<int>(got.claimed());
            (void)p.sync({.finished = leases_of(got), .unsubscribe_wakes = true});
        }
        if (seen < rounds) round = -1, round.notify_one();
        producer.join();
        CHECK_FALSE(failed);
        CHECK(seen == rounds);
    }
}

template <class Driver, class Make>
void check_interrupt(Make make) {
    SECTION("a wait without events ends at its time-out, and a time-out of zero does not wait") {
        driver_fixture<Driver> w{make()};
        auto p = w.worker({w.lane()});
        const auto begin = std::chrono::steady_clock::now();
        CHECK(must(p.session.wait(quiet_time)) == wake_reason::timeout);
        CHECK(std::chrono::steady_clock::now() - begin >= quiet_time - 10ms);
        CHECK(must(p.session.wait(0s)) == wake_reason::timeout);
        CHECK(must(p.session.wait(-1s)) == wake_reason::timeout);
        CHECK(std::chrono::steady_clock::now() - begin < law_timeout);
    }
    SECTION("an interrupt before a wait ends the next wait, and only that one") {
        driver_fixture<Driver> w{make()};
        auto p = w.worker({w.lane()});
        p.session.interrupt();
        p.session.interrupt();
        CHECK(must(p.session.wait(law_timeout)) == wake_reason::interrupted);
        CHECK(must(p.session.wait(quiet_time)) == wake_reason::timeout);
    }
    SECTION("an interrupt from another thread ends the wait at any moment") {
        driver_fixture<Driver> w{make()};
        auto p = w.worker({w.lane()});
        p.subscribe();
        for (int i = 0; i < 100; ++i) {
            std::jthread other{[&] { p.session.interrupt(); }};
            REQUIRE(must(p.session.wait(law_timeout)) == wake_reason::interrupted);
        }
    }
    SECTION("an interrupt ends the wait of one session only, and the session stays usable") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane}), q = w.worker({lane});
        p.session.interrupt();
        CHECK(must(q.session.wait(quiet_time)) == wake_reason::timeout);
        w.enqueue(lane, {"x"});
        CHECK(p.claim(1).claimed() == 1);
        CHECK(must(p.session.wait(law_timeout)) == wake_reason::interrupted);
    }
    SECTION("a moved session can be woken and interrupted") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        p.subscribe();
        auto moved = std::move(p);
        w.enqueue(lane, {"x"});
        CHECK(moved.receives_wake());
        CHECK(moved.claim(1).claimed() == 1);
        moved.session.interrupt();
        CHECK(must(moved.session.wait(law_timeout)) == wake_reason::interrupted);
    }
}

}  // namespace pgq::laws
