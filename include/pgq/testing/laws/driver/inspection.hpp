#pragma once

#include <pgq/job/filter.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/testing/laws/driver/fixture.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Laws of what a program asks about jobs, of dead-letter routes, and of what is paused or draining.
namespace pgq::laws {

/// `failures` and `open_jobs`.
template <class Driver, class Make>
void check_inspection(Make make) {
    SECTION("failures lists the failed attempts of a job, oldest first, also after the job has ended") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        const auto ids = w.enqueue(lane, {"a"});
        CHECK(must(w.client().failures(ids[0])).empty());
        p.settle(p.claim(1), {.kind = settle_kind::retry, .reason = "first"});
        p.settle(p.claim(1), {.kind = settle_kind::release, .reason = "no failure"});
        p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "second"});
        CHECK(must(w.client().requeue(ids)) == 1);
        p.finish(p.claim(1));
        const auto history = must(w.client().failures(ids[0]));
        REQUIRE(history.size() == 2);
        CHECK(history[0].attempt == 1);
        CHECK(history[0].reason == "first");
        CHECK(history[1].attempt == 2);
        CHECK(history[1].reason == "second");
        CHECK(history[0].at <= history[1].at);
    }
    if constexpr (can_find_problems<typename Driver::session>) {
        SECTION("problems finds nothing that prevents work where workers work") {
            driver_fixture<Driver> w{make()};
            for (const auto& p : must(w.client().problems())) {
                CAPTURE(p.message);
                CHECK_FALSE(p.prevents_work);
            }
        }
    }
    SECTION("find returns each job once, and none that has ended, also while other jobs of its lease run") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        const auto ids = w.enqueue(lane, {"done", "retried", "runs"});
        const auto found = [&](job_state where) {
            std::vector<job_id> jobs;
            must(w.client().find({.lanes = {&lane, 1}, .where = where}, jobs));
            return jobs;
        };
        CHECK(found(any_state) == ids);
        const auto got = p.claim(3);
        CHECK(found(job_state::leased) == ids);
        const auto& jobs = got.leases.at(0).jobs;
        const settlement retry{.index = jobs.at(1).index, .kind = settle_kind::retry};
        const auto mask = mask_of({jobs[0].index, jobs[1].index});
        CHECK(p.progress({.ref = got.leases[0].ref, .mask = mask, .items = std::span{&retry, 1}}).lost.empty());
        CHECK(found(job_state::leased) == std::vector{ids[2]});
        CHECK(found(any_state) == std::vector{ids[1], ids[2]});
    }
    SECTION("open_jobs counts jobs that have not ended and are not held, no further than `most`") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto other = w.lane("other");
        auto p = w.worker({lane});
        CHECK(must(w.client().open_jobs(lane, 100)) == 0);
        (void)w.enqueue(lane, {"a", "b", "c"});
        (void)w.enqueue(lane, {"later"}, {.run_at = in(1h)});
        (void)w.enqueue(other, {"elsewhere"});
        CHECK(must(w.client().open_jobs(lane, 100)) == 4);
        CHECK(must(w.client().open_jobs(lane, 3)) == 3);
        const auto leased = p.claim(1);
        CHECK(must(w.client().open_jobs(lane, 100)) == 4);
        p.finish(leased);
        p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "no"});
        CHECK(must(w.client().open_jobs(lane, 100)) == 2);
    }
}

/// `set_dead_letter_routes`.
template <class Driver, class Make>
void check_dead_letter_routes(Make make) {
    SECTION("a job that would be held goes to the lane of its route, until the route is removed") {
        driver_fixture<Driver> w{make()};
        const auto from = std::array{w.lane("job")}, to = std::array{w.lane("job", "dead")};
        auto p = w.worker({from[0]}), collector = w.worker({to[0]});
        must(w.client().set_dead_letter_routes(from, to));
        const std::vector<header> mine{{"tenant", "blue"}};
        const auto ids = w.enqueue(from[0], {"a"}, {.headers = mine});
        p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "broken"});
        CHECK(w.held(from[0]).empty());
        const auto moved = collector.claim(1);
        REQUIRE(ids_of(moved) == ids);
        CHECK(bodies_of(moved) == strings{"a"});
        CHECK(moved.leases[0].jobs[0].attempt == 1);
        const auto value = [&](std::string_view name) {
            for (const auto& h : moved.leases[0].jobs[0].headers)
                if (h.name == name) return std::string{h.value};
            return std::string{"(none)"};
        };
        CHECK(value("tenant") == "blue");
        CHECK(value("pgq-died-in") == "default");
        CHECK(value("pgq-died-of") == "broken");
        CHECK(value("pgq-attempts") == "1");
        collector.finish(moved);

        must(w.client().set_dead_letter_routes(from, {}));
        (void)w.enqueue(from[0], {"b"});
        p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "broken"});
        CHECK(w.held(from[0]).size() == 1);
        CHECK(collector.claim(1).claimed() == 0);
    }
}

