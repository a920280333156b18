#pragma once

#include <pgq/concept/statistics.hpp>
#include <pgq/testing/laws/driver/fixture.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Laws of the numbers: what workers report, what is read of it, counts up to a bound, and failures.
namespace pgq::laws {

/// The sums of all minutes of these lanes.
template <class Session>
job_statistics all_statistics(Session& session, const std::vector<lane_id>& lanes, time_point from = {},
                              time_point to = time_point::max()) {
    job_statistics sum;
    for (const auto& s : must(session.statistics({.lanes = lanes, .from = from, .to = to}))) sum += s;
    return sum;
}

/// `beat` and `retire` with a report, and `statistics`.
template <class Driver, class Make>
void check_statistics(Make make) {
    SECTION("a report is stored once, however often its heartbeat is sent") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane(), other = w.lane("other");
        auto p = w.worker({lane});
        job_statistics what{.done = 3, .retried = 2, .held = 1, .discarded = 4, .cancelled = 5};
        what.wait.add(3ms, 3);
        what.wait.add(100h);
        what.run.add(10us, 2);
        const std::vector<minute_counts> rows{{.lane = lane, .what = what}, {.lane = other, .what = {.done = 7}}};
        for (int i = 0; i < 3; ++i) CHECK(must(p.session.beat(p.worker, {.number = 1, .rows = rows})).alive);
        CHECK(all_statistics(w.client(), {lane}) == what);
        CHECK(all_statistics(w.client(), {lane, other}).done == 10);
        CHECK(must(p.session.beat(p.worker, {.number = 2, .rows = std::span{rows}.subspan(1)})).alive);
        CHECK(all_statistics(w.client(), {other}).done == 14);
        CHECK(all_statistics(w.client(), {lane}) == what);
    }
    SECTION("only the report of a registered worker is stored, and it stays when the worker retires or dies") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane}), dead = w.worker({lane}, 100ms);
        const std::vector<minute_counts> one{{.lane = lane, .what = {.done = 1}}};
        CHECK_FALSE(must(p.session.beat({INT32_MAX}, {.number = 1, .rows = one})).alive);
        CHECK(all_statistics(w.client(), {lane}).done == 0);
        CHECK(must(dead.session.beat(dead.worker, {.number = 1, .rows = one})).alive);
        CHECK(w.rescue().workers == 1);
        CHECK_FALSE(must(dead.session.beat(dead.worker, {.number = 2, .rows = one})).alive);
        CHECK(all_statistics(w.client(), {lane}).done == 1);
        (void)must(p.session.retire(p.worker, {.number = 1, .rows = one}));
        CHECK(all_statistics(w.client(), {lane}).done == 2);
        (void)must(w.client().expire_and_purge());  // adds up what is left of both
        CHECK(all_statistics(w.client(), {lane}).done == 2);
    }
    SECTION("the sum over a window is the sum over its parts, wherever it is split") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        const auto this_minute = std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now());
        std::vector<minute_counts> rows;
        for (int ago = 5; ago > 0; --ago)
            rows.push_back({.lane = lane,
                            .minute = (this_minute - std::chrono::minutes{ago}).time_since_epoch().count(),
                            .what = {.enqueued = 1 << ago}});
        CHECK(must(p.session.beat(p.worker, {.number = 1, .rows = rows})).alive);
        const time_point from = this_minute - 10min, to = this_minute;
        CHECK(all_statistics(w.client(), {lane}, from, to).enqueued == 62);
        for (const auto split :
             std::array<std::chrono::microseconds, 6>{5min + 1us, 5min, 4min + 30s, 3min, 1min, 0us}) {
            const time_point at = this_minute - split;
            CHECK(all_statistics(w.client(), {lane}, from, at).enqueued +
                      all_statistics(w.client(), {lane}, at, to).enqueued ==
                  62);
        }
        CHECK(all_statistics(w.client(), {lane}, this_minute - 3min, this_minute - 1min).enqueued == 8 + 4);
        const std::array lanes{lane};
        const auto parts = must(w.client().statistics({.lanes = lanes, .from = from, .to = to, .step = 1min}));
        REQUIRE(parts.size() == 5);
        for (std::size_t i = 0; i < 5; ++i) {
            CHECK(parts[i].at == rows[i].minute * 1min + time_point{});
            CHECK(parts[i].enqueued == rows[i].what.enqueued);
        }
        const auto longer = must(w.client().statistics({.lanes = lanes, .from = from, .to = to, .step = 60min}));
        CHECK(longer.size() <= 2);
        const auto lately = must(w.client().statistics({.lanes = lanes, .last = 1h}));
        REQUIRE(lately.size() == 1);
        CHECK(lately[0].enqueued == 62);
        CHECK(must(w.client().statistics({.lanes = lanes, .from = from - 60min, .to = from})).empty());
    }
    SECTION("jobs that are cancelled while they wait, and those of a dead worker, are counted when that happens") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto ids = w.enqueue(lane, {"a", "b"}, {.run_at = in(1h)});
        (void)must(w.client().cancel(ids));
        CHECK(all_statistics(w.client(), {lane}).cancelled == 2);
        auto dead = w.worker({lane}, 100ms, 1);
        (void)w.enqueue(lane, {"c"});
        CHECK(dead.claim(1).claimed() == 1);
        const auto rescued = w.rescue();
        CHECK(all_statistics(w.client(), {lane}).held == rescued.held);
    }
    SECTION("jobs that expire are counted when they do") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        (void)w.enqueue(lane, {"a", "b", "c"}, {.expires_at = in(1ms)});
        CHECK(w.eventually([&] {
            (void)must(w.client().expire_and_purge());
            return all_statistics(w.client(), {lane}).expired == 3;
        }));
    }
}

