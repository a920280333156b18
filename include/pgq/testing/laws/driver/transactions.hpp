#pragma once

#include <pgq/protocol/take.hpp>
#include <pgq/testing/laws/driver/take.hpp>

#include <array>
#include <set>
#include <thread>
#include <utility>
#include <vector>

/// Laws of jobs in the caller's transaction.
namespace pgq::laws {

template <class Driver, class Make>
void check_transactions(Make make) {
    SECTION("two concurrent transactions never take the same job, and together they take all") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, strings(200, "x"));
        std::array<std::vector<job_id>, 2> got;
        {
            std::vector<std::jthread> takers;
            for (auto& mine : got)
                takers.emplace_back([&mine, lane, s = w.connect(session_role::client)]() mutable {
                    take_reply reply;
                    do {
                        if (!s.take({.lanes = {&lane, 1}, .limit = 3}, reply)) return;
                        for (const auto& j : reply.jobs) mine.push_back(j.id);
                    } while (!reply.jobs.empty());
                });
        }
        std::set<job_id> all{got[0].begin(), got[0].end()};
        all.insert(got[1].begin(), got[1].end());
        CHECK(all.size() == 200);
        CHECK(got[0].size() + got[1].size() == 200);
    }
    SECTION("before a transaction ends, other sessions see nothing that it enqueued and cannot take what it took") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b"});
        auto mine = w.connect(session_role::client);
        must(mine.begin());
        CHECK(bodies_of(take(mine, {lane})) == strings{"a"});
        std::vector<job_id> ids;
        const bodies b = driver_fixture<Driver>::packed({"new"});
        const enqueue_options plain{};
        must(mine.enqueue({.lane = lane, .bodies = &b, .options = {&plain, 1}}, ids));
        CHECK(ids.size() == 1);
        CHECK(bodies_of(take(w.client(), {lane}, 5)) == strings{"b"});
        SECTION("after a commit, both have happened") {
            must(mine.commit());
            const auto got = take(w.client(), {lane}, 5);
            CHECK(bodies_of(got) == strings{"new"});
            CHECK(got.at(0).id == ids[0]);
        }
        SECTION("after a rollback, neither has happened") {
            must(mine.rollback());
            CHECK(bodies_of(take(w.client(), {lane}, 5)) == strings{"a"});
        }
        SECTION("after the session is destroyed, neither has happened") {
            [](auto) {}(std::move(mine));
            strings back;
            REQUIRE(w.eventually([&] { return !(back = bodies_of(take(w.client(), {lane}, 5))).empty(); }));
            CHECK(back == strings{"a"});
        }
    }
    SECTION("a rollback to a savepoint undoes only what came after it") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b", "c"});
        auto mine = w.connect(session_role::client);
        const auto put = [&](const strings& texts) {
            std::vector<job_id> ids;
            const bodies b = driver_fixture<Driver>::packed(texts);
            const enqueue_options urgent{.priority = 1};
            must(mine.enqueue({.lane = lane, .bodies = &b, .options = {&urgent, 1}}, ids));
        };
        must(mine.begin());
        put({"own"});
        must(mine.savepoint());
        CHECK(bodies_of(take(mine, {lane}, 2)) == strings{"own", "a"});
        put({"dropped"});
        must(mine.savepoint());
        CHECK(bodies_of(take(mine, {lane}, 2)) == strings{"dropped", "b"});
        must(mine.release_savepoint());
        must(mine.rollback_to_savepoint());
        CHECK(bodies_of(take(mine, {lane}, 2)) == strings{"own", "a"});
        must(mine.commit());
        CHECK(bodies_of(take(w.client(), {lane}, 5)) == strings{"b", "c"});
    }
    SECTION("a job that a transaction holds is held after the commit, and ready after a rollback") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a"});
        auto mine = w.connect(session_role::client);
        for (const bool well : {false, true}) {
            must(mine.begin());
            must(mine.hold_taken(take(mine, {lane}).at(0), "why"));
            must(well ? mine.commit() : mine.rollback());
            CHECK(w.counts(lane) == (well ? lane_counts{.held = 1} : lane_counts{.ready = 1}));
        }
    }
    SECTION("the end of a transaction wakes sleeping workers, for enqueued and for returned jobs") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a"});
        auto mine = w.connect(session_role::client);
        auto p = w.worker({lane});
        must(mine.begin());
        REQUIRE(take(mine, {lane}).size() == 1);
        std::vector<job_id> ids;
        const bodies b = driver_fixture<Driver>::packed({"new"});
        const enqueue_options plain{};
        must(mine.enqueue({.lane = lane, .bodies = &b, .options = {&plain, 1}}, ids));
        p.subscribe();
        CHECK_FALSE(p.receives_wake(quiet_time));
        must(GENERATE(true, false) ? mine.commit() : mine.rollback());
        CHECK(p.receives_wake());
        CHECK(p.claim(5).claimed() == 1);
    }
    SECTION("a delayed job of a transaction that commits after the job's time is promoted all the same") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto mine = w.connect(session_role::client);
        auto p = w.worker({lane}), q = w.worker({lane});
        must(mine.begin());
        std::vector<job_id> ids;
        const bodies b = driver_fixture<Driver>::packed({"late"});
        const enqueue_options soon{.run_at = in(std::chrono::milliseconds{1})};
        must(mine.enqueue({.lane = lane, .bodies = &b, .options = {&soon, 1}}, ids));
        // Another job with a later time is promoted meanwhile, and both workers have seen that nothing else is due.
        w.enqueue(lane, {"other"}, soon);
        const auto promotes = [&](auto& by) {
            return w.eventually([&] { return by.sync({.promote = true, .peek_next_due = true}).promoted == 1; });
        };
        REQUIRE(promotes(p));
        CHECK(q.sync({.promote = true, .peek_next_due = true}).promoted == 0);
        must(mine.commit());
        REQUIRE(promotes(q));
        CHECK(p.claim(5).claimed() == 2);
    }
    SECTION("a session has one transaction at a time") {
        driver_fixture<Driver> w{make()};
        must(w.client().begin());
        CHECK_FALSE(w.client().begin().has_value());
        must(w.client().commit());
        must(w.client().begin());
        must(w.client().rollback());
    }
}

}  // namespace pgq::laws
