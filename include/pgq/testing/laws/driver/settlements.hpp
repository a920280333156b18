#pragma once

#include <pgq/testing/laws/driver/fixture.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Laws of delays and of what becomes of a job after an attempt.
namespace pgq::laws {

template <class Driver, class Make>
void check_delays(Make make) {
    SECTION("a delayed job cannot be claimed before its time, and keeps its id") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        const auto begin = std::chrono::steady_clock::now();
        const auto ids = w.enqueue(lane, {"x"}, {.run_at = in(300ms)});
        CHECK(w.counts(lane) == lane_counts{.deferred = 1});
        CHECK(p.claim(1).leases.empty());
        const auto got = p.claim_when_due(1);
        CHECK(std::chrono::steady_clock::now() - begin >= 290ms);
        CHECK(ids_of(got) == ids);
        CHECK(in_order(got)[0].attempt == 1);
    }
    SECTION("a delay of zero or less, and a time in the past, mean at once") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue_each(lane, {"zero", "negative", "past", "unset"},
                       {{.run_at = in(0s)}, {.run_at = in(-1h)}, {.run_at = at(time_point{1s})}, {}});
        auto p = w.worker({lane});
        CHECK(bodies_of(p.claim(10)) == strings{"zero", "negative", "past", "unset"});
    }
    SECTION("a time in the future works as a delay does") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
        w.enqueue_each(lane, {"soon", "far"}, {{.run_at = at(now + 200ms)}, {.run_at = at(now + 24h)}});
        auto p = w.worker({lane});
        CHECK(bodies_of(p.claim_when_due(5)) == strings{"soon"});
        CHECK(w.counts(lane) == lane_counts{.deferred = 1, .leased = 1});
    }
    SECTION("due jobs are claimed in the order of rank and id, not of their run times") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue_each(lane, {"c", "b", "a"},
                       {{.run_at = in(1ms)}, {.run_at = in(3ms)}, {.priority = 1, .run_at = in(2ms)}});
        auto p = w.worker({lane});
        REQUIRE(w.eventually([&] {
            (void)p.sync({.promote = true});
            return w.counts(lane).ready == 3;
        }));
        CHECK(bodies_of(p.claim(5)) == strings{"a", "c", "b"});
    }
}

template <class Driver, class Make>
void check_promotion(Make make) {
    SECTION("peek_next_due returns the time until the next deferred job, and none without one") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        const auto due = [&] { return p.sync({.peek_next_due = true}).next_due; };
        CHECK_FALSE(due().has_value());
        w.enqueue_each(lane, {"later", "sooner"}, {{.run_at = in(2h)}, {.run_at = in(1h)}});
        REQUIRE(due().has_value());
        CHECK(*due() <= 1h);
        CHECK(*due() > 58min);
        CHECK_FALSE(p.sync({}).next_due.has_value());
    }
    SECTION("a held job is never due") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x"});
        auto p = w.worker({lane});
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "r"});
        const auto reply = p.sync({.lanes = p.lanes, .limit = 1, .promote = true, .peek_next_due = true});
        CHECK(reply.leases.empty());
        CHECK(reply.promoted == 0);
        CHECK_FALSE(reply.next_due.has_value());
    }
    SECTION("a promotion comes before the claim and reports its count, and peek_next_due sees what is left") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue_each(lane, {"a", "b", "far"}, {{.run_at = in(1ms)}, {.run_at = in(1ms)}, {.run_at = in(1h)}});
        auto p = w.worker({lane});
        REQUIRE(w.eventually([&] {
            const auto due = p.sync({.peek_next_due = true}).next_due;
            return due && *due <= duration::zero();
        }));
        std::uint32_t promoted = 0;
        strings got;
        REQUIRE(w.eventually([&] {
            const auto r = p.sync({.lanes = p.lanes, .limit = 5, .promote = true, .peek_next_due = true});
            promoted += r.promoted;
            for (const auto& body : bodies_of(r)) got.push_back(body);
            return got.size() == 2 && r.next_due && *r.next_due > 58min;
        }));
        CHECK(promoted == 2);
        CHECK(got == strings{"a", "b"});
    }
}

