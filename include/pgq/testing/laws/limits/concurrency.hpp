#pragma once

#include <pgq/testing/laws/limits/fixture.hpp>

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace pgq::laws {

template <class Driver, class Make>
void check_concurrency_limit(Make make) {
    const limit_spec three{.kind = limit_kind::running, .amount = 3};
    SECTION("a limit of three lets three jobs run over all workers, in order") {
        limited_fixture<Driver> w{make(), {three}};
        w.w.enqueue(w.lane, {"a", "b", "c", "d", "e"});
        auto p = w.w.worker({w.lane}), q = w.w.worker({w.lane});
        CHECK(bodies_of(w.claim(p, 2)) == strings{"a", "b"});
        CHECK(bodies_of(w.claim(q, 5)) == strings{"c"});
        CHECK(bodies_of(w.claim(p, 5)).empty());
        CHECK(w.w.counts(w.lane).ready == 2);
    }
    SECTION("a job that ends in any way frees its place at once") {
        limited_fixture<Driver> w{make(), {three}};
        w.w.enqueue(w.lane, {"a", "b", "c", "d", "e", "f"});
        auto p = w.w.worker({w.lane}), q = w.w.worker({w.lane});
        const auto first = w.claim(p, 1), second = w.claim(p, 1), third = w.claim(p, 1);
        CHECK(bodies_of(w.claim(q, 5)).empty());
        (void)p.finish(first);
        CHECK(bodies_of(w.claim(q, 5)) == strings{"d"});
        (void)p.settle(second, {.index = 0, .kind = settle_kind::hold, .reason = "no"});
        CHECK(bodies_of(w.claim(q, 5)) == strings{"e"});
        must(p.session.give_back(laws::leases_of(third)));
        CHECK(bodies_of(w.claim(q, 5)) == strings{"c"});
    }
    SECTION("a limit counts single jobs of a lease") {
        limited_fixture<Driver> w{make(), {three}};
        w.w.enqueue(w.lane, {"a", "b", "c", "d", "e"});
        auto p = w.w.worker({w.lane});
        const auto got = w.claim(p, 3);
        const std::string mask = mask_of({0, 1});
        (void)p.progress({.ref = got.leases.at(0).ref, .last = false, .mask = mask});
        CHECK(bodies_of(w.claim(p, 5)) == strings{"d", "e"});
    }
    SECTION("a rescue frees the places of a dead worker in the limits") {
        limited_fixture<Driver> w{make(), {three}};
        w.w.enqueue(w.lane, {"a", "b", "c", "d"});
        auto dead = w.w.worker({w.lane}, 100ms), p = w.w.worker({w.lane});
        CHECK(w.claim(dead, 3).claimed() == 3);
        CHECK(w.claim(p, 3).claimed() == 0);
        CHECK(w.w.rescue().returned == 3);
        CHECK(w.claim(p, 5).claimed() == 3);
    }
    SECTION("a rescue wakes a sleeping worker, even if all rescued jobs are held") {
        limited_fixture<Driver> w{make(), {{.kind = limit_kind::running, .amount = 1}}};
        w.w.enqueue(w.lane, {"a", "b"});
        auto dead = w.w.worker({w.lane}, 100ms), p = w.w.worker({w.lane});
        const limited_lane last{.lane = w.lane, .most = 1, .max_attempts = 1};
        CHECK(dead.sync({.limited = {&last, 1}, .limited_capacity = 1}).claimed() == 1);
        CHECK(w.claim(p, 1, true).claimed() == 0);
        CHECK(w.w.rescue().held == 1);
        CHECK(p.receives_wake());
        CHECK(bodies_of(w.claim(p, 1)) == strings{"b"});
    }
    SECTION("a worker that frees a place it does not need wakes another worker") {
        limited_fixture<Driver> w{make(), {{.kind = limit_kind::running, .amount = 1}}};
        w.w.enqueue(w.lane, {"a", "b"});
        auto p = w.w.worker({w.lane}), q = w.w.worker({w.lane});
        const auto got = w.claim(p, 1);
        CHECK(w.claim(q, 1, true).claimed() == 0);
        const auto refs = laws::leases_of(got);
        (void)p.sync({.finished = refs, .lanes_with_capacity = {&w.lane, 1}});
        CHECK(q.receives_wake());
        CHECK(bodies_of(w.claim(q, 1)) == strings{"b"});
    }
    SECTION(
        "limited_capacity bounds all lanes of a claim together, and peers_can_claim_limited reports jobs for a peer") {
        limited_fixture<Driver> w{make(), {three}};
        const auto other = w.w.lane("other");
        w.declare("other", {three});
        w.w.enqueue(w.lane, {"a", "b", "c", "d"});
        w.w.enqueue(other, {"x", "y"});
        auto p = w.w.worker({w.lane, other});
        const auto got = w.claim_of(p, {w.lane, other}, 2, 3);
        CHECK(got.claimed() == 3);
        CHECK(got.peers_can_claim_limited);
        CHECK(w.claim_of(p, {other}, 5, 5).claimed() == 1);
    }
    SECTION("versions of an entrypoint share its limit, and all lanes of a queue share the queue's limit") {
        limited_fixture<Driver> w{make(), {three}};
        w.declare("", {{.kind = limit_kind::running, .amount = 4}});
        const lane_name names[]{{.entrypoint = "job", .version = "2"}, {.entrypoint = "other"}};
        const auto more = must(w.w.client().lanes("default", names));
        for (const lane_id l : {w.lane, more[0], more[1]}) w.w.enqueue(l, {"a", "b", "c"});
        auto p = w.w.worker({w.lane, more[0], more[1]});
        CHECK(w.claim_of(p, {w.lane}, 2, 2).claimed() == 2);
        CHECK(w.claim_of(p, {more[0]}, 5, 5).claimed() == 1);
        CHECK(w.claim_of(p, {more[1]}, 5, 5).claimed() == 1);
    }
    SECTION("a limit does not apply to the same entrypoint of another queue") {
        limited_fixture<Driver> w{make(), {three}};
        const auto theirs = w.w.lane("job", "theirs");
        w.w.enqueue(theirs, {"a", "b", "c", "d"});
        auto p = w.w.worker({theirs});
        CHECK(w.claim_of(p, {theirs}, 9, 9).claimed() == 4);
    }
    SECTION("a changed limit applies to the next claim and wakes sleeping workers; zero stops all claims") {
        const std::string entrypoint = GENERATE(as<std::string>{}, "job", "");  // or the whole queue
        limited_fixture<Driver> w{make(), {}};
        w.declare(entrypoint, {three});
        w.w.enqueue(w.lane, {"a", "b", "c", "d", "e", "f"});
        auto p = w.w.worker({w.lane}), q = w.w.worker({w.lane});
        CHECK(w.claim(p, 9).claimed() == 3);
        CHECK(w.claim(q, 9, true).claimed() == 0);
        const lane_limit four{.entrypoint = entrypoint, .limit = {.kind = limit_kind::running, .amount = 4}};
        const lane_limit zero{.entrypoint = entrypoint, .limit = {.kind = limit_kind::running, .amount = 0}};
        CHECK(must(w.w.client().change_limit("default", four)));
        CHECK(q.receives_wake());
        const auto got = w.claim(q, 9);
        CHECK(got.claimed() == 1);
        CHECK(must(w.w.client().change_limit("default", zero)));
        (void)q.finish(got);
        CHECK(w.claim(q, 9).claimed() == 0);
        CHECK_FALSE(must(w.w.client().change_limit("elsewhere", four)));
    }
    SECTION("the first declaration of a limit stays") {
        limited_fixture<Driver> w{make(), {three}};
        const lane_limit five{.entrypoint = "job", .limit = {.kind = limit_kind::running, .amount = 5}};
        const auto found = must(w.w.client().limits("default", std::span{&five, 1}));
        CHECK(found == std::vector<lane_limit>{{.entrypoint = "job", .limit = three}});
        CHECK(must(w.w.client().limits("elsewhere", {})).empty());
    }
}

}  // namespace pgq::laws
