#pragma once

#include <pgq/concept/admin.hpp>
#include <pgq/concept/statistics.hpp>
#include <pgq/testing/laws/driver/fixture.hpp>
#include <pgq/testing/laws/driver/tracked_fixture.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Laws of what an operator lists; see concept/admin.hpp.
namespace pgq::laws {

/// All pages of a search.
template <class Driver>
std::vector<listed_job> list_all(driver_fixture<Driver>& w, job_search r) {
    std::vector<listed_job> all;
    for (std::optional<job_id> after = r.after; after;) {
        r.after = *after;
        auto page = must(w.client().list_jobs(r));
        CHECK(static_cast<std::int64_t>(page.jobs.size()) <= r.most);
        for (auto& j : page.jobs) {
            CHECK(j.id > r.after);
            CHECK((all.empty() || all.back().id < j.id));
            all.push_back(std::move(j));
        }
        CHECK((!page.next || *page.next > r.after));
        after = page.next;
    }
    return all;
}
inline std::vector<job_id> ids_of(const std::vector<listed_job>& all) {
    std::vector<job_id> ids;
    for (const listed_job& j : all) ids.push_back(j.id);
    return ids;
}
template <class Driver>
std::vector<job_id> list_ids(driver_fixture<Driver>& w, const job_search& r) {
    return ids_of(list_all(w, r));
}
/// The only job in this state.
template <class Driver>
listed_job only_in(driver_fixture<Driver>& w, job_state state) {
    const auto all = list_all(w, {.states = state});
    REQUIRE(all.size() == 1);
    CHECK(all[0].state == state);
    CHECK(all[0].since.has_value() == (state != job_state::ready));
    CHECK(all[0].worker.has_value() == (state == job_state::leased));
    CHECK(all[0].run_at.has_value() == (state == job_state::deferred));
    return all[0];
}
inline std::vector<job_place> places_of(std::span<const job_id> ids) {
    std::vector<job_place> places;
    for (const job_id id : ids) places.push_back({.id = id});
    return places;
}
inline std::vector<job_place> places_of(const std::vector<listed_job>& all) {
    std::vector<job_place> places;
    for (const listed_job& j : all) places.push_back({.id = j.id, .lane = j.lane, .rank = j.rank});
    return places;
}

template <class Driver, class Make>
void check_listed_lanes(Make make) {
    driver_fixture<Driver> w{make()};
    const auto a = w.lane("a", "one"), b = w.lane("b", "one"), c = w.lane("a", "two");
    const auto listed = [&](const lane_query& q) {
        std::vector<lane_id> ids;
        for (const listed_lane& l : must(w.client().list_lanes(q))) ids.push_back(l.id);
        return ids;
    };
    using lanes = std::vector<lane_id>;
    SECTION("lanes are listed in the order of their ids, page by page") {
        CHECK(listed({}) == lanes{a, b, c});
        CHECK(listed({.most = 2}) == lanes{a, b});
        CHECK(listed({.after = b, .most = 2}) == lanes{c});
        CHECK(listed({.after = c}).empty());
    }
    SECTION("lanes are found by the names of queue and entrypoint") {
        CHECK(listed({.queue = "one"}) == lanes{a, b});
        CHECK(listed({.entrypoint = "a"}) == lanes{a, c});
        CHECK(listed({.queue = "two", .entrypoint = "a"}) == lanes{c});
        CHECK(listed({.queue = "two", .entrypoint = "b"}).empty());
    }
    SECTION("a lane says what is paused, what drains and where dead letters go") {
        CHECK(must(w.client().list_lanes({}))[0] == listed_lane{.id = a, .queue = "one", .entrypoint = "a"});
        must(w.client().pause({.queue = "one", .entrypoint = "a"}));
        must(w.client().pause({.queue = "two", .kind = pause_kind::draining}));
        must(w.client().set_dead_letter_routes(std::span{&b, 1}, std::span{&c, 1}));
        constexpr bool keeps = can_keep_failures<typename Driver::session>;
        if constexpr (keeps) must(w.client().keep_failures(std::span{&c, 1}, 2h));
        const auto all = must(w.client().list_lanes({}));
        REQUIRE(all.size() == 3);
        CHECK(all[0].paused);
        CHECK_FALSE(all[0].draining);
        CHECK_FALSE(all[1].paused);
        CHECK(all[1].dead_letters == c);
        CHECK(all[2].draining);
        if constexpr (keeps) CHECK(all[2].keep_failures == 2h);
    }
}

template <class Driver, class Make>
void check_listed_jobs(Make make) {
    SECTION("a job is listed with all its data in each of its states") {
        tracked_fixture<Driver> t{make()};
        auto& w = t.w;
        const std::array<header, 2> headers{{{"a", "1"}, {"b", ""}}};
        const auto id = w.enqueue(t.lane, {"x"}, {.priority = 7, .headers = headers}).at(0);
        const auto ready = only_in(w, job_state::ready);
        CHECK(ready.id == id);
        CHECK(ready.lane == t.lane);
        CHECK(ready.priority() == 7);
        CHECK(ready.attempts == 0);
        CHECK(ready.headers.size() == 2);
        CHECK(ready.reason.empty());
        CHECK_FALSE(ready.key.has_value());
        (void)t.end(t.claim("x"), {.kind = settle_kind::retry, .delay = 1h, .reason = "no luck"});
        const auto deferred = only_in(w, job_state::deferred);
        CHECK(deferred.id == id);
        CHECK(deferred.attempts == 1);
        CHECK(deferred.reason == "no luck");
        CHECK(deferred.enqueued_at == ready.enqueued_at);
        CHECK(*deferred.run_at > ready.enqueued_at + 30min);
        CHECK(must(w.client().act({.what = job_action::run_now, .jobs = places_of(std::span{&id, 1})})).done == 1);
        const auto got = t.claim("x");
        const auto leased = only_in(w, job_state::leased);
        CHECK(leased.worker == t.p.worker);
        CHECK(leased.attempts == 2);
        CHECK(leased.headers == ready.headers);
        CHECK(leased.rank == ready.rank);
        CHECK(leased.enqueued_at == ready.enqueued_at);
        (void)t.end(got, {.kind = settle_kind::hold, .reason = "no good"});
        const auto held = only_in(w, job_state::held);
        CHECK(held.id == id);
        CHECK(held.reason == "no good");
        CHECK(*held.since >= ready.enqueued_at);
        const auto parent = t.add("p"), child = t.add("c", {.after = std::array{parent}}).id;
        CHECK(only_in(w, job_state::blocked).id == child);
        CHECK(list_ids(w, {}) == std::vector{id, parent, child});
    }
    SECTION("pages have each job once, in the order of the ids, over lanes, priorities, states and packs") {
        driver_fixture<Driver> w{make()};
        const std::vector lanes{w.lane("a"), w.lane("b"), w.lane("c")};
        std::vector<job_id> all;
        for (int i = 0; i < 12; ++i) {
            const auto lane = lanes[static_cast<std::size_t>(i) % 3];
            const auto some = i % 4 == 3 ? w.enqueue(lane, strings(35, "x"), {.packed = true})
                                         : w.enqueue(lane, {"x", "y", "z"}, {.priority = static_cast<std::int16_t>(i)});
            all.insert(all.end(), some.begin(), some.end());
            all.push_back(w.enqueue(lane, {"later"}, {.run_at = in(1h)}).at(0));
        }
        auto p = w.worker(lanes);
        const auto got = p.claim(7);
        const auto& lease =
            *std::max_element(got.leases.begin(), got.leases.end(),
                              [](const auto& one, const auto& other) { return one.jobs.size() < other.jobs.size(); });
        const auto done = lease.jobs.at(0);
        REQUIRE(lease.jobs.size() > 1);
        const std::string mask = mask_of({done.index});
        (void)p.progress({.ref = lease.ref, .last = false, .mask = mask});
        all.erase(std::find(all.begin(), all.end(), done.id));  // it has left its lease
        std::sort(all.begin(), all.end());
        for (const std::int64_t most : {1, 3, 50, 1000}) CHECK(list_ids(w, {.most = most}) == all);
        const auto first = all[20], last = all[90];
        CHECK(list_ids(w, {.after = first, .last = last, .most = 7}) ==
              std::vector<job_id>{all.begin() + 21, all.begin() + 91});
        std::size_t n = 0;
        for (const auto lane : lanes) n += list_all(w, {.lanes = std::span{&lane, 1}, .most = 4}).size();
        CHECK(n == all.size());
        CHECK(list_all(w, {.lanes = std::span<const lane_id>{}}).empty());
    }
    SECTION("jobs are selected by states, headers, reason and time of the enqueue") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const std::array<header, 2> both{{{"tenant", "a"}, {"city", "Köln"}}};
        const std::array<header, 1> one{{{"tenant", "a"}}}, other{{{"tenant", "b"}}};
        const auto ids =
            w.enqueue_each(lane, {"0", "1", "2", "3"}, {{.headers = both}, {.headers = one}, {.headers = other}, {}});
        const auto later = w.enqueue(lane, {"4"}, {.run_at = in(1h), .headers = one}).at(0);
        using list = std::vector<job_id>;
        CHECK(list_ids(w, {.headers = one}) == list{ids[0], ids[1], later});
        CHECK(list_ids(w, {.headers = both, .most = 1}) == list{ids[0]});
        CHECK(list_ids(w, {.states = job_state::ready, .headers = one}) == list{ids[0], ids[1]});
        CHECK(list_ids(w, {.headers = other}) == list{ids[2]});
        auto p = w.worker({lane});
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "disk 100% full"});
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "no route"});
        CHECK(list_ids(w, {.reason = "100% f"}) == list{ids[0]});
        CHECK(list_ids(w, {.states = job_state::held}) == list{ids[0], ids[1]});
        CHECK(list_all(w, {.reason = "DISK"}).empty());
        const auto at = list_all(w, {})[4].enqueued_at;
        CHECK(list_ids(w, {.after = ids[3], .enqueued_since = at}) == list{later});
        CHECK(list_all(w, {.enqueued_since = at + 1h}).empty());
        CHECK(list_all(w, {.enqueued_before = at - 1h}).empty());
        CHECK(list_all(w, {.enqueued_before = at + 1h}).size() == 5);
    }
    SECTION("a job that moves between two pages is on one of them") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto ids = w.enqueue(lane, {"0", "1", "2", "3", "4", "5"});
        auto p = w.worker({lane});
        const auto first = must(w.client().list_jobs({.most = 3}));
        const auto got = p.claim(4);
        const auto second = must(w.client().list_jobs({.after = first.next.value(), .most = 2}));
        (void)must(p.session.retire(p.worker));
        const auto third = must(w.client().list_jobs({.after = second.next.value(), .most = 3}));
        std::vector<job_id> seen;
        for (const auto* page : {&first, &second, &third})
            for (const auto& j : page->jobs) seen.push_back(j.id);
        CHECK(seen == ids);
        CHECK(second.jobs[0].state == job_state::leased);
    }
}

