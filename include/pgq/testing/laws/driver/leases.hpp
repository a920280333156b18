#pragma once

#include <pgq/testing/laws/driver/fixture.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Laws of leases: their jobs are settled one by one, and a worker that has lost a lease can change nothing.
namespace pgq::laws {

template <class Driver, class Make>
void check_finish(Make make) {
    SECTION("finished jobs are gone, and one sync can finish and claim") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b", "c"});
        auto p = w.worker({lane});
        const auto first = leases_of(p.claim(2));
        const auto next = p.sync({.finished = first, .lanes = p.lanes, .limit = 2});
        CHECK(next.lost.empty());
        CHECK(bodies_of(next) == strings{"c"});
        CHECK(w.counts(lane) == lane_counts{.leased = 1});
        CHECK(p.finish(next).lost.empty());
        CHECK(w.counts(lane) == lane_counts{});
    }
    SECTION("one sync can end several leases") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        w.enqueue(a, {"1", "2"});
        w.enqueue(b, {"3", "4"});
        auto p = w.worker({a, b});
        auto leases = leases_of(p.claim(3));
        for (const auto ref : leases_of(p.claim(3))) leases.push_back(ref);
        REQUIRE(leases.size() == 3);
        CHECK(p.finish(leases).lost.empty());
        CHECK(must(p.session.leases_of(p.worker)).empty());
    }
    SECTION("claimed payloads stay readable after the lease has ended and during the next claim") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b"}, {.headers = std::vector<header>{{"h", "v"}}});
        auto p = w.worker({lane});
        const auto first = p.claim(1);
        (void)p.finish(first);
        const auto second = p.claim(1);
        CHECK(bodies_of(first) == strings{"a"});
        CHECK(in_order(first)[0].headers.size() == 1);
        CHECK(bodies_of(second) == strings{"b"});
    }
}

template <class Driver, class Make>
void check_split_sync(Make make) {
    SECTION("a sync in two halves has the same effect, and does not read its request after the first half") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b", "c"});
        auto p = w.worker({lane});
        const auto first = leases_of(p.claim(2));
        sync_reply reply;
        const sync_request request{.worker = p.worker, .finished = first, .lanes = p.lanes, .limit = 2};
        must(p.session.begin_sync(request, reply));
        must(p.session.end_sync());
        CHECK(reply.lost.empty());
        CHECK(bodies_of(reply) == strings{"c"});
        CHECK(w.counts(lane) == lane_counts{.leased = 1});
        const sync_request nothing{.worker = p.worker};
        must(p.session.begin_sync(nothing, reply));
        must(p.session.end_sync());
        CHECK(reply.leases.empty());
    }
}

