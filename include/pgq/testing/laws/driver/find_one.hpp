#pragma once

#include <pgq/protocol/found_job.hpp>
#include <pgq/testing/laws/driver/take.hpp>
#include <pgq/testing/laws/driver/tracked_fixture.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

/// Laws of `find_one`: where a job is.
namespace pgq::laws {

template <class Driver>
std::optional<found_job> find_one(driver_fixture<Driver>& w, job_id id) {
    return must(w.client().find_one(id));
}
/// The same of a job that must be there, in this state.
template <class Driver>
found_job find_in(driver_fixture<Driver>& w, job_id id, job_state state) {
    auto found = find_one(w, id);
    REQUIRE(found.has_value());
    CHECK(found->id == id);
    CHECK(found->state == state);
    CHECK(found->holder.has_value() == (state == job_state::leased));
    CHECK(found->end.has_value() == (state == job_state::ended));
    CHECK(found->run_at.has_value() == (state == job_state::deferred));
    return std::move(*found);
}

template <class Driver, class Make>
void check_find_one(Make make) {
    using fixture = tracked_fixture<Driver>;
    SECTION("nothing is known of an id that never was") {
        driver_fixture<Driver> w{make()};
        const auto id = w.enqueue(w.lane(), {"x"}).at(0);
        for (const auto none : {INT64_MIN, std::int64_t{-1}, id.value + 1'000'000, INT64_MAX})
            CHECK_FALSE(find_one(w, {none}).has_value());
    }
    SECTION("a ready job is found in its lane, with all its data") {
        driver_fixture<Driver> w{make()};
        const auto other = w.lane("other"), lane = w.lane("this", "one");
        const std::array<header, 1> headers{{{"a", "1"}}};
        w.enqueue(other, {"no", "no"}, {.priority = 3});
        const auto ids = w.enqueue_each(lane, {"plain", "special"}, {{}, {.priority = 7, .headers = headers}});
        w.enqueue(lane, {"behind"}, {.priority = -9});
        const auto plain = find_in(w, ids[0], job_state::ready), special = find_in(w, ids[1], job_state::ready);
        CHECK(plain.lane == lane);
        CHECK(plain.queue == "one");
        CHECK(plain.entrypoint == "this");
        CHECK(plain.version.empty());
        CHECK(plain.body == "plain");
        CHECK(plain.attempts == 0);
        CHECK(plain.headers.empty());
        CHECK(plain.reason.empty());
        CHECK(special.body == "special");
        CHECK(special.priority() == 7);
        CHECK(special.headers == std::vector<owned_header>{{"a", "1"}});
        CHECK(special.enqueued_at == plain.enqueued_at);
        auto p = w.worker({lane});
        const auto got = in_order(p.claim(1));
        REQUIRE(got.size() == 1);
        CHECK(got[0].enqueued_at == special.enqueued_at);
    }
    SECTION("each job of a packed call is found, and so are the jobs around it") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        strings texts;
        for (int i = 0; i < 250; ++i) texts.push_back(std::to_string(i));
        const auto before = w.enqueue(lane, {"before"}).at(0);
        const auto ids = w.enqueue(lane, texts, {.packed = true});
        const auto behind = w.enqueue(lane, {"behind"}).at(0);
        for (const std::size_t i : {0u, 1u, 99u, 100u, 249u}) {
            const auto found = find_in(w, ids[i], job_state::ready);
            CHECK(found.body == texts[i]);
            CHECK(found.lane == lane);
            CHECK(found.attempts == 0);
        }
        CHECK(find_in(w, before, job_state::ready).body == "before");
        CHECK(find_in(w, behind, job_state::ready).body == "behind");
        auto p = w.worker({lane});
        (void)p.claim(50);
        CHECK(find_in(w, ids[10], job_state::leased).body == "10");
        CHECK(find_in(w, ids[60], job_state::ready).body == "60");
    }
    SECTION("a deferred job says until when") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto later = w.enqueue(lane, {"later"}, {.run_at = in(1h)}).at(0);
        const auto delayed = find_in(w, later, job_state::deferred);
        CHECK(*delayed.run_at - delayed.enqueued_at == 1h);
        const auto id = w.enqueue(lane, {"x"}).at(0);
        auto p = w.worker({lane});
        (void)p.settle(p.claim(1), {.kind = settle_kind::retry, .delay = 1h, .reason = "no luck"});
        const auto retried = find_in(w, id, job_state::deferred);
        CHECK(retried.run_at > retried.enqueued_at);
        CHECK(retried.attempts == 1);
        CHECK(retried.reason == "no luck");
        CHECK(retried.body == "x");
    }
    SECTION("a leased job says who has it since when, until it is done") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto ids = w.enqueue(lane, {"a", "b"});
        auto p = w.worker({lane});
        const auto got = p.claim(2);
        const auto found = find_in(w, ids[1], job_state::leased);
        CHECK(found.holder->worker == p.worker);
        CHECK(found.holder->host == "here");
        CHECK(found.holder->pid == 7);
        CHECK(found.holder->since >= found.enqueued_at);
        CHECK(found.attempts == 1);
        CHECK(found.body == "b");
        const std::string mask = mask_of({in_order(got)[0].index});
        (void)p.progress({.ref = got.leases[0].ref, .mask = mask});
        CHECK_FALSE(find_one(w, ids[0]).has_value());
        CHECK(find_in(w, ids[1], job_state::leased).body == "b");
        must(p.session.retire(p.worker));
        CHECK(find_in(w, ids[1], job_state::ready).attempts == 0);
    }
    SECTION("a new payload of a running job is found") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto id = w.enqueue(lane, {"old"}).at(0);
        auto p = w.worker({lane});
        const auto got = p.claim(1);
        must(p.session.revise({.worker = p.worker, .lease = got.leases[0].ref.id, .job = id, .body = "new"}));
        CHECK(find_in(w, id, job_state::leased).body == "new");
    }
    SECTION("a blocked job says for how many jobs it waits") {
        fixture t{make()};
        const std::array parents{t.add("p1"), t.add("p2")};
        const auto child = t.add("child", {.after = parents}).id;
        CHECK(find_in(t.w, child, job_state::blocked).blocked_by == 2);
        t.run("p1");
        CHECK(find_in(t.w, child, job_state::blocked).blocked_by == 1);
        t.run("p2");
        CHECK(find_in(t.w, child, job_state::ready).blocked_by == 0);
    }
    SECTION("a held job says why, and goes on to the dead letters under its id") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane(), dead = w.lane("job", "dead");
        const auto ids = w.enqueue(lane, {"x"});
        auto p = w.worker({lane});
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "no good"});
        const auto held = find_in(w, ids[0], job_state::held);
        CHECK(held.reason == "no good");
        CHECK(held.attempts == 1);
        CHECK(held.body == "x");
        must(w.client().set_dead_letter_routes(std::span{&lane, 1}, std::span{&dead, 1}));
        CHECK(must(w.client().requeue(ids)) == 1);
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "no good"});
        const auto moved = find_in(w, ids[0], job_state::ready);
        CHECK(moved.queue == "dead");
        CHECK(moved.enqueued_at == held.enqueued_at);
    }
    SECTION("a job that has ended is found while its end is kept") {
        fixture t{make()};
        const auto done = t.add("a"), cancelled = t.add("b"), plain = t.w.enqueue(t.lane, {"c"}).at(0);
        t.run("a");
        CHECK(t.cancel({cancelled}).removed == 1);
        t.run("c");
        const auto end = find_in(t.w, done, job_state::ended);
        CHECK(end.end == end_kind::done);
        CHECK(end.attempts == 1);
        CHECK(end.entrypoint == "job");
        CHECK(end.body.empty());
        CHECK(find_in(t.w, cancelled, job_state::ended).end == end_kind::cancelled);
        CHECK_FALSE(find_one(t.w, plain).has_value());
    }
    SECTION("a tracked job is found in each of its states") {
        fixture t{make()};
        const auto id = t.add("x", {.priority = 4, .unique_key = "k", .keep_outcome = 1h}).id;
        CHECK(find_in(t.w, id, job_state::ready).priority() == 4);
        auto got = t.claim("x");
        CHECK(find_in(t.w, id, job_state::leased).priority() == 4);
        (void)t.end(got, {.kind = settle_kind::retry, .delay = 1ms});
        (void)find_in(t.w, id, job_state::deferred);
        got = t.p.claim_when_due(1);
        (void)t.end(got, {.kind = settle_kind::hold, .reason = "no"});
        CHECK(find_in(t.w, id, job_state::held).reason == "no");
    }
    SECTION("a job with a deadline of its own is found among many ranks") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        std::vector<enqueue_options> options;
        for (int i = 0; i < 1500; ++i) options.push_back({.expected_at = in(std::chrono::minutes{i + 1})});
        const auto ids = w.enqueue_each(lane, strings(1500, "x"), options);
        for (const std::size_t i : {0u, 998u, 1000u, 1499u}) CHECK(find_in(w, ids[i], job_state::ready).body == "x");
        CHECK_FALSE(find_one(w, {ids[1499].value + 1'000'000}).has_value());
    }
    SECTION("a job that runs and goes back meanwhile is found at every moment, and not after its end") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto id = w.enqueue(lane, {"x"}).at(0);
        auto p = w.worker({lane});
        std::atomic<bool> ready = false, ok = true;
        std::thread runs{[&] {
            for (int i = 0; i < 200; ++i) {
                sync_reply got, reply;
                if (!p.try_exchange({.lanes = p.lanes, .limit = 1}, got) || got.claimed() != 1) break;
                const settlement again{.kind = settle_kind::release};
                const std::string mask = mask_of({0});
                const lease_progress back{
                    .ref = got.leases[0].ref, .last = true, .mask = mask, .items = std::span{&again, 1}};
                if (!p.try_exchange({.progressed = std::span{&back, 1}}, reply)) break;
                if (i == 199) ready = true;
            }
            ok = ready.load();
            ready = true;
        }};
        std::size_t missed = 0, looks = 0;
        do {
            auto found = w.client().find_one(id);
            ++looks;
            if (!found || !*found) ++missed;
        } while (!ready);
        runs.join();
        CHECK(ok);
        CHECK(looks > 0);
        CHECK(missed == 0);
        (void)p.finish(p.claim(1));
        CHECK_FALSE(find_one(w, id).has_value());
    }
}

}  // namespace pgq::laws
