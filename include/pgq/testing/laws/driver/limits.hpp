#pragma once

#include <pgq/testing/laws/driver/fixture.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// Laws of limits that all workers share.
namespace pgq::laws {

/// A lane with limits, and functions that claim from it.
template <class Driver>
struct limited_fixture {
    driver_fixture<Driver> w;
    lane_id lane{};

    limited_fixture(Driver d, const std::vector<limit_spec>& limits) : w{std::move(d)}, lane{w.lane()} {
        declare("job", limits);
    }
    void declare(std::string_view entrypoint, const std::vector<limit_spec>& limits) {
        std::vector<lane_limit> all;
        for (const auto& l : limits) all.push_back({.entrypoint = std::string{entrypoint}, .limit = l});
        (void)must(w.client().limits("default", all));
    }
    void enqueue_keyed(const strings& texts, const strings& keys) {
        const bodies b = driver_fixture<Driver>::packed(texts), k = driver_fixture<Driver>::packed(keys);
        const enqueue_options plain;
        std::vector<job_id> ids;
        must(w.client().enqueue({.lane = lane, .bodies = &b, .options = {&plain, 1}, .keys = &k}, ids));
    }
    sync_reply claim(test_worker<typename Driver::session>& p, std::uint32_t most, bool sleeps = false) {
        return claim_of(p, {lane}, most, most, sleeps);
    }
    static sync_reply claim_of(test_worker<typename Driver::session>& p, const std::vector<lane_id>& lanes,
                               std::uint32_t most, std::uint32_t room, bool sleeps = false) {
        std::vector<limited_lane> wanted;
        for (const lane_id l : lanes) wanted.push_back({.lane = l, .most = most, .max_attempts = 5});
        return p.sync({.limited = wanted, .limited_capacity = room, .subscribe_wakes = sleeps});
    }
};

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
        limited_fixture<Driver> w{make(), {three}};
        w.w.enqueue(w.lane, {"a", "b", "c", "d", "e", "f"});
        auto p = w.w.worker({w.lane}), q = w.w.worker({w.lane});
        CHECK(w.claim(p, 9).claimed() == 3);
        CHECK(w.claim(q, 9, true).claimed() == 0);
        const lane_limit four{.entrypoint = "job", .limit = {.kind = limit_kind::running, .amount = 4}};
        const lane_limit zero{.entrypoint = "job", .limit = {.kind = limit_kind::running, .amount = 0}};
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
    SECTION("a job keeps its limit key after a retry, a delay and a rescue") {
        limited_fixture<Driver> w{make(), {one}};
        w.enqueue_keyed({"a1", "a2"}, {"\u00fc'; --", "\u00fc'; --"});
        auto p = w.w.worker({w.lane}), dead = w.w.worker({w.lane}, 100ms);
        (void)p.settle(w.claim(p, 9), {.index = 0, .kind = settle_kind::retry, .delay = 1ms});
        REQUIRE(w.w.eventually([&] { return p.sync({.promote = true}).promoted == 1; }));
        CHECK(bodies_of(w.claim(dead, 9)) == strings{"a1"});
        CHECK(w.w.rescue().returned == 1);
        CHECK(bodies_of(w.claim(p, 9)) == strings{"a1"});
        CHECK(w.claim(p, 9).claimed() == 0);
    }
    SECTION("a thousand waiting jobs of one key do not block another key") {
        limited_fixture<Driver> w{make(), {one}};
        w.enqueue_keyed(strings(1000, "busy"), strings(1000, "a"));
        w.enqueue_keyed({"late"}, {"b"});
        auto p = w.w.worker({w.lane});
        CHECK(bodies_of(w.claim(p, 9)) == strings{"busy", "late"});
    }
}