template <class Driver, class Make>
void check_retry_and_release(Make make) {
    SECTION("a claim counts an attempt; a retry keeps the count, a release does not") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto ids = w.enqueue(lane, {"x"}, {.priority = 4});
        auto p = w.worker({lane});
        const auto deliver = [&](settle_kind kind) {
            const auto got = p.claim(1);
            REQUIRE(ids_of(got) == ids);
            CHECK(in_order(got)[0].rank == rank::of(4));
            const int attempt = in_order(got)[0].attempt;
            CHECK(p.settle(got, {.kind = kind}).lost.empty());
            return attempt;
        };
        CHECK(deliver(settle_kind::retry) == 1);
        CHECK(deliver(settle_kind::retry) == 2);
        CHECK(deliver(settle_kind::release) == 3);
        CHECK(deliver(settle_kind::release) == 3);
        CHECK(deliver(settle_kind::retry) == 3);
        CHECK(deliver(settle_kind::retry) == 4);
    }
    SECTION("a retry or a release with any delay waits and then runs again") {
        for (const auto kind : {settle_kind::retry, settle_kind::release}) {
            driver_fixture<Driver> w{make()};
            const auto lane = w.lane();
            w.enqueue(lane, {"x"});
            auto p = w.worker({lane});
            (void)p.settle(p.claim(1), {.kind = kind, .delay = 50ms});
            CHECK(p.claim(1).leases.empty());
            CHECK(w.counts(lane) == lane_counts{.deferred = 1});
            const auto again = p.claim_when_due(1);
            CHECK(in_order(again)[0].attempt == (kind == settle_kind::retry ? 2 : 1));
            (void)p.settle(again, {.kind = kind, .delay = 24h});
            CHECK(p.sync({.peek_next_due = true}).next_due.value() > 23h);
        }
    }
    SECTION("a retry without a delay, or with a negative one, is ready at once, also for the claim of the same sync") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x"});
        auto p = w.worker({lane});
        auto got = p.claim(1);
        const std::string mask = mask_of({0});
        for (const duration delay : {duration{0}, duration{-1h}}) {
            const settlement s{.kind = settle_kind::retry, .delay = delay};
            const lease_progress end{
                .ref = got.leases.at(0).ref, .last = true, .mask = mask, .items = std::span{&s, 1}};
            got = p.sync({.progressed = std::span{&end, 1}, .lanes = p.lanes, .limit = 1});
            CHECK(bodies_of(got) == strings{"x"});
        }
        CHECK(in_order(got).at(0).attempt == 3);
    }
    SECTION("a job that goes back out of a lease of several has its own rank and attempts") {
        for (const int how : {0, 1, 2, 3}) {
            INFO("how " << how);
            driver_fixture<Driver> w{make()};
            const auto lane = w.lane();
            auto p = w.worker({lane}, how == 3 ? duration{100ms} : duration{1min}), other = w.worker({lane});
            w.enqueue(lane, {"old"});
            (void)other.settle(other.claim(1), {.kind = settle_kind::retry});
            w.enqueue(lane, {"urgent"}, {.priority = 3});
            const auto got = p.claim(2);
            REQUIRE(bodies_of(got) == strings{"urgent", "old"});
            const auto ref = got.leases.at(0).ref;
            const settlement retries[]{{.index = got.leases[0].jobs.at(0).index, .kind = settle_kind::retry},
                                       {.index = got.leases[0].jobs.at(1).index, .kind = settle_kind::retry}};
            const auto both = mask_of({0, 1}), old = mask_of({retries[1].index});
            if (how == 0) (void)p.progress({.ref = ref, .last = true, .mask = both, .items = retries});
            if (how == 1)
                must(p.session.give_back(
                    p.progress({.ref = ref, .mask = old, .items = std::span{&retries[1], 1}}).moved));
            if (how == 2) must(p.session.give_back(leases_of(got)));
            if (how == 3) CHECK(w.rescue().returned == 2);
            const auto back = other.claim(5);
            REQUIRE(bodies_of(back) == strings{"urgent", "old"});
            CHECK(in_order(back)[0].rank == rank::of(3));
            CHECK(in_order(back)[1].rank == rank::of(0));
            CHECK(in_order(back)[0].attempt == (how == 0 ? 2 : 1));
            CHECK(in_order(back)[1].attempt == (how < 2 ? 3 : 2));
        }
    }
    SECTION("one sync settles several leases, each with its own settlements; a lost lease changes nothing") {
        driver_fixture<Driver> w{make()};
        const lane_id lanes[]{w.lane("a"), w.lane("b"), w.lane("c"), w.lane("d")};
        w.enqueue(lanes[0], {"a0", "a1", "a2"});
        w.enqueue(lanes[1], {"b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8"});
        w.enqueue(lanes[2], {"c0"});
        w.enqueue(lanes[3], {"d0"});
        auto p = w.worker({lanes[0], lanes[1], lanes[2], lanes[3]});
        const auto got = p.claim(20);
        REQUIRE(got.leases.size() == 4);
        const auto item = [&](std::size_t lane, std::string_view body, settlement s) {
            for (const auto& l : got.leases)
                for (const auto& j : l.jobs)
                    if (l.lane == lanes[lane] && j.body == body) s.index = j.index;
            return s;
        };
        const std::vector of_a{item(0, "a1", {.kind = settle_kind::retry, .reason = "again"})};
        const std::vector of_b{item(1, "b8", {.kind = settle_kind::hold, .reason = "broken"}),
                               item(1, "b1", {.kind = settle_kind::release, .delay = 1h}),
                               item(1, "b4", {.kind = settle_kind::release})};
        const std::string three = mask_of({0, 1, 2}), nine = mask_of({0, 1, 2, 3, 4, 5, 6, 7, 8}), one = mask_of({0});
        std::vector<lease_progress> all;
        std::vector<std::int64_t> lost;
        for (const auto& l : got.leases) {
            if (l.lane == lanes[0]) all.push_back({.ref = l.ref, .last = true, .mask = three, .items = of_a});
            if (l.lane == lanes[1]) all.push_back({.ref = l.ref, .last = true, .mask = nine, .items = of_b});
            if (l.lane == lanes[2]) all.push_back({.ref = l.ref, .last = true, .mask = one});
            if (l.lane != lanes[3]) continue;
            (void)p.finish({l.ref});
            all.push_back({.ref = l.ref, .last = true, .mask = one, .items = of_a});
            lost = {l.ref.id};
        }
        const auto reply = p.sync({.progressed = all});
        CHECK(reply.lost == lost);
        CHECK(reply.moved.empty());
        CHECK(w.counts(lanes[0]) == lane_counts{.ready = 1});
        CHECK(w.counts(lanes[1]) == lane_counts{.ready = 1, .deferred = 1, .held = 1});
        CHECK(w.counts(lanes[2]) == lane_counts{});
        CHECK(w.counts(lanes[3]) == lane_counts{});
        CHECK(w.held(lanes[1]).at(0).reason == "broken");
        CHECK(w.held(lanes[1]).at(0).body == "b8");
        const auto reclaimed = p.claim(9);
        const auto again = in_order(reclaimed);
        REQUIRE(again.size() == 2);
        CHECK(again[0].body == "a1");
        CHECK(again[0].attempt == 2);
        CHECK(again[1].body == "b4");
        CHECK(again[1].attempt == 1);
    }
}

