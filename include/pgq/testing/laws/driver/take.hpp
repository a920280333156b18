#pragma once

#include <pgq/job/filter.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/testing/laws/driver/tracked_fixture.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Laws of `take`, which removes jobs from the queue without a lease.
namespace pgq::laws {

template <class Session>
std::vector<taken_record> take(Session& s, const std::vector<lane_id>& lanes, std::uint32_t limit = 1,
                               const filter* where = nullptr) {
    take_reply reply;
    must(s.take({.lanes = lanes, .limit = limit, .where = where}, reply));
    return std::move(reply.jobs);
}
inline strings bodies_of(const std::vector<taken_record>& jobs) {
    strings out;
    for (const auto& j : jobs) out.push_back(j.body);
    return out;
}

template <class Driver, class Make>
void check_take(Make make) {
    SECTION("a take returns jobs in order, with all their data, and removes them") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const std::array<header, 2> headers{{{"a", "1"}, {"\xC3\xA4 \"'", ""}}};
        const auto ids = w.enqueue_each(lane, {"plain", "best", "later"},
                                        {{}, {.priority = 5, .headers = headers}, {.priority = -5}});
        const auto got = take(w.client(), {lane}, 2);
        REQUIRE(bodies_of(got) == strings{"best", "plain"});
        CHECK(got[0].id == ids[1]);
        CHECK(got[0].lane == lane);
        CHECK(got[0].rank == rank::of(5));
        CHECK(got[0].attempts == 0);
        CHECK_FALSE(got[0].key.has_value());
        auto found = got[0].headers;
        std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
        CHECK(found == std::vector<owned_header>{{"a", "1"}, {"\xC3\xA4 \"'", ""}});
        CHECK(got[1].headers.empty());
        CHECK(w.counts(lane) == lane_counts{.ready = 1});
        CHECK(bodies_of(take(w.client(), {lane}, 10)) == strings{"later"});
        CHECK(take(w.client(), {lane}, 10).empty());
    }
    SECTION("a take chooses over all its lanes, and takes nothing from other lanes") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b"), other = w.lane("other");
        w.enqueue(other, {"not this"}, {.priority = 9});
        w.enqueue(a, {"1"});
        w.enqueue(b, {"2", "3"});
        w.enqueue(a, {"4"});
        w.enqueue(b, {"0"}, {.priority = 1});
        CHECK(bodies_of(take(w.client(), {a, b}, 3)) == strings{"0", "1", "2"});
        CHECK(bodies_of(take(w.client(), {a, b}, 3)) == strings{"3", "4"});
        CHECK(w.counts(other).ready == 1);
    }
    SECTION("a take returns any bytes and empty payloads unchanged") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const std::string zeros{"\0\xff\0", 3};
        w.enqueue(lane, {"", zeros});
        CHECK(bodies_of(take(w.client(), {lane}, 2)) == strings{"", zeros});
    }
    SECTION("a take promotes due jobs first, and reports when the next one is due") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"now"});
        w.enqueue(lane, {"soon"}, {.priority = 1, .run_at = in(20ms)});
        w.enqueue(lane, {"tomorrow"}, {.run_at = in(24h)});
        take_reply reply;
        REQUIRE(w.eventually([&] {
            must(w.client().take({.lanes = {&lane, 1}, .limit = 0, .peek_next_due = true}, reply));
            return reply.next_due > 23h;
        }));
        CHECK(reply.jobs.empty());
        CHECK(bodies_of(take(w.client(), {lane}, 5)) == strings{"soon", "now"});
        must(w.client().take({.lanes = {&lane, 1}, .peek_next_due = true}, reply));
        CHECK(reply.jobs.empty());
        CHECK((reply.next_due > 23h && reply.next_due <= 24h));
    }
    SECTION("a take returns jobs that it has promoted itself") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"soon"}, {.run_at = in(20ms)});
        strings got;
        REQUIRE(w.eventually([&] { return !(got = bodies_of(take(w.client(), {lane}, 5))).empty(); }));
        CHECK(got == strings{"soon"});
    }
    SECTION("without deferred jobs, a take reports no due time") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        take_reply reply;
        must(w.client().take({.lanes = {&lane, 1}, .peek_next_due = true}, reply));
        CHECK_FALSE(reply.next_due.has_value());
    }
    SECTION("a take reports the earlier attempts") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x"});
        auto p = w.worker({lane});
        (void)p.settle(p.claim(1), {.kind = settle_kind::retry});
        CHECK(take(w.client(), {lane}).at(0).attempts == 1);
    }
    SECTION("a taken job can be held as it was, and a second call changes nothing") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const std::array<header, 1> headers{{{"a", "1"}}};
        const auto ids = w.enqueue(lane, {"x"}, {.priority = 3, .headers = headers});
        const auto got = take(w.client(), {lane});
        must(w.client().hold_taken(got.at(0), "no good"));
        must(w.client().hold_taken(got.at(0), "no good"));
        const auto held = w.held(lane);
        REQUIRE(held.size() == 1);
        CHECK(held[0].id == ids[0]);
        CHECK(held[0].reason == "no good");
        CHECK(held[0].body == "x");
        CHECK(must(w.client().requeue(ids)) == 1);
        const auto again = take(w.client(), {lane});
        CHECK(again.at(0).rank == rank::of(3));
        CHECK(again.at(0).headers == std::vector<owned_header>{{"a", "1"}});
    }
}

template <class Driver, class Make>
void check_take_of_tracked_jobs(Make make) {
    using fixture = tracked_fixture<Driver>;
    const auto take = [](fixture& t) {
        take_reply reply;
        must(t.w.client().take({.lanes = std::span{&t.lane, 1}}, reply));
        REQUIRE(reply.jobs.size() == 1);
        return reply.jobs[0];
    };
    SECTION("a taken job is done: its watcher is notified, its key is free, its child begins") {
        fixture t{make()};
        const auto id = t.add("a", {.unique_key = "k", .keep_outcome = 1h}).id;
        t.add("child", {.after = std::span{&id, 1}});
        auto watcher = t.w.connect(session_role::client);
        CHECK(fixture::watch(watcher, {id}).empty());
        CHECK(take(t).body == "a");
        CHECK(must(watcher.wait(law_timeout)) == wake_reason::notified);
        CHECK(t.end_of(id) == 'd');
        CHECK(bodies_of(t.p.claim(9)) == strings{"child"});
        CHECK(t.add("b", {.unique_key = "k"}).is_new);
    }
    SECTION("a job that was taken and held has ended as held, and can be requeued") {
        fixture t{make()};
        const auto id = t.add("a");
        must(t.w.client().hold_taken(take(t), "unreadable"));
        CHECK(t.end_of(id) == 'h');
        CHECK(t.ended(id)->reason == "unreadable");
        CHECK(must(t.w.client().requeue(std::span{&id, 1})) == 1);
        CHECK(t.end_of(id) == '-');
        t.run("a");
        CHECK(t.end_of(id) == 'd');
    }
}

}  // namespace pgq::laws