template <class Driver, class Make>
void check_rate_limit(Make make) {
    SECTION("as many jobs as the burst start at once, then the reply says when to claim again") {
        limited_fixture<Driver> w{make(), {{.kind = limit_kind::rate, .amount = 1, .per = 1h, .burst = 2}}};
        w.w.enqueue(w.lane, {"a", "b", "c"});
        auto p = w.w.worker({w.lane});
        const auto got = w.claim(p, 9);
        CHECK(got.claimed() == 1);  // a new rate limit has one token
        REQUIRE(got.again.has_value());
        CHECK(*got.again > 30min);
        CHECK(*got.again <= 1h);
        CHECK(w.claim(p, 9).claimed() == 0);
        (void)p.finish(got);  // the end of a job returns no token
        CHECK(w.claim(p, 9).claimed() == 0);
    }
    SECTION("tokens return over time, for all workers together") {
        limited_fixture<Driver> w{make(), {{.kind = limit_kind::rate, .amount = 100, .per = 1s, .burst = 5}}};
        w.w.enqueue(w.lane, strings(500, "x"));
        auto p = w.w.worker({w.lane}), q = w.w.worker({w.lane});
        const auto begin = std::chrono::steady_clock::now();
        std::size_t began = 0;
        while (std::chrono::steady_clock::now() - begin < 600ms) {
            for (auto* one : {&p, &q}) {
                const auto got = w.claim(*one, 9);
                began += got.claimed();
                if (got.again) (void)must(one->session.wait(std::min<duration>(*got.again, 50ms)));
            }
        }
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        CHECK(static_cast<double>(began) <= 100 * took.count() + 6);
        CHECK(began >= 10);
    }
}

/// Several sessions claim and finish at the same time, with random pauses. The running jobs never exceed the limits.
template <class Driver, class Make>
void check_limits_under_contention(Make make, int rounds = 40) {
    SECTION("limits are never exceeded while claims and ends overlap") {
        limited_fixture<Driver> w{
            make(), {{.kind = limit_kind::running, .amount = 3}, {.kind = limit_kind::running_by_key, .amount = 1}}};
        std::atomic<int> running{0}, most{0}, twice{0}, failed{0};
        std::mutex mutex;
        std::multiset<std::string> keys;
        const int jobs = rounds * 4;
        strings texts, names;
        for (int i = 0; i < jobs; ++i) texts.push_back(std::to_string(i % 5)), names.push_back(texts.back());
        w.enqueue_keyed(texts, names);
        std::vector<test_worker<typename Driver::session>> parties;
        for (int i = 0; i < 6; ++i) parties.push_back(w.w.worker({w.lane}));
        std::atomic<int> left{jobs};
        const auto deadline = std::chrono::steady_clock::now() + law_timeout * (2 + rounds / 100);
        const auto work = [&](test_worker<typename Driver::session>& p, unsigned seed) {
            std::mt19937 random{seed};
            const limited_lane wanted{.lane = w.lane, .most = 2, .max_attempts = 5};
            sync_reply got, ended;
            while (left > 0 && std::chrono::steady_clock::now() < deadline) {
                if (!p.try_exchange({.limited = {&wanted, 1}, .limited_capacity = 2}, got)) ++failed;
                const auto n = static_cast<int>(got.claimed());
                if (n == 0) {
                    std::this_thread::yield();
                    continue;
                }
                const int now = running += n;
                for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
                {
                    const std::lock_guard lock{mutex};
                    for (const auto& j : in_order(got))
                        twice += keys.contains(std::string{j.body}) ? 1 : 0, keys.emplace(j.body);
                }
                for (auto pause = random() % 200; pause > 0; --pause) std::this_thread::yield();
                {
                    const std::lock_guard lock{mutex};
                    for (const auto& j : in_order(got)) keys.erase(keys.find(std::string{j.body}));
                }
                running -= n;
                const auto refs = leases_of(got);
                if (!p.try_exchange({.finished = refs}, ended)) ++failed;
                left -= n;
            }
        };
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < parties.size(); ++i)
                threads.emplace_back([&, i] { work(parties[i], static_cast<unsigned>(i)); });
        }
        CHECK(left == 0);
        CHECK(most <= 3);
        CHECK(twice == 0);
        CHECK(failed == 0);
    }
}

}  // namespace pgq::laws