template <class Driver, class Make>
void check_listed_workers(Make make) {
    SECTION("workers are listed with what they have") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b", "c"});
        auto busy = w.worker({lane}, 10min), idle = w.worker({lane}, 1ms);
        const auto got = busy.claim(3);
        const std::string mask = mask_of({1});
        (void)busy.progress({.ref = got.leases[0].ref, .mask = mask});
        REQUIRE(w.eventually([&] {
            const auto all = must(w.client().list_workers({}, 10));
            return std::count_if(all.begin(), all.end(), [](const listed_worker& e) { return e.alive; }) == 1;
        }));
        const auto all = must(w.client().list_workers({}, 10));
        REQUIRE(all.size() == 2);
        CHECK(all[0].id < all[1].id);
        for (const listed_worker& e : all) {
            CHECK(e.host == "here");
            CHECK(e.pid == 7);
            CHECK(e.version == "0");
            CHECK(e.lanes == std::vector{lane});
            CHECK_FALSE(e.prefix.has_value());
            CHECK(e.heartbeat_at >= e.started_at);
            CHECK(e.alive == (e.id == busy.worker));
            CHECK(e.running == (e.id == busy.worker ? 2 : 0));
            CHECK(e.lease_time == (e.id == busy.worker ? duration{10min} : duration{1ms}));
        }
        CHECK(must(w.client().list_workers(all[0].id, 10)).size() == 1);
        CHECK(must(w.client().list_workers({}, 1)).size() == 1);
    }
    SECTION("held jobs are grouped by lane and by the first line of their reasons") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane(), other = w.lane("other");
        const auto ids = w.enqueue(lane, {"1", "2", "3"}), more = w.enqueue(other, {"4"});
        auto p = w.worker({lane}), q = w.worker({other});
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "refused\nline 7"});
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "refused\r\nline 8"});
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "full"});
        (void)q.settle(q.claim(1), {.kind = settle_kind::hold, .reason = "refused"});
        const auto groups = must(w.client().failed_groups(std::nullopt, 100));
        REQUIRE(groups.size() == 3);
        CHECK(groups[0].lane == lane);
        CHECK(groups[0].reason == "refused");
        CHECK(groups[0].count == capped_count{2, false});
        CHECK(groups[0].example == ids[1]);
        CHECK(groups[1].reason == "full");
        CHECK(groups[2].lane == other);
        CHECK(groups[2].example == more[0]);
        CHECK(groups[2].latest >= groups[0].latest);
        const auto capped = must(w.client().failed_groups(std::span{&lane, 1}, 2));
        REQUIRE(capped.size() == 2);
        CHECK(capped[0].count == capped_count{1, true});
        CHECK(must(w.client().failed_groups(std::span<const lane_id>{}, 2)).empty());
    }
}

}  // namespace pgq::laws