template <class Driver, class Make>
void check_partial_leases(Make make) {
    SECTION("the jobs of a lease can be settled one by one, in different ways") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"done", "retry", "release", "later", "hold", "running"});
        auto p = w.worker({lane});
        const auto got = p.claim(10);
        const auto index = [&](std::size_t i) { return got.leases.at(0).jobs.at(i).index; };
        const settlement items[]{{.index = index(1), .kind = settle_kind::retry},
                                 {.index = index(2), .kind = settle_kind::release},
                                 {.index = index(3), .kind = settle_kind::release, .delay = 1h},
                                 {.index = index(4), .kind = settle_kind::hold, .reason = "r"}};
        const auto mask = mask_of({index(0), index(1), index(2), index(3), index(4)});
        const auto reply = p.progress({.ref = got.leases[0].ref, .mask = mask, .items = items});
        CHECK(reply.lost.empty());
        REQUIRE(reply.moved.size() == 1);
        CHECK(reply.moved[0].id == got.leases[0].ref.id);
        CHECK(w.counts(lane) == lane_counts{.ready = 2, .deferred = 1, .leased = 1, .held = 1});
        CHECK(p.finish(reply.moved).lost.empty());
        CHECK(w.counts(lane) == lane_counts{.ready = 2, .deferred = 1, .leased = 0, .held = 1});
        const auto again = p.claim(5);
        CHECK(bodies_of(again) == strings{"retry", "release"});
        CHECK(in_order(again).at(0).attempt == 2);
        CHECK(in_order(again).at(1).attempt == 1);
    }
    SECTION("a lease of more than eight jobs ends with its last job") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, strings(20, "x"));
        auto p = w.worker({lane});
        const auto got = p.claim(20);
        auto ref = got.leases.at(0).ref;
        std::string left, mask;
        for (std::uint32_t i = 0; i < 20; ++i, left = mask) {
            mask.resize(3);
            mask[i / 8] = static_cast<char>(mask[i / 8] | (1 << (i % 8)));
            const settlement item{.index = i, .kind = settle_kind::retry};
            const bool retried = i % 2 == 0;
            const auto reply = p.progress({.ref = ref,
                                           .last = i == 19,
                                           .left = left,
                                           .mask = mask,
                                           .items = std::span{&item, retried ? 1U : 0U}});
            REQUIRE(reply.lost.empty());
            REQUIRE(reply.moved.size() == (i == 19 ? 0 : 1));
            if (i < 19) ref = reply.moved[0];
            CHECK(w.counts(lane).leased == 19 - i);
        }
        CHECK(w.counts(lane) == lane_counts{.ready = 10});
        CHECK(must(p.session.leases_of(p.worker)).empty());
    }
    SECTION("a lease of which other jobs have left than the worker knows does not change, and is reported as lost") {
        // A crash of the server may undo a progress that it had answered.
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b", "c"});
        auto p = w.worker({lane});
        const auto got = p.claim(3);
        const settlement hold{.index = 1, .kind = settle_kind::hold, .reason = "r"};
        const auto one = mask_of({0}), two = mask_of({0, 1}), all = mask_of({0, 1, 2});
        const auto ref = got.leases.at(0).ref;
        for (const bool flagged : {false, true})
            for (const bool last : {false, true}) {
                if (last && flagged) continue;
                const auto& mask = last ? all : two;
                lease_progress wrong{.ref = ref, .last = last, .left = one, .mask = mask, .flagged = flagged};
                CHECK(p.progress(wrong).lost == std::vector{ref.id});
                wrong.items = std::span{&hold, 1};
                CHECK(p.progress(wrong).lost == std::vector{ref.id});
                CHECK(w.counts(lane) == lane_counts{.leased = 3});
            }
        const auto moved = p.progress({.ref = ref, .mask = one}).moved;
        const auto stored = must(p.session.lease_updates(p.worker));
        REQUIRE(stored.size() == 1);
        CHECK(stored[0].ref == moved.at(0));
        CHECK(stored[0].left == one);
        CHECK(must(p.session.leases_of(p.worker)).at(0).left == one);
        CHECK(p.progress({.ref = moved[0], .mask = two, .items = std::span{&hold, 1}}).lost.size() == 1);
        CHECK(p.progress({.ref = moved[0], .last = true, .mask = all}).lost.size() == 1);
        CHECK(w.counts(lane) == lane_counts{.leased = 2});
        const lease_progress end{.ref = moved[0], .last = true, .left = one, .mask = all, .items = std::span{&hold, 1}};
        CHECK(p.progress(end).lost.empty());
        CHECK(w.counts(lane) == lane_counts{.held = 1});
    }
    SECTION("giving a lease back returns only its unsettled jobs") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b", "c"});
        auto p = w.worker({lane});
        const auto got = p.claim(3);
        const auto mask = mask_of({got.leases.at(0).jobs.at(1).index});
        const auto moved = p.progress({.ref = got.leases[0].ref, .mask = mask}).moved;
        must(p.session.give_back(moved));
        CHECK(bodies_of(p.claim(5)) == strings{"a", "c"});
    }
}