/// `pause`, `resume` and `paused`, of what starts.
template <class Driver, class Make>
void check_pause(Make make) {
    using fixture = driver_fixture<Driver>;
    SECTION("no claim brings a job of a paused entrypoint, queue or schema, and after the resume each one does") {
        for (const auto& [queue, entrypoint] :
             {std::pair{"default", "job"}, std::pair{"default", ""}, std::pair{"", ""}}) {
            fixture w{make()};
            const auto lane = w.lane();
            auto p = w.worker({lane});
            w.enqueue(lane, {"a", "b"});
            CHECK(must(w.client().pause({queue, entrypoint, pause_kind::paused, "moving house"})));
            CHECK(p.claim(5).claimed() == 0);
            CHECK(p.promote_and_claim(5).claimed() == 0);
            const filter all;
            CHECK(p.sync({.lanes = p.lanes, .limit = 5, .claim_filter = &all}).claimed() == 0);
            CHECK(p.sync({.lanes = p.lanes, .limit = 5, .contended = true}).claimed() == 0);
            CHECK(must(w.client().resume(queue, entrypoint)));
            CHECK_FALSE(must(w.client().resume(queue, entrypoint)));
            CHECK(bodies_of(p.claim(5)) == strings{"a", "b"});
        }
    }
    SECTION("other entrypoints and queues go on") {
        fixture w{make()};
        const auto job = w.lane(), other = w.lane("other"), elsewhere = w.lane("job", "q");
        auto p = w.worker({job, other, elsewhere});
        for (const auto lane : {job, other, elsewhere}) w.enqueue(lane, {"x"});
        must(w.client().pause({"default", "job", pause_kind::paused, ""}));
        CHECK(p.claim(5).claimed() == 2);
        must(w.client().resume("default", "job"));
        CHECK(p.claim(5).claimed() == 1);
        for (const auto lane : {job, other, elsewhere}) w.enqueue(lane, {"x"});
        must(w.client().pause({"default", "", pause_kind::paused, ""}));
        const auto got = p.claim(5);
        REQUIRE(got.claimed() == 1);
        CHECK(got.leases[0].lane == elsewhere);
    }
    SECTION("jobs that are retried, given back or due while it is paused wait for the resume") {
        fixture w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        w.enqueue(lane, {"a", "b"});
        w.enqueue(lane, {"later"}, {.run_at = in(1ms)});
        const auto first = p.claim(1);
        const auto second = p.claim(1);
        must(w.client().pause({"default", "job", pause_kind::paused, ""}));
        p.settle(first, {.kind = settle_kind::retry, .reason = "no"});
        must(p.session.give_back(laws::leases_of(second)));
        CHECK(w.eventually([&] {
            CHECK(p.promote_and_claim(5).claimed() == 0);
            return w.counts(lane).ready == 3;
        }));
        must(w.client().resume("default", "job"));
        CHECK(p.claim(5).claimed() == 3);
    }
    SECTION("a claim within limits brings nothing of a paused lane") {
        fixture w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        const lane_limit two{.entrypoint = "job", .limit = {.kind = limit_kind::running, .amount = 2}};
        (void)must(w.client().limits("default", {&two, 1}));
        w.enqueue(lane, {"a", "b", "c"});
        const limited_lane wanted{.lane = lane, .most = 5, .max_attempts = 5};
        must(w.client().pause({"default", "", pause_kind::paused, ""}));
        CHECK(p.sync({.limited = {&wanted, 1}, .limited_capacity = 5}).claimed() == 0);
        must(w.client().resume("default", ""));
        CHECK(p.sync({.limited = {&wanted, 1}, .limited_capacity = 5}).claimed() == 2);
    }
    if constexpr (can_take<typename Driver::session>) SECTION("nothing is taken from a paused lane") {
            fixture w{make()};
            const std::array lanes{w.lane(), w.lane("other")};
            w.enqueue(lanes[0], {"a"});
            w.enqueue(lanes[1], {"b"});
            must(w.client().pause({"default", "job", pause_kind::paused, ""}));
            take_reply reply;
            const filter all;
            for (const filter* f : {static_cast<const filter*>(nullptr), &all}) {
                must(w.client().take({.lanes = std::span{lanes}.first(1), .limit = 5, .where = f}, reply));
                CHECK(reply.jobs.empty());
            }
            must(w.client().take({.lanes = lanes, .limit = 5}, reply));
            REQUIRE(reply.jobs.size() == 1);
            CHECK(reply.jobs[0].body == "b");
        }
    SECTION("workers of the lanes are notified, and lease_updates says which leases are paused") {
        fixture w{make()};
        const auto job = w.lane(), other = w.lane("other");
        auto p = w.worker({job, other}), q = w.worker({other});
        w.enqueue(job, {"a"});
        w.enqueue(other, {"b"});
        const auto got = p.claim(5);
        REQUIRE(got.leases.size() == 2);
        p.subscribe();
        q.subscribe();
        CHECK_FALSE(must(p.session.beat(p.worker)).jobs_to_stop);
        must(w.client().pause({"default", "job", pause_kind::paused, ""}));
        CHECK(p.receives_wake());
        CHECK(p.session.take_stop_request());
        CHECK(must(p.session.beat(p.worker)).jobs_to_stop);
        const auto updates = must(p.session.lease_updates(p.worker));
        REQUIRE(updates.size() == 2);
        for (const auto& l : got.leases)
            for (const auto& u : updates)
                if (u.ref.id == l.ref.id) CHECK(u.paused == (l.lane == job));
        CHECK_FALSE(q.receives_wake(quiet_time));
        CHECK_FALSE(must(q.session.beat(q.worker)).jobs_to_stop);
        must(w.client().resume("default", "job"));
        CHECK(p.receives_wake());
        CHECK(p.session.take_stop_request());
        CHECK_FALSE(must(p.session.beat(p.worker)).jobs_to_stop);
    }
}