template <class Driver, class Make>
void check_hold_and_requeue(Make make) {
    SECTION("a held job cannot be claimed, and has its reason, attempts and payload") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane(), other = w.lane("other");
        const auto ids = w.enqueue(lane, {std::string("bo\0dy", 5)});
        auto p = w.worker({lane});
        (void)p.settle(p.claim(1), {.kind = settle_kind::retry});
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "it's \"broken\"\n\u20ac \\x00"});
        CHECK(p.promote_and_claim(1).leases.empty());
        CHECK(w.counts(lane) == lane_counts{.held = 1});
        const auto held = w.held(lane);
        REQUIRE(held.size() == 1);
        CHECK(held[0].id == ids[0]);
        CHECK(held[0].lane == lane);
        CHECK(held[0].attempts == 2);
        CHECK(held[0].reason == "it's \"broken\"\n\u20ac \\x00");
        CHECK(held[0].body == std::string("bo\0dy", 5));
        CHECK(w.held(other).empty());
    }
    SECTION("the list of held jobs is limited") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, strings(5, "x"));
        auto p = w.worker({lane});
        for (int i = 0; i < 5; ++i) (void)p.settle(p.claim(1), {.kind = settle_kind::hold});
        CHECK(must(w.client().held(lane, 3)).size() == 3);
        CHECK(must(w.client().held(lane, 10)).size() == 5);
    }
    SECTION("a requeued job keeps its id and rank and has no attempts") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto ids = w.enqueue(lane, {"low", "high"}, {.priority = 2});
        auto p = w.worker({lane});
        for (int i = 0; i < 2; ++i) (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "r"});
        CHECK(must(w.client().requeue(ids)) == 2);
        CHECK(w.counts(lane) == lane_counts{.ready = 2});
        const auto got = p.claim(5);
        CHECK(ids_of(got) == ids);
        CHECK(in_order(got)[0].attempt == 1);
        CHECK(in_order(got)[0].rank == rank::of(2));
    }
    SECTION("only held jobs can be requeued, and each only once") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto ids = w.enqueue_each(lane, {"leased", "ready", "deferred"}, {{}, {}, {.run_at = in(1h)}});
        auto p = w.worker({lane});
        (void)p.claim(1);
        ids.push_back({INT64_MAX});
        CHECK(must(w.client().requeue(ids)) == 0);
        CHECK(must(w.client().requeue({})) == 0);
        CHECK(w.counts(lane) == lane_counts{.ready = 1, .deferred = 1, .leased = 1});
    }
}

template <class Driver, class Make>
void check_cancel(Make make) {
    SECTION("cancel removes ready, deferred and held jobs and returns their number; running jobs stay") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto ids = w.enqueue_each(lane, {"held", "running", "ready", "deferred"}, {{}, {}, {}, {.run_at = in(1h)}});
        const auto spared = w.enqueue(lane, {"spared"});
        auto p = w.worker({lane});
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold});
        auto running = p.claim(1);
        ids.push_back({INT64_MAX});
        CHECK(must(w.client().cancel(ids)).removed == 3);
        CHECK(w.counts(lane) == lane_counts{.ready = 1, .leased = 1});
        CHECK(must(w.client().cancel(ids)).removed == 0);
        CHECK(w.counts(lane).leased == 1);
        for (auto& l : running.leases)
            l.ref = must(p.session.lease_updates(p.worker)).at(0).ref;  // the stop request has moved the row
        CHECK(p.finish(running).lost.empty());
        CHECK(ids_of(p.promote_and_claim(5)) == spared);
    }
    SECTION("cancelling no jobs is no error") {
        driver_fixture<Driver> w{make()};
        CHECK(must(w.client().cancel({})) == cancel_reply{});
    }
}

}  // namespace pgq::laws