/// Each way to settle jobs of a lease of two, or to end it, is answered with this lease as lost.
template <class Session>
void check_that_ends_are_lost(test_worker<Session>& p, const lease_ref& ref) {
    const std::vector lost{ref.id};
    const auto one = mask_of({0}), both = mask_of({0, 1});
    const settlement hold{.kind = settle_kind::hold, .reason = "r"};
    CHECK(p.finish({ref}).lost == lost);
    for (const bool flagged : {false, true})
        for (const bool last : {false, true}) {
            lease_progress g{.ref = ref, .last = last, .mask = last ? both : one, .flagged = flagged};
            CHECK(p.progress(g).lost == lost);
            g.items = std::span{&hold, 1};
            CHECK(p.progress(g).lost == lost);
        }
}

template <class Driver, class Make>
void check_fencing(Make make) {
    SECTION("the second end of a lease is reported as lost") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b"});
        auto p = w.worker({lane});
        const auto got = p.claim(1);
        (void)p.finish(got);
        CHECK(p.finish(got).lost == std::vector{got.leases[0].ref.id});
        CHECK(p.settle(got, {.kind = settle_kind::retry}).lost == std::vector{got.leases[0].ref.id});
        CHECK(w.counts(lane) == lane_counts{.ready = 1});
    }
    SECTION("a worker cannot end or settle another worker's lease") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x"});
        auto owner = w.worker({lane}), stranger = w.worker({lane});
        const auto got = owner.claim(1);
        const std::vector lost{got.leases.at(0).ref.id};
        CHECK(stranger.finish(got).lost == lost);
        for (const auto kind : {settle_kind::retry, settle_kind::release, settle_kind::hold})
            CHECK(stranger.settle(got, {.kind = kind}).lost == lost);
        CHECK(w.counts(lane) == lane_counts{.leased = 1});
        CHECK(owner.finish(got).lost.empty());
    }
    SECTION("only the worker of a lease, and only under the id of that lease, can settle single jobs of it") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x", "a", "b"});
        auto owner = w.worker({lane}), stranger = w.worker({lane});
        const auto former = owner.claim(1), got = owner.claim(2);
        (void)owner.finish(former);
        const auto ref = got.leases.at(0).ref;
        check_that_ends_are_lost(stranger, ref);
        // A store may put a new lease at the location of one that has ended.
        check_that_ends_are_lost(owner, {.id = former.leases.at(0).ref.id, .location = ref.location});
        CHECK(w.counts(lane) == lane_counts{.leased = 2});
        CHECK(owner.finish(got).lost.empty());
    }
    SECTION("after a rescue, nothing that the first worker reports has an effect, and it learns so") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x"});
        auto late = w.worker({lane}, 100ms), heir = w.worker({lane});
        const auto old = late.claim(1);
        const std::vector lost{old.leases.at(0).ref.id};
        (void)w.rescue();
        const auto inherited = heir.claim(1);
        CHECK(bodies_of(inherited) == strings{"x"});
        CHECK(inherited.leases.at(0).ref.id != lost[0]);
        CHECK(late.finish(old).lost == lost);
        for (const auto kind : {settle_kind::retry, settle_kind::release, settle_kind::hold})
            CHECK(late.settle(old, {.kind = kind}).lost == lost);
        must(late.session.give_back(leases_of(old)));
        CHECK(w.counts(lane) == lane_counts{.leased = 1});
        CHECK(heir.finish(inherited).lost.empty());
    }
    SECTION("a lost lease does not affect the other leases or the claim of the same sync") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b", "c", "d"});
        auto p = w.worker({lane});
        const auto gone = p.claim(1), good = p.claim(1), partly = p.claim(1);
        must(p.session.give_back(leases_of(gone)));
        const std::vector finished{gone.leases.at(0).ref, good.leases.at(0).ref};
        const auto mask = mask_of({0});
        const settlement hold{.kind = settle_kind::hold};
        const lease_progress updates[]{
            {.ref = gone.leases[0].ref, .last = true, .mask = mask, .items = std::span{&hold, 1}},
            {.ref = partly.leases.at(0).ref, .last = true, .mask = mask}};
        const auto reply = p.sync({.finished = finished, .progressed = updates, .lanes = p.lanes, .limit = 9});
        CHECK(std::count(reply.lost.begin(), reply.lost.end(), gone.leases[0].ref.id) == 2);
        CHECK(reply.lost.size() == 2);
        CHECK(bodies_of(reply) == strings{"a", "d"});
        CHECK(w.counts(lane) == lane_counts{.leased = 2});
    }
}

