#pragma once

#include <pgq/concept/admin.hpp>
#include <pgq/testing/laws/admin/listing.hpp>
#include <pgq/testing/laws/driver/fixture.hpp>
#include <pgq/testing/laws/driver/tracked_fixture.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

/// Laws of what an operator does with jobs and workers; see concept/admin.hpp.
namespace pgq::laws {

template <class Driver, class Make>
void check_actions(Make make) {
    using fixture = tracked_fixture<Driver>;
    const auto act = [](auto& w, job_action what, const std::vector<job_place>& jobs, lane_id to = {}) {
        return must(w.client().act({.what = what, .jobs = jobs, .to = to}));
    };
    SECTION("a cancel removes jobs that wait and asks those that run to stop, with and without their places") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        for (const bool places : {true, false}) {
            w.enqueue(lane, {"runs"});
            const auto got = p.claim(1);
            w.enqueue(lane, {"a", "b"}, {.priority = 2});
            w.enqueue(lane, {"later"}, {.run_at = in(1h)});
            const auto packed = w.enqueue(lane, strings(40, "x"), {.packed = true});
            auto all = list_all(w, {});
            std::erase_if(all, [&](const listed_job& j) { return j.id == packed[3]; });
            const auto ids = ids_of(all);
            CHECK(act(w, job_action::cancel, places ? places_of(all) : places_of(ids)) ==
                  action_reply{.done = 43, .stopping = 1});
            CHECK(list_ids(w, {.states = job_state::ready}) == std::vector{packed[3]});
            CHECK(must(w.client().cancel(std::span{&packed[3], 1})).removed == 1);
            CHECK(p.finish(refs_of(must(p.session.lease_updates(p.worker)))).lost.empty());
        }
        CHECK(list_all(w, {}).empty());
    }
    SECTION("deferred jobs run now, in their order, and wake a worker; others stay") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto first = w.enqueue(lane, {"first"}, {.run_at = in(2h)}).at(0);
        const auto second = w.enqueue(lane, {"second"}, {.run_at = in(1h)}).at(0);
        auto p = w.worker({lane});
        p.subscribe();
        CHECK(act(w, job_action::run_now, places_of(std::array{second, first, job_id{second.value + 1000}})).done == 2);
        CHECK(p.receives_wake());
        (void)p.sync({.unsubscribe_wakes = true});
        CHECK(bodies_of(p.claim(5)) == strings{"first", "second"});
        CHECK(act(w, job_action::run_now, places_of(std::array{first})).done == 0);
    }
    SECTION("held jobs are requeued or dropped; jobs in other states stay") {
        fixture t{make()};
        const auto kept = t.add("kept"), plain = t.w.enqueue(t.lane, {"plain"}).at(0);
        for (const auto* body : {"kept", "plain"}) t.run(body, {.kind = settle_kind::hold, .reason = "no"});
        const auto waits = t.w.enqueue(t.lane, {"waits"}).at(0);
        CHECK(act(t.w, job_action::requeue, places_of(std::array{plain, waits})).done == 1);
        CHECK(list_ids(t.w, {.states = job_state::held}) == std::vector{kept});
        CHECK(act(t.w, job_action::drop, places_of(std::array{kept, plain, waits})).done == 1);
        CHECK(list_ids(t.w, {}) == std::vector{plain, waits});
        const auto end = must(t.w.client().find_one(kept));
        REQUIRE(end.has_value());
        CHECK(end->end == end_kind::discarded);
        CHECK(end->reason == "no");
    }
    SECTION("jobs move to another lane with all they have, and wake its workers") {
        fixture t{make()};
        auto& w = t.w;
        const auto to = w.lane("job", "other");
        const std::array<header, 1> headers{{{"a", "1"}}};
        const auto tracked = t.add("held");
        t.run("held", {.kind = settle_kind::hold, .reason = "no"});
        const auto later = w.enqueue(t.lane, {"later"}, {.run_at = in(1h)}).at(0);
        const auto parent = t.add("runs"), child = t.add("child", {.after = std::array{parent}}).id;
        const auto running = t.claim("runs");
        const auto packed = w.enqueue(t.lane, strings(30, "p"), {.packed = true});
        const auto ready = w.enqueue(t.lane, {"ready"}, {.priority = 5, .headers = headers}).at(0);
        const auto before = list_all(w, {});
        auto p = w.worker({to});
        p.subscribe();
        CHECK(act(w, job_action::move, places_of(before), to).done == 33);
        CHECK(p.receives_wake());
        (void)p.sync({.unsubscribe_wakes = true});
        const auto after = list_all(w, {});
        REQUIRE(after.size() == before.size());
        for (std::size_t i = 0; i < after.size(); ++i) {
            CHECK(after[i].id == before[i].id);
            CHECK(after[i].state == before[i].state);
            CHECK(after[i].rank == before[i].rank);
            CHECK(after[i].headers == before[i].headers);
            CHECK(after[i].run_at == before[i].run_at);
            CHECK(after[i].reason == before[i].reason);
            const bool stays = after[i].id == parent || after[i].id == child;
            CHECK(after[i].lane == (stays ? t.lane : to));
        }
        CHECK(act(w, job_action::move, places_of(std::array{tracked, later}), to).done == 0);
        CHECK(act(w, job_action::requeue, places_of(std::array{tracked})).done == 1);
        const auto got = in_order(p.claim(100));
        REQUIRE(got.size() == 32);
        CHECK(got[0].id == ready);
        CHECK(got[0].body == "ready");
        CHECK(got[1].id == tracked);
        CHECK(t.cancel({tracked}).stopping == 1);
        CHECK(t.end(running, {.kind = settle_kind::done}).lost.empty());
        CHECK(bodies_of(t.p.claim(5)) == strings{"child"});
    }
    SECTION("no job moves into a lane that drains; a paused lane takes jobs and keeps them") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane(), closed = w.lane("job", "closed");
        const auto ids = w.enqueue(lane, {"a", "b"});
        const auto places = places_of(ids);
        must(w.client().pause({.queue = "closed", .kind = pause_kind::draining, .reason = "moving"}));
        const auto refused = w.client().act({.what = job_action::move, .jobs = places, .to = closed});
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error() == errc::draining);
        CHECK(w.counts(lane).ready == 2);
        CHECK(must(w.client().resume("closed", "")));
        must(w.client().pause({.queue = "closed"}));
        CHECK(act(w, job_action::move, places, closed).done == 2);
        auto p = w.worker({closed});
        CHECK(p.claim(5).leases.empty());
        CHECK(must(w.client().resume("closed", "")));
        CHECK(bodies_of(p.claim(5)) == strings{"a", "b"});
        CHECK_FALSE(w.client().act({.what = job_action::move, .jobs = places, .to = {9999}}).has_value());
    }
}

