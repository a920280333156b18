#pragma once

#include <pgq/concept/transaction.hpp>
#include <pgq/testing/laws/driver/fixture.hpp>

#include <chrono>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

/// Laws of leases that a handler acknowledges itself, in a transaction or without one.
namespace pgq::laws {

/// Claims one lease for each job. It does not use `test_worker::sync`, which expects one lease for each lane.
template <class Session>
sync_reply claim_each(test_worker<Session>& p, std::uint32_t limit) {
    for (auto& lane : p.lanes) lane.lease_per_job = true;
    sync_reply reply;
    must(p.session.sync({.worker = p.worker, .lanes = p.lanes, .limit = limit}, reply));
    return reply;
}

template <class Driver, class Make>
void check_single_job_leases(Make make) {
    SECTION("a lane with `each` gets a lease for each job, in order; other lanes get one lease") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        w.enqueue(b, {"b1", "b2"});
        w.enqueue(a, {"a1", "a2", "a3"});
        w.enqueue(a, {"best"}, {.priority = 1});
        auto p = w.worker({a, b});
        p.lanes[0].lease_per_job = true;
        sync_reply reply;
        must(p.session.sync({.worker = p.worker, .lanes = p.lanes, .limit = 5}, reply));
        CHECK(reply.leases.size() == 4);
        std::set<std::string> seen;
        for (const auto& l : reply.leases) {
            CHECK(l.jobs.size() == (l.lane == a ? 1 : 2));
            for (const auto& j : l.jobs) seen.emplace(j.body);
        }
        CHECK(seen == std::set<std::string>{"best", "a1", "a2", "b1", "b2"});
        CHECK(w.counts(a) == lane_counts{.ready = 1, .leased = 3});
    }
    SECTION("single-job leases are finished and rescued one by one") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"1", "2", "3"});
        auto p = w.worker({lane}, 50ms);
        const auto claimed = claim_each(p, 3);
        REQUIRE(claimed.leases.size() == 3);
        CHECK(p.finish({claimed.leases[1].ref}).lost.empty());
        CHECK(w.counts(lane) == lane_counts{.leased = 2});
        CHECK(w.rescue().returned == 2);
        CHECK(w.counts(lane) == lane_counts{.ready = 2});
    }
}

template <class Driver, class Make>
void check_acknowledge(Make make) {
    SECTION("a commit that acknowledges ends the lease and stores the enqueued jobs") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane(), other = w.lane("other");
        w.enqueue(lane, {"job"});
        auto p = w.worker({lane});
        const auto ref = claim_each(p, 1).leases[0].ref;
        must(w.client().begin());
        w.enqueue(other, {"more"});
        CHECK(must(w.client().commit_acknowledging(p.worker, ref, std::nullopt)));
        CHECK(w.counts(lane) == lane_counts{});
        CHECK(w.counts(other) == lane_counts{.ready = 1});
        CHECK(p.finish({ref}).lost.size() == 1);
        CHECK_FALSE(must(w.client().owns_lease(p.worker, ref)));
        must(w.client().begin());  // succeeds only if no transaction is open
        must(w.client().rollback());
    }
    SECTION("if the worker does not own the lease, the commit does nothing and returns false") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane(), other = w.lane("other");
        w.enqueue(lane, {"job"});
        auto p = w.worker({lane});
        const auto ref = claim_each(p, 1).leases[0].ref;
        const worker_id stranger{p.worker.value + 1};
        for (const auto who : {stranger, p.worker}) {
            must(w.client().begin());
            w.enqueue(other, {"more"});
            if (who == p.worker) must(p.session.give_back(std::span{&ref, 1}));
            CHECK_FALSE(must(w.client().commit_acknowledging(who, ref, std::nullopt)));
            CHECK(w.counts(other) == lane_counts{});
        }
        CHECK(w.counts(lane) == lane_counts{.ready = 1});
    }
    SECTION("a rollback does not end the lease") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"job"});
        auto p = w.worker({lane});
        const auto ref = claim_each(p, 1).leases[0].ref;
        must(w.client().begin());
        must(w.client().rollback());
        CHECK(must(w.client().owns_lease(p.worker, ref)));
        CHECK(p.finish({ref}).lost.empty());
    }
    SECTION("a lease can be acknowledged without a transaction, once, and only by its worker") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"job"});
        auto p = w.worker({lane});
        const auto ref = claim_each(p, 1).leases[0].ref;
        CHECK_FALSE(must(w.client().acknowledge({p.worker.value + 1}, ref)));
        CHECK(must(w.client().owns_lease(p.worker, ref)));
        CHECK(must(w.client().acknowledge(p.worker, ref)));
        CHECK_FALSE(must(w.client().acknowledge(p.worker, ref)));
        CHECK(w.counts(lane) == lane_counts{});
    }
}

}  // namespace pgq::laws
