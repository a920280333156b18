#pragma once

#include <pgq/job/filter.hpp>
#include <pgq/job/take.hpp>
#include <pgq/testing/laws/driver/world.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

/// Laws of taking jobs for good, of filters, and of transactions.
namespace pgq::laws {

template <class Session>
std::vector<taken_record> take(Session& s, const std::vector<lane_id>& lanes, std::uint32_t limit = 1,
                               const filter* where = nullptr) {
    take_reply reply;
    must(s.take({.lanes = lanes, .limit = limit, .where = where}, reply));
    return std::move(reply.jobs);
}
inline words bodies_of(const std::vector<taken_record>& jobs) {
    words out;
    for (const auto& j : jobs) out.push_back(j.body);
    return out;
}

template <class Driver, class Make>
void check_take(Make make) {
    SECTION("what is taken comes best first and is gone, with everything that was said about it") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        const std::array<header, 2> headers{{{"a", "1"}, {"\xC3\xA4 \"'", ""}}};
        const auto ids = w.enqueue_each(lane, {"plain", "best", "later"},
                                        {{}, {.priority = 5, .headers = headers}, {.priority = -5}});
        const auto got = take(w.client(), {lane}, 2);
        REQUIRE(bodies_of(got) == words{"best", "plain"});
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
        CHECK(bodies_of(take(w.client(), {lane}, 10)) == words{"later"});
        CHECK(take(w.client(), {lane}, 10).empty());
    }
    SECTION("of several lanes the best over all are taken, and of other lanes nothing") {
        driver_world<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b"), other = w.lane("other");
        w.enqueue(other, {"not this"}, {.priority = 9});
        w.enqueue(a, {"1"});
        w.enqueue(b, {"2", "3"});
        w.enqueue(a, {"4"});
        w.enqueue(b, {"0"}, {.priority = 1});
        CHECK(bodies_of(take(w.client(), {a, b}, 3)) == words{"0", "1", "2"});
        CHECK(bodies_of(take(w.client(), {a, b}, 3)) == words{"3", "4"});
        CHECK(w.counts(other).ready == 1);
    }
    SECTION("any bytes and empty bodies come as they were given") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        const std::string zeros{"\0\xff\0", 3};
        w.enqueue(lane, {"", zeros});
        CHECK(bodies_of(take(w.client(), {lane}, 2)) == words{"", zeros});
    }
    SECTION("what is due is promoted before, and the next due job is told") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"now"});
        w.enqueue(lane, {"soon"}, {.priority = 1, .run_at = in(20ms)});
        w.enqueue(lane, {"tomorrow"}, {.run_at = in(24h)});
        take_reply reply;
        REQUIRE(w.eventually([&] {
            must(w.client().take({.lanes = {&lane, 1}, .limit = 0, .look_ahead = true}, reply));
            return reply.next_due > 23h;
        }));
        CHECK(reply.jobs.empty());
        CHECK(bodies_of(take(w.client(), {lane}, 5)) == words{"soon", "now"});
        must(w.client().take({.lanes = {&lane, 1}, .look_ahead = true}, reply));
        CHECK(reply.jobs.empty());
        CHECK((reply.next_due > 23h && reply.next_due <= 24h));
    }
    SECTION("a take brings what it has promoted itself") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"soon"}, {.run_at = in(20ms)});
        words got;
        REQUIRE(w.eventually([&] { return !(got = bodies_of(take(w.client(), {lane}, 5))).empty(); }));
        CHECK(got == words{"soon"});
    }
    SECTION("nothing deferred: nothing is told") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        take_reply reply;
        must(w.client().take({.lanes = {&lane, 1}, .look_ahead = true}, reply));
        CHECK_FALSE(reply.next_due.has_value());
    }
    SECTION("an attempt before it is counted") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"x"});
        auto p = w.worker({lane});
        (void)p.settle(p.claim(1), {.kind = settle_kind::retry});
        CHECK(take(w.client(), {lane}).at(0).attempts == 1);
    }
    SECTION("what is kept is held as it was taken, and once however often it is said") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        const std::array<header, 1> headers{{{"a", "1"}}};
        const auto ids = w.enqueue(lane, {"x"}, {.priority = 3, .headers = headers});
        const auto got = take(w.client(), {lane});
        must(w.client().keep(got.at(0), "no good"));
        must(w.client().keep(got.at(0), "no good"));
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