template <class Driver, class Make>
void check_forgotten_workers(Make make) {
    driver_fixture<Driver> w{make()};
    const auto lane = w.lane();
    w.enqueue(lane, {"a", "b"});
    auto p = w.worker({lane}, 1min);
    const auto got = p.claim(2);
    SECTION("a worker that lives is forgotten only if forced; then its jobs are ready again, as after a crash") {
        const auto refused = must(w.client().forget_worker(p.worker, false));
        CHECK(refused.known);
        CHECK(refused.alive);
        CHECK_FALSE(refused.forgotten);
        CHECK(must(p.session.beat(p.worker)).alive);
        const auto forced = must(w.client().forget_worker(p.worker, true));
        CHECK(forced.forgotten);
        CHECK(forced.returned == 2);
        CHECK(forced.held == 0);
        CHECK_FALSE(must(p.session.beat(p.worker)).alive);
        CHECK(w.counts(lane).ready == 2);
        CHECK(must(w.client().list_workers({}, 10)).empty());
    }
    SECTION("a dead worker is forgotten") {
        auto dead = w.worker({lane}, 1ms);
        REQUIRE(w.eventually([&] { return must(w.client().forget_worker(dead.worker, false)).forgotten; }));
        CHECK_FALSE(must(w.client().forget_worker(dead.worker, true)).known);
        CHECK(w.counts(lane).leased == 2);
    }
    SECTION("an unknown worker is not known") {
        CHECK_FALSE(must(w.client().forget_worker({p.worker.value == 1 ? 2 : 1}, true)).known);
    }
}

}  // namespace pgq::laws
