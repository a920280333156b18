#pragma once

#include <pgq/testing/laws/driver/tracked_fixture.hpp>

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>
#include <vector>

/// Laws of the flags of running jobs and of stop requests.
namespace pgq::laws {

template <class Driver, class Make>
void check_flags(Make make) {
    using fixture = tracked_fixture<Driver>;
    SECTION("a claim reports which jobs are tracked, in every attempt") {
        fixture t{make()};
        t.w.enqueue(t.lane, {"plain"});
        t.add("tracked");
        auto got = t.p.claim(9);
        CHECK(in_order(got).at(0).flags == 0);
        CHECK(in_order(got).at(1).flags == flag_tracked);
        must(t.p.session.give_back(laws::leases_of(got)));
        got = t.p.claim(9);
        CHECK(in_order(got).at(0).flags == 0);
        CHECK(in_order(got).at(1).flags == flag_tracked);
        must(t.p.session.give_back(laws::leases_of(got)));
        t.run("plain");
        t.run("tracked", {.kind = settle_kind::retry, .delay = 1ms});
        CHECK(in_order(t.p.claim_when_due(1)).at(0).flags == flag_tracked);
    }
    SECTION("lease_updates lists every lease of the worker with the current flags of its jobs") {
        fixture t{make()};
        auto other = t.w.worker({t.lane});
        CHECK(must(t.p.session.lease_updates(t.p.worker)).empty());
        const auto ids = t.w.enqueue(t.lane, {"a", "b", "c", "d"});
        const auto got = t.p.claim(3);
        (void)other.claim(1);
        auto updates = must(t.p.session.lease_updates(t.p.worker));
        REQUIRE(updates.size() == 1);
        CHECK(updates[0].ref.id == got.leases.at(0).ref.id);
        CHECK(std::all_of(updates[0].flags.begin(), updates[0].flags.end(), [](auto f) { return f == 0; }));
        CHECK(fixture::watch(t.w.client(), {ids[1]}).empty());
        CHECK(t.cancel({ids[2]}) == cancel_reply{.stopping = 1});
        updates = must(t.w.client().lease_updates(t.p.worker));
        REQUIRE(updates.size() == 1);
        REQUIRE(updates[0].flags.size() == 3);
        for (const auto& j : got.leases[0].jobs)
            CHECK(updates[0].flags[j.index] == (j.id == ids[1] ? flag_tracked : j.id == ids[2] ? flag_stop : 0));
    }
}

template <class Driver, class Make>
void check_stop_requests(Make make) {
    using fixture = tracked_fixture<Driver>;
    SECTION("cancel ends waiting jobs and requests running ones to stop, and returns both numbers") {
        fixture t{make()};
        const auto parent = t.add("parent");
        const auto running = t.claim("parent");
        const auto blocked = t.add("blocked", {.after = std::span{&parent, 1}, .keep_outcome = 1h}).id;
        const auto held = t.add("held");
        t.run("held", {.kind = settle_kind::hold});
        const auto ready = t.add("ready"), late = t.add("late", {.run_at = in(1h), .keep_outcome = 1h}).id;
        const auto plain = t.w.enqueue(t.lane, {"plain"}).at(0);
        const std::vector all{parent, blocked, held, ready, late, plain, plain, job_id{plain.value + 1'000'000}};
        CHECK(t.cancel(all) == cancel_reply{.removed = 5, .stopping = 1});
        CHECK(t.w.counts(t.lane) == lane_counts{.leased = 1});
        for (const auto id : {blocked, held, ready, late}) CHECK(t.end_of(id) == 'c');
        CHECK(t.end_of(parent) == '-');
        CHECK(t.cancel(all) == cancel_reply{});
        CHECK(t.cancel({}) == cancel_reply{});
        (void)t.end(running, {.kind = settle_kind::done});
        CHECK(t.end_of(parent) == 'd');
    }
    SECTION("a stop request ends the wait of the worker's session, once, and of no other session") {
        fixture t{make()};
        auto other = t.w.worker({t.lane});
        const auto id = t.add("a");
        (void)t.w.enqueue(t.lane, {"b"});
        const auto got = t.claim("a");
        REQUIRE(other.claim(1).claimed() == 1);
        CHECK_FALSE(t.p.session.take_stop_request());
        CHECK_FALSE(must(t.p.session.beat(t.p.worker)).jobs_to_stop);
        t.p.subscribe();
        other.subscribe();
        CHECK(t.cancel({id}).stopping == 1);
        CHECK(t.p.receives_wake());
        CHECK(t.p.session.take_stop_request());
        CHECK_FALSE(t.p.session.take_stop_request());
        CHECK(must(t.p.session.beat(t.p.worker)).jobs_to_stop);
        const auto updates = must(t.p.session.lease_updates(t.p.worker));
        REQUIRE(updates.size() == 1);
        REQUIRE(updates[0].flags.size() == 1);
        CHECK(updates[0].flags[0] == (flag_tracked | flag_stop));
        CHECK_FALSE(other.receives_wake(quiet_time));
        CHECK_FALSE(other.session.take_stop_request());
        CHECK_FALSE(must(other.session.beat(other.worker)).jobs_to_stop);
    }
    SECTION("a worker that does not sleep receives a stop request too") {
        fixture t{make()};
        const auto id = t.add("a");
        (void)t.claim("a");
        CHECK(t.cancel({id}).stopping == 1);
        CHECK(t.w.eventually([&] {
            (void)must(t.p.session.wait(1ms));
            return t.p.session.take_stop_request();
        }));
    }
    SECTION("a job with a stop request ends with its own result and does not return") {
        const std::pair<settle_kind, char> ways[]{{settle_kind::retry, 'c'},
                                                  {settle_kind::release, 'c'},
                                                  {settle_kind::done, 'd'},
                                                  {settle_kind::discard, 'x'},
                                                  {settle_kind::hold, 'h'}};
        for (const auto& [kind, end] : ways)
            for (const duration delay : {duration{0}, duration{1h}}) {
                INFO("settled as " << static_cast<char>(kind));
                fixture t{make()};
                const auto id = t.add("a", {.unique_key = "k", .keep_outcome = 1h}).id;
                const auto got = t.claim("a");
                CHECK(t.cancel({id}).stopping == 1);
                CHECK_FALSE(t.add("b", {.unique_key = "k"}).is_new);
                CHECK(t.end_of(id) == '-');
                (void)t.end(got, {.kind = kind, .delay = delay, .reason = "why"});
                CHECK(t.end_of(id) == end);
                CHECK(t.ended(id)->reason == "why");
                CHECK(t.w.counts(t.lane) == lane_counts{.held = end == 'h' ? 1 : 0});
                CHECK(t.add("b", {.unique_key = "k"}).is_new);
            }
    }
    SECTION("a job with a stop request is cancelled when it is given back, retired or rescued") {
        for (const int how : {0, 1, 2}) {
            fixture t{make(), how == 2 ? duration{100ms} : duration{1min}, 1};
            const auto id = t.add("a");
            const auto plain = t.w.enqueue(t.lane, {"plain"}).at(0);
            REQUIRE(t.p.claim(2).claimed() == 2);
            CHECK(t.cancel({id, plain}).stopping == 2);
            auto watcher = t.w.connect(session_role::client);
            CHECK(fixture::watch(watcher, {id}).empty());
            if (how == 0) must(t.p.session.give_back(refs_of(must(t.p.session.leases_of(t.p.worker)))));
            if (how == 1) must(t.p.session.retire(t.p.worker));
            if (how == 2) CHECK(t.w.rescue().workers == 1);
            CHECK(must(watcher.wait(law_timeout)) == wake_reason::notified);
            CHECK(t.end_of(id) == 'c');
            CHECK(t.w.counts(t.lane) == lane_counts{});
        }
    }
    SECTION("cancel counts only jobs without an earlier stop request") {
        fixture t{make()};
        const auto ids = t.w.enqueue(t.lane, {"a", "b"});
        REQUIRE(t.p.claim(2).claimed() == 2);
        CHECK(t.cancel({ids[0]}) == cancel_reply{.stopping = 1});
        CHECK(t.cancel(ids) == cancel_reply{.stopping = 1});
        CHECK(t.cancel(ids) == cancel_reply{});
    }
    SECTION("the other jobs of the lease go on, and an untracked job leaves no outcome") {
        fixture t{make()};
        const auto ids = t.w.enqueue(t.lane, {"a", "b", "c"});
        const auto got = t.p.claim(3);
        CHECK(t.cancel({ids[1]}) == cancel_reply{.stopping = 1});
        const auto updates = must(t.p.session.lease_updates(t.p.worker));
        REQUIRE(updates.size() == 1);
        const settlement items[]{{.index = 0, .kind = settle_kind::retry},
                                 {.index = 1, .kind = settle_kind::retry},
                                 {.index = 2, .kind = settle_kind::retry}};
        const auto mask = mask_of({0, 1, 2});
        const auto reply =
            t.p.progress({.ref = updates[0].ref, .last = true, .mask = mask, .items = items, .flagged = true});
        CHECK(reply.lost.empty());
        CHECK(bodies_of(t.p.claim(9)) == strings{"a", "c"});
        CHECK(t.end_of(ids[1]) == '?');
    }
    SECTION("a job that was held and requeued has no stop request any more") {
        fixture t{make()};
        const auto id = t.add("a");
        const auto got = t.claim("a");
        CHECK(t.cancel({id}).stopping == 1);
        (void)t.end(got, {.kind = settle_kind::hold});
        CHECK(must(t.w.client().requeue(std::span{&id, 1})) == 1);
        const auto again = t.claim("a");
        CHECK(in_order(again)[0].flags == flag_tracked);
        CHECK_FALSE(must(t.p.session.beat(t.p.worker)).jobs_to_stop);
        (void)t.end(again, {.kind = settle_kind::retry});
        t.run("a");
        CHECK(t.end_of(id) == 'd');
    }
    SECTION("the children of a running job that is cancelled follow when it has stopped") {
        fixture t{make()};
        const auto parent = t.add("parent");
        const auto child = t.add("child", {.after = std::span{&parent, 1}}).id;
        const auto got = t.claim("parent");
        CHECK(t.cancel({parent}).stopping == 1);
        CHECK(t.end_of(child) == '-');
        (void)t.end(got, {.kind = settle_kind::retry});
        CHECK(t.end_of(child) == 'h');
    }
}

}  // namespace pgq::laws
