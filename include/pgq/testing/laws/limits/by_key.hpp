#pragma once

#include <pgq/testing/laws/limits/fixture.hpp>

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace pgq::laws {

template <class Driver, class Make>
void check_key_limit(Make make) {
    const limit_spec one{.kind = limit_kind::running_by_key, .amount = 1};
    SECTION("one job of a key runs at a time; other keys and jobs without a key are not affected") {
        limited_fixture<Driver> w{make(), {one}};
        w.enqueue_keyed({"a1", "a2", "b1", "a3", "c1"}, {"a", "a", "b", "a", "c"});
        w.w.enqueue(w.lane, {"x", "y"});
        auto p = w.w.worker({w.lane});
        const auto got = w.claim(p, 9);
        CHECK(bodies_of(got) == strings{"a1", "b1", "c1", "x", "y"});
        CHECK(bodies_of(w.claim(p, 9)).empty());
        (void)p.finish(got);
        CHECK(bodies_of(w.claim(p, 9)) == strings{"a2"});
    }
    SECTION("a limit by key counts single jobs of a lease") {
        limited_fixture<Driver> w{make(), {one}};
        w.enqueue_keyed({"a1", "b1", "a2", "b2"}, {"a", "b", "a", "b"});
        auto p = w.w.worker({w.lane});
        const auto got = w.claim(p, 9);
        REQUIRE(bodies_of(got) == strings{"a1", "b1"});
        const std::string mask = mask_of({in_order(got)[0].index});
        (void)p.progress({.ref = got.leases.at(0).ref, .last = false, .mask = mask});
        CHECK(bodies_of(w.claim(p, 9)) == strings{"a2"});
    }
    SECTION("versions of an entrypoint share its limit by key") {
        limited_fixture<Driver> w{make(), {one}};
        const lane_name newer{.entrypoint = "job", .version = "2"};
        const auto second = must(w.w.client().lanes("default", std::span{&newer, 1})).at(0);
        w.enqueue_keyed({"a1"}, {"a"});
        w.enqueue_keyed(second, {"a2", "b1"}, {"a", "b"});
        auto p = w.w.worker({w.lane, second});
        const auto got = w.claim(p, 9);
        CHECK(bodies_of(got) == strings{"a1"});
        CHECK(bodies_of(w.claim_of(p, {second}, 9, 9)) == strings{"b1"});
        (void)p.finish(got);
        CHECK(bodies_of(w.claim_of(p, {second}, 9, 9)) == strings{"a2"});
    }
    SECTION("a job keeps its limit key after a retry, a delay and a rescue") {
        limited_fixture<Driver> w{make(), {one}};
        w.enqueue_keyed({"a1", "a2"}, {"\u00fc'; --", "\u00fc'; --"});
        auto p = w.w.worker({w.lane}), dead = w.w.worker({w.lane}, 100ms);
        (void)p.settle(w.claim(p, 9), {.index = 0, .kind = settle_kind::retry});
        const auto again = w.claim(p, 9);
        REQUIRE(bodies_of(again) == strings{"a1"});
        (void)p.settle(again, {.index = 0, .kind = settle_kind::retry, .delay = 1ms});
        REQUIRE(w.w.eventually([&] { return p.sync({.promote = true}).promoted == 1; }));
        CHECK(bodies_of(w.claim(dead, 9)) == strings{"a1"});
        CHECK(w.w.rescue().returned == 1);
        CHECK(bodies_of(w.claim(p, 9)) == strings{"a1"});
        CHECK(w.claim(p, 9).claimed() == 0);
    }
    SECTION("the limit keys of tracked jobs count, of ready and of delayed ones") {
        limited_fixture<Driver> w{make(), {one}};
        const bodies b = driver_fixture<Driver>::packed({"late a", "a1", "a2", "b1"});
        const bodies k = driver_fixture<Driver>::packed({"a", "a", "a", "b"});
        const enqueue_options tracked{.keep_outcome = 1h}, late{.run_at = in(1ms), .keep_outcome = 1h};
        const enqueue_options options[]{late, tracked, tracked, tracked};
        std::vector<enqueued_job> jobs;
        must(w.w.client().enqueue_tracked({.lanes = {&w.lane, 1}, .bodies = &b, .options = options, .keys = &k}, jobs));
        auto p = w.w.worker({w.lane});
        CHECK(bodies_of(w.claim(p, 9)) == strings{"a1", "b1"});
        REQUIRE(w.w.eventually([&] { return p.sync({.promote = true}).promoted == 1; }));
        CHECK(w.claim(p, 9).claimed() == 0);
    }
    SECTION("dead letters keep their limit key") {
        limited_fixture<Driver> w{make(), {}};
        const auto dead = w.w.lane("dead");
        w.declare("dead", {one});
        must(w.w.client().set_dead_letter_routes({&w.lane, 1}, {&dead, 1}));
        w.enqueue_keyed({"a1", "a2", "b1"}, {"a", "a", "b"});
        auto p = w.w.worker({w.lane}), collector = w.w.worker({dead});
        for (int i = 0; i < 3; ++i) (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "broken"});
        CHECK(bodies_of(w.claim_of(collector, {dead}, 9, 9)) == strings{"a1", "b1"});
    }
    SECTION("a thousand waiting jobs of one key do not block another key") {
        limited_fixture<Driver> w{make(), {one}};
        w.enqueue_keyed(strings(1000, "busy"), strings(1000, "a"));
        w.enqueue_keyed({"late"}, {"b"});
        w.w.enqueue(w.lane, {"without a key"});
        auto p = w.w.worker({w.lane});
        CHECK(bodies_of(w.claim(p, 9)) == strings{"busy", "late", "without a key"});
        CHECK(w.claim(p, 9).claimed() == 0);
    }
}

}  // namespace pgq::laws
