#pragma once

#include <pgq/testing/laws/driver/tracked_fixture.hpp>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

/// Laws of claims: their order, their size, and that no job is claimed twice.
namespace pgq::laws {

template <class Driver, class Make>
void check_order_in_a_lane(Make make) {
    SECTION("a claim takes at most so many bytes, at least one job, and reports that there are more") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        const std::string large(300'000, 'x');
        for (const auto& lanes : {std::vector{a}, std::vector{a, b}}) {
            for (const auto lane : lanes) w.enqueue(lane, {"small", large, large, large, "last"});
            auto p = w.worker(lanes);
            std::size_t jobs = 0;
            for (bool more = true; more;) {
                const auto got = p.sync({.lanes = p.lanes, .limit = 1000, .max_bytes = 700'000});
                std::size_t bytes = 0;
                for (const auto& j : in_order(got)) bytes += j.body.size();
                CHECK(bytes <= 700'000);
                jobs += got.claimed();
                more = got.cut;
                if (more) CHECK(got.claimed() > 0);
            }
            CHECK(jobs == 5 * lanes.size());
            w.enqueue(a, {large, "small"});
            const auto one = p.sync({.lanes = p.lanes, .limit = 1000, .max_bytes = 1});
            CHECK(bodies_of(one) == strings{large});
            CHECK(one.cut);
            const auto rest = p.sync({.lanes = p.lanes, .limit = 1000, .max_bytes = 1'000});
            CHECK(bodies_of(rest) == strings{"small"});
            CHECK_FALSE(rest.cut);
        }
    }
    SECTION("a claim from a limited lane takes at most so many bytes, too") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const std::string large(300'000, 'x');
        w.enqueue(lane, {"small", large, large, large, "last"});
        auto p = w.worker({lane});
        const limited_lane limited{.lane = lane, .most = 10, .max_attempts = 5};
        const auto claim = [&] {
            return p.sync({.max_bytes = 700'000, .limited = std::span{&limited, 1}, .limited_capacity = 10});
        };
        const auto first = claim();
        CHECK(bodies_of(first) == strings{"small", large, large});
        CHECK(first.peers_can_claim_limited);
        CHECK(bodies_of(claim()) == strings{large, "last"});
    }
    SECTION("limited lanes share the bytes of a claim") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        const std::string large(300'000, 'x');
        w.enqueue(a, {large, large});
        w.enqueue(b, {"small", large});
        auto p = w.worker({a, b});
        const limited_lane limited[]{{.lane = a, .most = 10, .max_attempts = 5},
                                     {.lane = b, .most = 10, .max_attempts = 5}};
        const auto claim = [&] { return p.sync({.max_bytes = 700'000, .limited = limited, .limited_capacity = 20}); };
        const auto first = claim();
        CHECK(bodies_of(first) == strings{large, large, "small"});
        CHECK(first.peers_can_claim_limited);
        w.enqueue(a, {std::string(700'000, 'y')});  // no byte is left for the other lane
        const auto second = claim();
        CHECK(second.claimed() == 1);
        CHECK(second.peers_can_claim_limited);
        CHECK(bodies_of(claim()) == strings{large});
    }
    SECTION("jobs of one lane are claimed first in, first out, over several enqueues") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto ids = w.enqueue(lane, {"a", "b"});
        for (const auto id : w.enqueue(lane, {"c", "d"})) ids.push_back(id);
        auto p = w.worker({lane});
        const auto first = p.claim(3), second = p.claim(3);
        CHECK(bodies_of(first) == strings{"a", "b", "c"});
        CHECK(bodies_of(second) == strings{"d"});
        CHECK(ids_of(first) == std::vector{ids[0], ids[1], ids[2]});
    }
    SECTION("a higher priority runs first, up to both ends of its range") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue_each(
            lane, {"0", "5", "-3", "5 too", "max", "min"},
            {{}, {.priority = 5}, {.priority = -3}, {.priority = 5}, {.priority = INT16_MAX}, {.priority = INT16_MIN}});
        auto p = w.worker({lane});
        const auto got = p.claim(10);
        CHECK(bodies_of(got) == strings{"max", "5", "5 too", "0", "-3", "min"});
        CHECK(in_order(got).front().rank.priority() == INT16_MAX);
        CHECK(in_order(got).back().rank.priority() == INT16_MIN);
    }
    SECTION("within a priority, an earlier deadline runs first, and no deadline runs last") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const time_point soon{std::chrono::milliseconds{1'900'000'000'123}};
        w.enqueue_each(lane, {"none", "later", "soon", "none, but urgent", "soon too"},
                       {{},
                        {.expected_at = at(soon + 1ms)},
                        {.expected_at = at(soon)},
                        {.priority = 1},
                        {.expected_at = at(soon)}});
        auto p = w.worker({lane});
        const auto got = p.claim(10);
        CHECK(bodies_of(got) == strings{"none, but urgent", "soon", "soon too", "later", "none"});
        CHECK(in_order(got)[1].rank.deadline_ms() == 1'900'000'000'123);
        CHECK(in_order(got)[4].rank.deadline_ms() == rank::no_deadline);
    }
    SECTION("relative and absolute deadlines have one common order") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const time_point past{std::chrono::days{365}}, far{std::chrono::days{365 * 200}};
        w.enqueue_each(lane, {"far", "in two hours", "an hour late", "past", "in one hour"},
                       {{.expected_at = at(far)},
                        {.expected_at = in(2h)},
                        {.expected_at = in(-1h)},
                        {.expected_at = at(past)},
                        {.expected_at = in(1h)}});
        auto p = w.worker({lane});
        CHECK(bodies_of(p.claim(10)) == strings{"past", "an hour late", "in one hour", "in two hours", "far"});
    }
    SECTION("the deadlines of tracked jobs have the same order") {
        tracked_fixture<Driver> t{make()};
        const time_point past{std::chrono::days{365}}, far{std::chrono::days{365 * 200}};
        const auto before = [](when deadline) { return enqueue_options{.expected_at = deadline, .keep_outcome = 1h}; };
        t.add({{"none", {.keep_outcome = 1h}},
               {"far", before(at(far))},
               {"in two hours", before(in(2h))},
               {"an hour late", before(in(-1h))},
               {"past", before(at(past))},
               {"none, but urgent", {.priority = 1, .keep_outcome = 1h}},
               {"in one hour", before(in(1h))}});
        const auto got = t.p.claim(10);
        CHECK(bodies_of(got) ==
              strings{"none, but urgent", "past", "an hour late", "in one hour", "in two hours", "far", "none"});
        CHECK(in_order(got)[5].rank.deadline_ms() == 365LL * 200 * 24 * 3'600'000);
        CHECK(in_order(got)[6].rank.deadline_ms() == rank::no_deadline);
    }
}

template <class Driver, class Make>
void check_order_over_lanes(Make make) {
    SECTION("jobs of several lanes are claimed by rank and id over all lanes") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        w.enqueue(a, {"1"});
        w.enqueue(b, {"2", "3"});
        w.enqueue(a, {"4", "5"});
        w.enqueue(b, {"0"}, {.priority = 1});
        auto p = w.worker({a, b});
        CHECK(bodies_of(p.claim(4)) == strings{"0", "1", "2", "3"});
        const auto rest = p.claim(4);
        CHECK(bodies_of(rest) == strings{"4", "5"});
        CHECK(rest.leases.size() == 1);
        CHECK(rest.leases[0].lane == a);
    }
    SECTION("a claim makes one lease for each lane, with different ids") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b"), empty = w.lane("empty");
        w.enqueue(a, {"1", "2"});
        w.enqueue(b, {"3"});
        auto p = w.worker({empty, b, a});
        const auto got = p.claim(10);
        REQUIRE(got.leases.size() == 2);
        CHECK(got.leases[0].ref.id != got.leases[1].ref.id);
        for (const auto& lease : got.leases) CHECK(lease.jobs.size() == (lease.lane == a ? 2U : 1U));
    }
    SECTION("each lease of a claim has the attempts of its own lane") {
        driver_fixture<Driver> w{make()};
        const auto once = w.lane("once"), often = w.lane("often");
        w.enqueue(once, {"a"});
        w.enqueue(often, {"b"});
        auto dead = w.worker({once, often}, 500ms);
        dead.lanes[0].max_attempts = 1;
        const auto got = dead.claim(10);
        REQUIRE(got.leases.size() == 2);
        for (const auto& l : got.leases)
            if (l.lane == once) (void)dead.finish({l.ref});
        // It dies with one job, so this attempt counts.
        const auto reply = w.rescue();
        CHECK(reply.returned == 1);
        CHECK(reply.held == 0);
    }
    SECTION("new and returned jobs have one common order") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b", "c"});
        auto p = w.worker({lane});
        const auto first = p.claim(2);
        w.enqueue(lane, {"d"});
        w.enqueue(lane, {"urgent"}, {.priority = 9});
        must(p.session.give_back(leases_of(first)));
        CHECK(bodies_of(p.claim(3)) == strings{"urgent", "a", "b"});
        CHECK(bodies_of(p.claim(3)) == strings{"c", "d"});
    }
}

template <class Driver, class Make>
void check_claim_size(Make make) {
    SECTION("a claim gets as many jobs as its limit, or all") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, strings(14, "x"));
        auto p = w.worker({lane});
        for (const std::uint32_t limit : {1U, 3U, 9U}) CHECK(p.claim(limit).claimed() == limit);
        CHECK(p.claim(10).claimed() == 1);
        CHECK(p.claim(10).leases.empty());
    }
    SECTION("a claim with a limit of zero or without lanes gets nothing") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x"});
        auto p = w.worker({lane});
        CHECK(p.claim(0).leases.empty());
        CHECK(p.sync({.limit = 10}).leases.empty());
        CHECK(w.counts(lane).ready == 1);
    }
    SECTION("a claim does not touch other lanes of the same queue or entrypoint") {
        driver_fixture<Driver> w{make()};
        const auto mine = w.lane("job", "q"), sister = w.lane("job", "other q"), brother = w.lane("other job", "q");
        for (const auto lane : {sister, brother, mine}) w.enqueue(lane, {std::to_string(lane.value)});
        auto p = w.worker({mine});
        CHECK(bodies_of(p.claim(10)) == strings{std::to_string(mine.value)});
        CHECK(w.counts(sister).ready == 1);
        CHECK(w.counts(brother).ready == 1);
    }
    SECTION("ten thousand jobs can be enqueued in one call and claimed in one call") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        strings texts;
        for (int i = 0; i < 10'000; ++i) texts.push_back(std::to_string(i));
        const auto ids = w.enqueue(lane, texts);
        CHECK(std::is_sorted(ids.begin(), ids.end()));
        auto p = w.worker({lane});
        const auto got = p.claim(20'000);
        CHECK(ids_of(got) == ids);
        CHECK(bodies_of(got) == texts);
        CHECK(p.finish(got).lost.empty());
        CHECK(w.counts(lane) == lane_counts{});
    }
}

/// Claims and finishes in a thread until no job is left. Returns false after an error.
template <class Session>
bool drain(test_worker<Session>& p, std::uint32_t batch, std::atomic<int>& left, std::vector<job_id>& got) {
    sync_reply reply;
    std::vector<lease_ref> finished;
    while (left > 0 || !finished.empty()) {
        if (!p.try_exchange({.finished = finished, .lanes = p.lanes, .limit = batch}, reply)) return false;
        if (!reply.lost.empty()) return false;
        finished = leases_of(reply);
        for (const auto id : ids_of(reply)) got.push_back(id), --left;
    }
    return true;
}

template <class Driver, class Make>
void check_concurrent_claims(Make make) {
    SECTION("several claimers never get the same job, and together they get all") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        w.enqueue(a, strings(600, "x"));
        w.enqueue(b, strings(600, "y"));
        std::atomic<int> left{1200};
        std::atomic<int> well{0};
        std::vector<std::vector<job_id>> got(3);
        std::vector<test_worker<typename Driver::session>> parties;
        for (std::size_t i = 0; i < got.size(); ++i) parties.push_back(w.worker({a, b}));
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < got.size(); ++i)
                threads.emplace_back([&, i] { well += drain(parties[i], 7, left, got[i]) ? 1 : 0; });
        }
        CHECK(well == 3);
        std::set<job_id> all;
        for (const auto& some : got) all.insert(some.begin(), some.end());
        CHECK(all.size() == 1200);
        CHECK(left == 0);
        CHECK(w.counts(a) == lane_counts{});
        CHECK(w.counts(b) == lane_counts{});
    }
    SECTION("with 8 lanes of 10 jobs, 4 claimers and a limit of 10, no claim is empty while 40 jobs are ready") {
        driver_fixture<Driver> w{make()};
        std::vector<lane_id> lanes;
        for (int i = 0; i < 8; ++i) lanes.push_back(w.lane("job " + std::to_string(i)));
        std::vector<test_worker<typename Driver::session>> parties;
        for (int i = 0; i < 4; ++i) parties.push_back(w.worker(lanes));
        for (int round = 0; round < 10; ++round) {
            for (const auto lane : lanes) w.enqueue(lane, strings(10, "x"));
            std::barrier together{4};
            std::atomic<int> taken{0}, empty{0}, failed{0};
            const auto claim_twice = [&](auto& p) {
                sync_reply first, second;
                for (auto* reply : {&first, &second}) {
                    together.arrive_and_wait();
                    if (!p.try_exchange({.lanes = p.lanes, .limit = 10}, *reply)) ++failed;
                    taken += static_cast<int>(reply->claimed());
                    empty += reply->leases.empty() ? 1 : 0;
                }
                auto finished = leases_of(first);
                for (const auto ref : leases_of(second)) finished.push_back(ref);
                if (!p.try_exchange({.finished = finished}, first)) ++failed;
            };
            {
                std::vector<std::jthread> threads;
                for (auto& p : parties) threads.emplace_back([&] { claim_twice(p); });
            }
            CHECK(failed == 0);
            CHECK(empty == 0);
            for (auto rest = parties[0].claim(100); !rest.leases.empty(); rest = parties[0].claim(100)) {
                taken += static_cast<int>(rest.claimed());
                (void)parties[0].finish(rest);
            }
            CHECK(taken == 80);
        }
    }
}

}  // namespace pgq::laws