/// The same, of what is enqueued, and of what people see.
template <class Driver, class Make>
void check_drain(Make make) {
    using fixture = driver_fixture<Driver>;
    SECTION("what is draining refuses each kind of enqueue, and what is there runs to its end") {
        for (const auto& [queue, entrypoint] :
             {std::pair{"default", "job"}, std::pair{"default", ""}, std::pair{"", ""}}) {
            fixture w{make()};
            const auto lane = w.lane();
            auto p = w.worker({lane});
            w.enqueue(lane, {"a", "b"});
            CHECK(must(w.client().pause({queue, entrypoint, pause_kind::draining, "moving house"})));
            const enqueue_options plain, later{.run_at = in(1h)}, kept{.keep_outcome = 1h};
            for (const std::size_t n : {1u, 3u, 6000u})
                for (const auto& o : {plain, later, kept}) {
                    const bodies b = fixture::packed(strings(n, "x"));
                    std::vector<job_id> ids;
                    const auto put = w.client().enqueue({.lane = lane, .bodies = &b, .options = {&o, 1}}, ids);
                    REQUIRE_FALSE(put.has_value());
                    INFO(put.error().text());
                    CHECK(put.error() == errc::draining);
                    CHECK(put.error().message ==
                          "the entrypoint \"job\" of the queue \"default\" takes no new jobs: moving house");
                    CHECK_FALSE(put.error().hint.empty());
                }
            p.settle(p.claim(1), {.kind = settle_kind::retry, .reason = "no"});
            CHECK(p.claim(5).claimed() == 2);
            CHECK(w.counts(lane) == lane_counts{.leased = 2, .draining = true});
            CHECK(must(w.client().resume(queue, entrypoint)));
            CHECK(w.enqueue(lane, {"c"}).size() == 1);
        }
    }
    SECTION("other lanes take new jobs, and a call that also enqueues to a draining one puts nothing") {
        fixture w{make()};
        const std::array lanes{w.lane(), w.lane("other")};
        must(w.client().pause({"default", "job", pause_kind::draining, ""}));
        CHECK(w.enqueue(lanes[1], {"x"}).size() == 1);
        const bodies b = fixture::packed({"a", "b"});
        const enqueue_options plain;
        std::vector<enqueued_job> put;
        const auto done = w.client().enqueue_tracked(
            {.lanes = std::array{lanes[1], lanes[0]}, .bodies = &b, .options = {&plain, 1}}, put);
        REQUIRE_FALSE(done.has_value());
        CHECK(done.error() == errc::draining);
        CHECK(w.counts(lanes[1]).ready == 1);
    }
    SECTION("paused lists what counts for a queue, with its reason, and a lane that is made later obeys") {
        fixture w{make()};
        auto& c = w.client();
        CHECK(must(c.paused("default")).empty());
        CHECK(must(c.pause({"default", "job", pause_kind::paused, "one"})));
        CHECK(must(c.pause({"default", "", pause_kind::draining, "two"})));
        CHECK(must(c.pause({"", "", pause_kind::paused, "three"})));
        CHECK(must(c.pause({"q", "", pause_kind::paused, "elsewhere"})));
        const auto since = must(c.paused("default")).at(2).since;
        CHECK_FALSE(must(c.pause({"default", "job", pause_kind::paused, "four"})));
        const auto all = must(c.paused("default"));
        REQUIRE(all.size() == 3);
        CHECK(all[0].queue.empty());
        CHECK(all[0].reason == "three");
        CHECK(all[1].kind == pause_kind::draining);
        CHECK(all[1].entrypoint.empty());
        CHECK(all[2] == paused_scope{"default", "job", pause_kind::paused, since, "four"});
        CHECK(must(c.paused("q")).size() == 2);
        const auto lane = w.lane();
        CHECK(w.counts(lane) == lane_counts{.paused = true, .draining = true});
        CHECK(must(c.resume("", "")));
        CHECK(w.counts(lane).paused);
        CHECK(must(c.resume("default", "job")));
        CHECK(w.counts(lane) == lane_counts{.draining = true});
        CHECK(must(c.resume("default", "")));
        CHECK(w.counts(lane) == lane_counts{});
    }
}

}  // namespace pgq::laws
