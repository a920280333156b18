#pragma once

#include <pgq/job/header.hpp>
#include <pgq/protocol/own_settings.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/testing/laws/driver/fixture.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
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
    SECTION("jobs of a dead worker return to their place in the order, and no attempt counts if it had several") {
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
        for (const auto& j : in_order(got)) {
            CHECK(j.attempt == 1);
            CHECK(j.flags == (j.body == "4" ? 0 : crash_unit));
        }
        CHECK(must(w.client().leases_of(dead.worker)).empty());
    }
    SECTION("a job without attempts left is held, with a reason") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto ids = w.enqueue(lane, {"killer"});
        std::vector<held_by_rescue> named;
        for (int death = 1; death <= 3; ++death) {
            auto dead = w.worker({lane}, 100ms, 3);
            REQUIRE(in_order(dead.claim(1)).at(0).attempt == death);
            const auto reply = w.rescue();
            CHECK(reply.returned == (death < 3 ? 1 : 0));
            CHECK(reply.held == (death < 3 ? 0 : 1));
            named = reply.held_jobs;
        }
        CHECK(w.counts(lane) == lane_counts{.held = 1});
        const auto held = w.held(lane);
        REQUIRE(held.size() == 1);
        CHECK(held[0].id == ids[0]);
        CHECK(held[0].attempts == 3);
        CHECK(held[0].reason == "its worker died");
        CHECK(named == std::vector<held_by_rescue>{{ids[0], "its worker died"}});
        CHECK(must(w.client().requeue(ids)) == 1);
        auto p = w.worker({lane});
        CHECK(in_order(p.claim(1)).at(0).attempt == 1);
    }
    SECTION("a job with attempts of its own is held after these, not after those of the worker") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto [own, of_worker, dies, held] = GENERATE(table<std::string, std::int16_t, int, int>(
            {{"2", 5, 2, 1}, {"3", 1, 3, 1}, {"none", 2, 2, 1}, {"2", unlimited_attempts, 3, 0}}));
        CAPTURE(own, of_worker);
        const header mine{max_attempts_header, own};
        const auto ids = w.enqueue(lane, {"killer"}, {.headers = {&mine, 1}});
        for (int death = 1; death <= dies; ++death) {
            auto dead = w.worker({lane}, 100ms, of_worker);
            REQUIRE(in_order(dead.claim(1)).at(0).attempt == death);
            CHECK(w.rescue().held == (death < dies ? 0 : held));
        }
        if (held == 0) return;
        REQUIRE(w.held(lane).size() == 1);
        CHECK(w.held(lane)[0].attempts == dies);
        CHECK(must(w.client().requeue(ids)) == 1);  // it keeps the number, and begins again
        auto p = w.worker({lane});
        const auto got = p.claim(1);
        CHECK(in_order(got).at(0).attempt == 1);
        REQUIRE(in_order(got).at(0).headers.size() == 1);
        CHECK(in_order(got).at(0).headers[0].value == own);
    }
    SECTION("a neighbour's attempts do not count for a job: each is judged by its own number") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const header few{max_attempts_header, "1"};
        w.enqueue_each(lane, {"few", "many"}, {{.headers = {&few, 1}}, {}});
        auto dead = w.worker({lane}, 100ms, 5);
        REQUIRE(dead.claim(2).claimed() == 2);
        CHECK(w.rescue().returned == 2);
        auto p = w.worker({lane});
        const auto got = p.claim(2);
        CHECK(in_order(got).at(0).flags == (crash_unit | flag_alone));  // its next crash could be its last
        CHECK(in_order(got).at(1).flags == crash_unit);
    }
    SECTION("jobs that were among several in two crashes go into quarantine, and none is held") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b"});
        for (int death = 1; death <= 20; ++death) {
            auto dead = w.worker({lane}, 100ms, 3);
            const auto got = dead.claim(2);
            for (const auto& j : in_order(got)) {
                CHECK(j.attempt == 1);
                CHECK(j.flags == (death == 1 ? 0 : (death - 1) * crash_unit + (death > 2 ? flag_alone : 0)));
            }
            const auto reply = w.rescue();
            CHECK(reply.returned == (death < 16 ? 2 : 0));
            CHECK(reply.held == (death < 16 ? 0 : 2));  // a worker that follows no rules
            if (death == 16) break;
        }
        CHECK(w.held(lane).at(0).attempts == 16);
    }
    SECTION("with few attempts the first crash is reason enough for a quarantine") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b"});
        {
            auto dead = w.worker({lane}, 100ms, 1);
            (void)dead.claim(2);
            CHECK(w.rescue().returned == 2);
        }
        auto dead = w.worker({lane}, 100ms, 1);
        const auto got = dead.claim(1);
        CHECK(in_order(got).at(0).flags == (crash_unit | flag_alone));
        CHECK(in_order(got).at(0).attempt == 1);
        const auto reply = w.rescue();
        CHECK(reply.held == 1);
        REQUIRE(w.held(lane).size() == 1);
        CHECK(w.held(lane)[0].body == "a");
        CHECK(w.held(lane)[0].attempts == 2);
    }
    SECTION("of a worker that ran a job alone, only that job counts, with its earlier crashes") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"culprit", "neighbour", "third"});
        for (int death = 1; death <= 2; ++death) {
            auto dead = w.worker({lane}, 100ms, 3);
            REQUIRE(dead.claim(3).claimed() == 3);
            CHECK(w.rescue().returned == 3);
        }
        auto dead = w.worker({lane}, 100ms, 3);
        const auto got = dead.claim(3);
        REQUIRE(in_order(got).at(0).flags == (2 * crash_unit | flag_alone));
        const auto index = in_order(got).at(0).index;
        const auto marked = dead.sync({.begin_alone = leased_job{got.leases[0].ref.id, index}});
        CHECK(marked.begins_alone);
        REQUIRE(marked.moved.size() == 1);
        CHECK(marked.moved[0].id == got.leases[0].ref.id);
        const auto reply = w.rescue();
        CHECK(reply.returned == 2);
        CHECK(reply.held == 1);
        CHECK(w.held(lane).at(0).body == "culprit");
        CHECK(w.held(lane).at(0).attempts == 3);
        auto p = w.worker({lane}, 1min, 3);
        for (const auto& j : in_order(p.claim(9))) {
            CHECK(j.attempt == 1);
            CHECK(j.flags == (2 * crash_unit | flag_alone));
        }
        const auto ids = w.held(lane).at(0).id;
        CHECK(must(w.client().requeue(std::span{&ids, 1})) == 1);
        CHECK(in_order(p.claim(9)).at(0).flags == 0);
    }
    SECTION("a worker cannot mark a job of a lease that it has lost") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x"});
        auto p = w.worker({lane}), other = w.worker({lane});
        const auto got = p.claim(1);
        CHECK_FALSE(other.sync({.begin_alone = leased_job{got.leases[0].ref.id, 0}}).begins_alone);
        CHECK(p.sync({.begin_alone = leased_job{got.leases[0].ref.id, 0}}).begins_alone);
    }
    SECTION("a job in quarantine that failed has run once, one that goes back without having run has not") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"failed", "released", "given back"});
        auto dead = w.worker({lane}, 100ms, 2);
        (void)dead.claim(3);
        CHECK(w.rescue().returned == 3);
        auto p = w.worker({lane}, 1min, 2);
        const auto got = p.claim(2);
        REQUIRE(got.claimed() == 2);
        const std::int16_t known = crash_unit | flag_alone;
        const auto& jobs = got.leases[0].jobs;
        CHECK(jobs[0].flags == known);
        const settlement items[]{{.index = jobs[0].index, .kind = settle_kind::retry},
                                 {.index = jobs[1].index, .kind = settle_kind::release}};
        const auto mask = mask_of({0, 1});
        const lease_progress all{.ref = got.leases[0].ref, .last = true, .mask = mask, .items = items, .flagged = true};
        CHECK(p.progress(all).lost.empty());
        const auto third = p.claim(9);
        REQUIRE(third.claimed() == 3);
        for (const auto& j : in_order(third)) CHECK(j.flags == (j.body == "failed" ? 0 : known));
        must(p.session.give_back(leases_of(third)));
        const auto last = p.claim(9);
        for (const auto& j : in_order(last)) CHECK(j.flags == (j.body == "failed" ? 0 : known));
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
        const auto again = successor.claim(5);
        CHECK(bodies_of(again) == strings{"retried", "running"});
        for (const auto& j : in_order(again)) CHECK(j.attempt == 2);  // "running" was the only job of its dead worker
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