namespace detail {

struct filter_case {
    filter what;
    words passes;
};

/// Each job is called what its header `x` is.
inline std::vector<filter_case> filter_cases() {
    const auto x = header_of("x");
    return {
        {{},
         {"1", "1.0", "01", "-2", "1e1", "abc", "ABC", "", "true", "false", "a%b", "a_b", "a\\b", "\xC3\xA4", "none"}},
        {!filter{}, {}},
        {x == 1, {"1", "1.0", "01"}},
        {x != 1, {"-2", "1e1"}},
        {x < 1, {"-2"}},
        {x <= 1, {"1", "1.0", "01", "-2"}},
        {x > 1.5, {"1e1"}},
        {x >= std::int64_t{10}, {"1e1"}},
        {x == 1.0, {"1", "1.0", "01"}},
        {x > 1e300 * 1e300, {}},
        {x == "1", {"1"}},
        {x == std::string{"abc"}, {"abc"}},
        {x != "abc", {"1", "1.0", "01", "-2", "1e1", "ABC", "", "true", "false", "a%b", "a_b", "a\\b", "\xC3\xA4"}},
        {x > "a", {"abc", "true", "false", "a%b", "a_b", "a\\b", "\xC3\xA4"}},
        {x < "A", {"1", "1.0", "01", "-2", "1e1", ""}},
        {x == "", {""}},
        {x == true, {"true"}},
        {x != true, {"false"}},
        {x < true, {"false"}},
        {x.like("ab%"), {"abc"}},
        {x.like("%"),
         {"1", "1.0", "01", "-2", "1e1", "abc", "ABC", "", "true", "false", "a%b", "a_b", "a\\b", "\xC3\xA4"}},
        {x.like("_"), {"1", "\xC3\xA4"}},
        {x.like("a_b"), {"a%b", "a_b", "a\\b"}},
        {x.like("a\\%b"), {"a%b"}},
        {x.like("a\\_b"), {"a_b"}},
        {x.like("a\\\\b"), {"a\\b"}},
        {x.like("%\\"), {}},
        {x.like("%b%c"), {"abc"}},
        {x.like(""), {""}},
        {x.not_like("%b%"), {"1", "1.0", "01", "-2", "1e1", "ABC", "", "true", "false", "\xC3\xA4"}},
        {x.exists() && x.like("A%"), {"ABC"}},
        {x.does_not_exist(), {"none"}},
        {!(x == "abc") && !(x < 100) && x != "", {"ABC", "true", "false", "a%b", "a_b", "a\\b", "\xC3\xA4"}},
        {x.in({"abc", "true", "nothing"}), {"abc", "true"}},
        {x.in({1, 10}), {"1", "1.0", "01", "1e1"}},
        {x.in(std::span<const int>{}), {}},
        {x == "'; DROP TABLE ready; --", {}},
        {header_of("'; DROP TABLE ready; --").does_not_exist() && x == "abc", {"abc"}},
        {header_of("o'dd \"\xC3\xA4 $1 {s}") == "'\"\\", {"true"}},
        {header_of("o'dd \"\xC3\xA4 $1 {s}").exists() || x == -2, {"-2", "true"}},
        {header_of("big") == std::int64_t{9007199254740993}, {"abc"}},
        {header_of("big") > 9007199254740992.0, {"abc"}},
        {header_of("long") == 1, {}},
        {header_of("long").exists(), {"abc"}},
    };
}

}  // namespace detail