/// `counts_up_to`.
template <class Driver, class Make>
void check_capped_counts(Make make) {
    SECTION("counts_up_to counts no further than its bound, and says so") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane(), none = w.lane("none");
        const std::array lanes{none, lane};
        auto p = w.worker({lane});
        const auto parent = w.enqueue(lane, {"parent"}, {.priority = 5});
        (void)w.enqueue(lane, {"a", "b", "c"});
        (void)w.enqueue(lane, {"later"}, {.run_at = in(1h)});
        (void)w.enqueue(lane, {"child"}, {.after = parent});
        auto found = must(w.client().counts_up_to(lanes, 3));
        REQUIRE(found.size() == 2);
        CHECK(found[0].lane == none);
        CHECK(found[0].ready == capped_count{});
        CHECK_FALSE(found[0].oldest_ready);
        CHECK(found[1].ready == capped_count{.value = 3, .capped = true});
        CHECK(found[1].deferred == capped_count{.value = 1});
        CHECK(found[1].blocked == capped_count{.value = 1});
        CHECK(found[1].oldest_ready);
        CHECK_FALSE(found[1].oldest_ready_at_least);
        CHECK(must(w.client().counts_up_to(lanes, 4))[1].ready == capped_count{.value = 4});
        CHECK(w.counts(lane) == lane_counts{.ready = 4, .deferred = 1, .blocked = 1});

        (void)p.claim(1);  // the parent
        p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "no"});
        (void)p.claim(1);
        found = must(w.client().counts_up_to(lanes, 3));
        CHECK(found[1].leased == capped_count{.value = 2});
        CHECK(found[1].ready == capped_count{.value = 1});
        CHECK(found[1].held == capped_count{.value = 1});
        CHECK(must(w.client().counts_up_to(lanes, 1))[1].leased == capped_count{.value = 2});
    }
    SECTION("the oldest ready job is found behind jobs of a higher priority") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const std::array lanes{lane};
        const auto age = [&] { return must(w.client().counts_up_to(lanes, 10))[0].oldest_ready; };
        CHECK_FALSE(age());
        (void)w.enqueue(lane, {"old"});
        CHECK(w.eventually([&] { return age() >= 30ms; }));
        (void)w.enqueue(lane, {"new"}, {.priority = 9});
        CHECK(age() >= 30ms);
        auto p = w.worker({lane});
        (void)p.claim(2);
        CHECK_FALSE(age());
    }
}

/// `latest_failures` and `keep_failures`.
template <class Driver, class Make>
void check_latest_failures(Make make) {
    SECTION("latest_failures lists the failed attempts of the lanes, latest first") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b"), c = w.lane("c");
        auto p = w.worker({a}), q = w.worker({b});
        std::vector<job_id> ids;
        for (const auto* why : {"1", "2", "3"}) {
            ids.push_back(w.enqueue(a, {why})[0]);
            p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = why});
        }
        ids.push_back(w.enqueue(b, {"x"})[0]);
        q.settle(q.claim(1), {.kind = settle_kind::retry, .delay = 1h, .reason = "4"});
        const std::vector both{a, b}, first{a}, none{c};
        const auto found = must(w.client().latest_failures(both, 3));
        REQUIRE(found.size() == 3);
        CHECK(found[0].reason == "4");
        CHECK(found[0].lane == b);
        CHECK(found[0].id == ids[3]);
        CHECK(found[1].reason == "3");
        CHECK(found[2].reason == "2");
        CHECK(found[2].attempt == 1);
        CHECK(must(w.client().latest_failures(first, 10)).size() == 3);
        CHECK(must(w.client().latest_failures(none, 10)).empty());
    }
    if constexpr (can_keep_failures<typename Driver::session>) {
        SECTION("with a time of zero no failure is stored, and those that are there go") {
            driver_fixture<Driver> w{make()};
            const auto a = w.lane("a"), b = w.lane("b");
            auto p = w.worker({a}), q = w.worker({b});
            const std::vector both{a, b}, first{a};
            const auto fail = [&](auto& worker, lane_id lane, const char* why) {
                const auto ids = w.enqueue(lane, {"x"});
                worker.settle(worker.claim(1), {.kind = settle_kind::hold, .reason = why});
                return ids[0];
            };
            fail(p, a, "1"), fail(q, b, "2");
            must(w.client().keep_failures(first, duration{}));
            const auto quiet = fail(p, a, "3");
            fail(q, b, "4");
            CHECK(must(w.client().failures(quiet)).empty());
            CHECK(w.held(a).size() == 2);
            CHECK(w.held(a)[1].reason == "3");
            (void)must(w.client().expire_and_purge());
            const auto found = must(w.client().latest_failures(both, 10));
            REQUIRE(found.size() == 2);
            CHECK(found[0].reason == "4");
            must(w.client().keep_failures(first, 1h));
            fail(p, a, "5");
            (void)must(w.client().expire_and_purge());
            CHECK(must(w.client().latest_failures(first, 10)).size() == 1);
        }
    }
}

}  // namespace pgq::laws