template <class Driver, class Make>
void check_give_back(Make make) {
    SECTION("leases_of lists only the leases of that worker") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b", "c"});
        auto p = w.worker({lane}), q = w.worker({lane});
        CHECK(must(p.session.leases_of(p.worker)).empty());
        const auto one = p.claim(1), two = p.claim(1);
        (void)q.claim(1);
        auto listed = refs_of(must(w.client().leases_of(p.worker)));
        std::sort(listed.begin(), listed.end());
        CHECK(listed == std::vector{one.leases.at(0).ref, two.leases.at(0).ref});
        CHECK(p.finish(listed).lost.empty());
        CHECK(must(w.client().leases_of(p.worker)).empty());
        CHECK(must(w.client().leases_of(q.worker)).size() == 1);
    }
    SECTION("a job that is given back is ready at once, its attempt does not count, and the lease is lost") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto ids = w.enqueue(lane, {"a", "b"});
        auto p = w.worker({lane});
        const auto got = p.claim(5);
        must(p.session.give_back(leases_of(got)));
        CHECK(w.counts(lane) == lane_counts{.ready = 2});
        CHECK(p.finish(got).lost.size() == 1);
        const auto again = p.claim(5);
        CHECK(ids_of(again) == ids);
        for (const auto& j : in_order(again)) CHECK(j.attempt == 1);
    }
    SECTION("giving back nothing, or a lease that has ended, is no error") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a"});
        auto p = w.worker({lane});
        const auto got = p.claim(1);
        (void)p.finish(got);
        must(p.session.give_back(leases_of(got)));
        must(p.session.give_back({}));
        CHECK(w.counts(lane) == lane_counts{});
    }
    SECTION("the jobs of a retired worker return, and their attempts do not count") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        w.enqueue(a, {"1", "2"});
        w.enqueue(b, {"3"});
        auto p = w.worker({a, b}), q = w.worker({a, b});
        const auto got = p.claim(2);
        const auto rest = p.claim(2);
        must(p.session.retire(p.worker));
        CHECK_FALSE(must(p.session.beat(p.worker)).alive);
        CHECK(p.finish(got).lost.size() == 1);
        const auto inherited = q.claim(5);
        CHECK(bodies_of(inherited) == strings{"1", "2", "3"});
        for (const auto& j : in_order(inherited)) CHECK(j.attempt == 1);
        must(p.session.retire(p.worker));
    }
}

template <class Driver, class Make>
void check_counts(Make make) {
    SECTION("counts reports where the jobs of a lane are, for that lane only") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane(), other = w.lane("other");
        w.enqueue_each(lane, {"held", "leased", "leased", "ready", "deferred"}, {{}, {}, {}, {}, {.run_at = in(1h)}});
        w.enqueue(other, {"x"});
        auto p = w.worker({lane});
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold});
        const auto got = p.claim(2);
        CHECK(got.claimed() == 2);
        CHECK(w.counts(lane) == lane_counts{.ready = 1, .deferred = 1, .leased = 2, .held = 1});
        CHECK(w.counts(other) == lane_counts{.ready = 1});
        CHECK(w.counts(w.lane("new")) == lane_counts{});
    }
}

}  // namespace pgq::laws