template <class Driver, class Make>
void check_filters(Make make) {
    SECTION("a filter lets the same jobs pass whatever their headers hold, and fails with none") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        const words values{"1",    "1.0",   "01",  "-2",  "1e1",  "abc",      "ABC", "",
                           "true", "false", "a%b", "a_b", "a\\b", "\xC3\xA4", "none"};
        const std::string digits(5000, '1');
        std::vector<std::vector<header>> headers;
        std::vector<enqueue_options> options;
        for (const auto& v : values) {
            auto& mine = headers.emplace_back();
            if (v != "none") mine.push_back({"x", v});
            if (v == "true") mine.push_back({"o'dd \"\xC3\xA4 $1 {s}", "'\"\\"});
            if (v == "abc") mine.push_back({"big", "9007199254740993"}), mine.push_back({"long", digits});
            if (v == "ABC") mine.push_back({"big", "1e999999"});
        }
        for (const auto& mine : headers) options.push_back({.headers = mine});
        w.enqueue_each(lane, values, options);
        must(w.client().begin());
        std::size_t number = 0;
        for (const auto& [what, passes] : detail::filter_cases()) {
            INFO("case " << number++);
            must(w.client().savepoint());
            CHECK(bodies_of(take(w.client(), {lane}, 100, &what)) == passes);
            must(w.client().rollback_to_savepoint());
        }
        must(w.client().rollback());
        CHECK(take(w.client(), {lane}, 100).size() == values.size());
    }
    SECTION("a filtered take brings the best that pass, and leaves the others") {
        driver_world<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        const std::array<header, 1> good{{{"x", "good"}}}, bad{{{"x", "bad"}}};
        w.enqueue(a, {"bad"}, {.priority = 9, .headers = bad});
        w.enqueue(a, {"1", "2"}, {.headers = good});
        w.enqueue(b, {"0"}, {.priority = 1, .headers = good});
        const auto ids = w.enqueue(b, {"3", "4"});
        const filter is_good = header_of("x").like("go%");
        CHECK(bodies_of(take(w.client(), {a, b}, 2, &is_good)) == words{"0", "1"});
        const filter by_id = id_in(ids) && !id_in({ids[0]});
        CHECK(bodies_of(take(w.client(), {a, b}, 9, &by_id)) == words{"4"});
        CHECK(bodies_of(take(w.client(), {a, b}, 9)) == words{"bad", "2", "3"});
    }
    SECTION("a filter that no header can pass is refused") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        take_reply reply;
        filter deep = header_of("x") == 1;
        for (int i = 0; i < 200; ++i) deep = !deep;
        const std::array<std::pair<filter, errc>, 3> bad{
            {{header_of("x") == std::string_view{"\0", 1}, errc::invalid_text},
             {header_of("\xff").exists(), errc::invalid_text},
             {deep, errc::invalid_option}}};
        for (const auto& [what, why] : bad) {
            const auto answer = w.client().take({.lanes = {&lane, 1}, .where = &what}, reply);
            REQUIRE_FALSE(answer.has_value());
            CHECK(answer.error() == why);
        }
        filter wide;
        for (int i = 0; i < 1000; ++i) wide = i == 0 ? header_of("x") == i : wide || header_of("x") == i;
        CHECK(take(w.client(), {lane}, 1, &wide).empty());
    }
}

template <class Driver, class Make>
void check_claims_apart(Make make) {
    SECTION("jobs claimed apart have a lease each, best first over the lanes, and a filter chooses among them") {
        driver_world<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        const std::array<header, 1> good{{{"x", "good"}}};
        w.enqueue(a, {"1", "2"});
        w.enqueue(b, {"0"}, {.priority = 1});
        w.enqueue(b, {"3"}, {.headers = good});
        auto p = w.worker({a, b});
        const auto claim = [&](std::uint32_t limit, const filter& what, const std::vector<claim_lane>& lanes) {
            exchange_reply reply;
            must(p.session.exchange({.worker = p.worker, .lanes = lanes, .limit = limit, .apart = &what}, reply));
            CHECK(reply.leases.size() == reply.claimed());
            return reply;
        };
        const auto chosen = claim(5, header_of("x") == "good", p.lanes);
        CHECK(bodies_of(chosen) == words{"3"});
        CHECK(in_order(chosen).at(0).headers.size() == 1);
        CHECK(bodies_of(claim(2, {}, p.lanes)) == words{"0", "1"});
        CHECK(claim(5, header_of("x") == "good", {p.lanes[0]}).leases.empty());
        const auto last = claim(5, {}, {p.lanes[0]});
        REQUIRE(bodies_of(last) == words{"2"});
        CHECK(in_order(last)[0].attempt == 1);
        CHECK(p.settle(last, {.kind = settle_kind::release}).lost.empty());
        CHECK(w.counts(a) == lane_counts{.ready = 1, .leased = 1});
        CHECK(p.finish(chosen).lost.empty());
        must(p.session.retire(p.worker));
        CHECK(w.counts(a) == lane_counts{.ready = 2});
        CHECK(w.counts(b) == lane_counts{.ready = 1});
    }
}

