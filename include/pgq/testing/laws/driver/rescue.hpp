#pragma once

#include <pgq/testing/laws/driver/fixture.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

/// Laws of workers that die. Their jobs run again, or are held if no attempts are left.
namespace pgq::laws {

template <class Driver, class Make>
void check_heartbeat(Make make) {
    SECTION("a registered worker is alive, an unknown one is not, and ids are never reused") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane}), q = w.worker({lane});
        CHECK(p.worker != q.worker);
        CHECK(must(p.session.beat(p.worker)).alive);
        CHECK_FALSE(must(p.session.beat(p.worker)).rescue_needed);
        CHECK_FALSE(must(p.session.beat({INT32_MAX})).alive);
        must(q.session.retire(q.worker));
        CHECK(w.worker({lane}).worker != q.worker);
    }
    SECTION("a heartbeat reports that another worker looks dead, and tells a dead worker that it is dead") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane}), dead = w.worker({lane}, 100ms);
        CHECK(w.eventually([&] { return must(p.session.beat(p.worker)).rescue_needed; }));
        CHECK(w.rescue().workers == 1);
        CHECK_FALSE(must(dead.session.beat(dead.worker)).alive);
        CHECK_FALSE(must(p.session.beat(p.worker)).rescue_needed);
        CHECK(must(p.session.beat(p.worker)).alive);
    }
    SECTION("any session can send the heartbeat of a worker, and a worker with heartbeats keeps its jobs") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x"});
        auto p = w.worker({lane}, 2s);
        auto monitor = w.connect(session_role::monitor);
        const auto got = p.claim(1);
        const auto end = std::chrono::steady_clock::now() + 2500ms;
        while (std::chrono::steady_clock::now() < end) {
            REQUIRE(must(monitor.beat(p.worker)).alive);
            REQUIRE(must(monitor.rescue()).workers == 0);
            (void)must(monitor.wait(50ms));
        }
        CHECK(p.finish(got).lost.empty());
    }
    SECTION("a worker without heartbeats is alive until its lease time has passed") {
        driver_fixture<Driver> w{make()};
        const auto begin = std::chrono::steady_clock::now();
        auto p = w.worker({w.lane()}, 300ms);
        CHECK(w.rescue().workers == 1);
        CHECK(std::chrono::steady_clock::now() - begin >= 290ms);
    }
}

template <class Driver, class Make>
void check_rescue(Make make) {
    SECTION("jobs of a dead worker return to their place in the order, and the attempt counts") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        w.enqueue(a, {"1", "2"}, {.priority = 1});
        w.enqueue(b, {"3", "4"});
        auto dead = w.worker({a, b}, 100ms), successor = w.worker({a, b});
        CHECK(dead.claim(3).claimed() == 3);
        const auto reply = w.rescue();
        CHECK(reply.workers == 1);
        CHECK(reply.returned == 3);
        CHECK(reply.held == 0);
        const auto got = successor.claim(9);
        CHECK(bodies_of(got) == strings{"1", "2", "3", "4"});
        for (const auto& j : in_order(got)) CHECK(j.attempt == (j.body == "4" ? 1 : 2));
        CHECK(must(w.client().leases_of(dead.worker)).empty());
    }
    SECTION("a job without attempts left is held, with a reason") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto ids = w.enqueue(lane, {"killer"});
        for (int death = 1; death <= 3; ++death) {
            auto dead = w.worker({lane}, 100ms, 3);
            REQUIRE(in_order(dead.claim(1)).at(0).attempt == death);
            const auto reply = w.rescue();
            CHECK(reply.returned == (death < 3 ? 1 : 0));
            CHECK(reply.held == (death < 3 ? 0 : 1));
        }
        CHECK(w.counts(lane) == lane_counts{.held = 1});
        const auto held = w.held(lane);
        REQUIRE(held.size() == 1);
        CHECK(held[0].id == ids[0]);
        CHECK(held[0].attempts == 3);
        CHECK(held[0].reason == "its worker died");
        CHECK(must(w.client().requeue(ids)) == 1);
        auto p = w.worker({lane});
        CHECK(in_order(p.claim(1)).at(0).attempt == 1);
    }
    SECTION("a rescue returns only the unsettled jobs of a lease") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"done", "retried", "running"});
        auto dead = w.worker({lane}, 500ms), successor = w.worker({lane});
        const auto got = dead.claim(3);
        REQUIRE(got.claimed() == 3);
        const auto& jobs = got.leases[0].jobs;
        const settlement item{.index = jobs[1].index, .kind = settle_kind::retry};
        const auto mask = mask_of({jobs[0].index, jobs[1].index});
        CHECK(dead.progress({.ref = got.leases[0].ref, .mask = mask, .items = std::span{&item, 1}}).lost.empty());
        CHECK(w.rescue().returned == 1);
        CHECK(bodies_of(successor.claim(5)) == strings{"retried", "running"});
    }
    SECTION("a rescue without a dead worker does nothing, and a second rescue does nothing more") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x"});
        auto alive = w.worker({lane}), dead = w.worker({lane}, 100ms);
        (void)alive.claim(1);
        CHECK(w.rescue().returned == 0);
        CHECK(must(w.client().rescue()).workers == 0);
        CHECK(w.counts(lane) == lane_counts{.leased = 1});
    }
}

template <class Driver, class Make>
void check_dead_worker(Make make) {
    SECTION("a worker that was declared dead can register again") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane}, 100ms);
        (void)w.rescue();
        w.enqueue(lane, {"x"});
        p.worker = must(p.session.register_worker(
            {.host = "here", .pid = 7, .version = "0", .lease_time = 1min, .lanes = std::span{&lane, 1}}));
        const auto got = p.claim(1);
        CHECK(bodies_of(got) == strings{"x"});
        CHECK(p.finish(got).lost.empty());
    }
    SECTION("a dead worker that claims loses no jobs") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto dead = w.worker({lane}, 100ms), successor = w.worker({lane});
        (void)w.rescue();
        w.enqueue(lane, {"x"});
        sync_reply reply;
        (void)dead.try_exchange({.lanes = dead.lanes, .limit = 1}, reply);
        CHECK(w.eventually([&] {
            (void)must(w.client().rescue());
            return bodies_of(successor.promote_and_claim(1)) == strings{"x"};
        }));
    }
}

}  // namespace pgq::laws