template <class Driver, class Make>
void check_transactions(Make make) {
    SECTION("two who take at once never get the same job, and together they get all") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, words(200, "x"));
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
    SECTION("nobody sees what a transaction enqueues, or gets what it took, before it ends") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b"});
        auto mine = w.connect(session_role::client);
        must(mine.begin());
        CHECK(bodies_of(take(mine, {lane})) == words{"a"});
        std::vector<job_id> ids;
        const bodies b = driver_world<Driver>::packed({"new"});
        const enqueue_options plain{};
        must(mine.enqueue({.lane = lane, .bodies = &b, .options = {&plain, 1}}, ids));
        CHECK(ids.size() == 1);
        CHECK(bodies_of(take(w.client(), {lane}, 5)) == words{"b"});
        SECTION("committed, both are done") {
            must(mine.commit());
            const auto got = take(w.client(), {lane}, 5);
            CHECK(bodies_of(got) == words{"new"});
            CHECK(got.at(0).id == ids[0]);
        }
        SECTION("rolled back, neither is") {
            must(mine.rollback());
            CHECK(bodies_of(take(w.client(), {lane}, 5)) == words{"a"});
        }
        SECTION("its session gone, neither is") {
            [](auto) {}(std::move(mine));
            words back;
            REQUIRE(w.eventually([&] { return !(back = bodies_of(take(w.client(), {lane}, 5))).empty(); }));
            CHECK(back == words{"a"});
        }
    }
    SECTION("a savepoint takes back what followed it and nothing else") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a", "b", "c"});
        auto mine = w.connect(session_role::client);
        const auto put = [&](const words& texts) {
            std::vector<job_id> ids;
            const bodies b = driver_world<Driver>::packed(texts);
            const enqueue_options urgent{.priority = 1};
            must(mine.enqueue({.lane = lane, .bodies = &b, .options = {&urgent, 1}}, ids));
        };
        must(mine.begin());
        put({"own"});
        must(mine.savepoint());
        CHECK(bodies_of(take(mine, {lane}, 2)) == words{"own", "a"});
        put({"dropped"});
        must(mine.savepoint());
        CHECK(bodies_of(take(mine, {lane}, 2)) == words{"dropped", "b"});
        must(mine.release_savepoint());
        must(mine.rollback_to_savepoint());
        CHECK(bodies_of(take(mine, {lane}, 2)) == words{"own", "a"});
        must(mine.commit());
        CHECK(bodies_of(take(w.client(), {lane}, 5)) == words{"b", "c"});
    }
    SECTION("what is kept in a transaction is held with it, or comes back with it") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a"});
        auto mine = w.connect(session_role::client);
        for (const bool well : {false, true}) {
            must(mine.begin());
            must(mine.keep(take(mine, {lane}).at(0), "why"));
            must(well ? mine.commit() : mine.rollback());
            CHECK(w.counts(lane) == (well ? lane_counts{.held = 1} : lane_counts{.ready = 1}));
        }
    }
    SECTION("who sleeps is woken when a transaction ends: by what it enqueued, by what it gives back") {
        driver_world<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue(lane, {"a"});
        auto mine = w.connect(session_role::client);
        auto p = w.worker({lane});
        must(mine.begin());
        REQUIRE(take(mine, {lane}).size() == 1);
        std::vector<job_id> ids;
        const bodies b = driver_world<Driver>::packed({"new"});
        const enqueue_options plain{};
        must(mine.enqueue({.lane = lane, .bodies = &b, .options = {&plain, 1}}, ids));
        p.fall_asleep();
        CHECK_FALSE(p.is_woken(a_moment));
        must(GENERATE(true, false) ? mine.commit() : mine.rollback());
        CHECK(p.is_woken());
        CHECK(p.claim(5).claimed() == 1);
    }
    SECTION("one transaction at a time") {
        driver_world<Driver> w{make()};
        must(w.client().begin());
        CHECK_FALSE(w.client().begin().has_value());
        must(w.client().commit());
        must(w.client().begin());
        must(w.client().rollback());
    }
}

}  // namespace pgq::laws
