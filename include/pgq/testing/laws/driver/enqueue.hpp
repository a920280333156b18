#pragma once

#include <pgq/testing/laws/driver/fixture.hpp>
#include <pgq/testing/laws/driver/tracked_fixture.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Laws of enqueues: payloads read back byte for byte, and a call stores all its jobs or none.
namespace pgq::laws {

template <class Driver, class Make>
void check_ids(Make make) {
    SECTION("ids ascend in input order, and the worker sees the same ids") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        std::vector<job_id> all;
        for (const auto lane : {a, b, a})
            for (const auto id : w.enqueue(lane, {"1", "2", "3"})) all.push_back(id);
        CHECK(std::is_sorted(all.begin(), all.end()));
        CHECK(std::set<job_id>(all.begin(), all.end()).size() == 9);
        auto p = w.worker({a, b});
        CHECK(ids_of(p.claim(10)) == all);
    }
    SECTION("the input order decides the ids, not the order of execution") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto ids = w.enqueue_each(lane, {"low", "late", "high"}, {{}, {.run_at = in(1h)}, {.priority = 3}});
        CHECK(std::is_sorted(ids.begin(), ids.end()));
        auto p = w.worker({lane});
        CHECK(ids_of(p.claim(10)) == std::vector{ids[2], ids[0]});
    }
    SECTION("enqueueing no jobs is no error") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        CHECK(w.enqueue(lane, {}).empty());
        CHECK(w.counts(lane) == lane_counts{});
    }
    SECTION("another session can claim a job as soon as enqueue returns") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        auto p = w.worker({lane});
        for (int i = 0; i < 50; ++i) {
            const auto ids = w.enqueue(lane, {"x"});
            const auto got = p.claim(1);
            REQUIRE(ids_of(got) == ids);
            REQUIRE(p.finish(got).lost.empty());
        }
    }
}

template <class Driver, class Make>
void check_bodies(Make make) {
    SECTION("a payload may be empty and may contain any bytes") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        std::string every;
        for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
        const strings texts{"",        every, std::string(3, '\0'), "\\x41", "\xff\xfe", "", "{\"a\":\"'\"}",
                            "\\000\\", "NULL"};
        w.enqueue(lane, texts);
        auto p = w.worker({lane});
        CHECK(bodies_of(p.claim(20)) == texts);
    }
    SECTION("a payload of a megabyte reads back, also after a delay and a retry") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        std::string big(std::size_t{1} << 20, '\0');
        for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 + i / 251);
        w.enqueue_each(lane, {"small", big}, {{}, {.run_at = in(20ms)}});
        auto p = w.worker({lane});
        CHECK(bodies_of(p.claim(1)) == strings{"small"});
        const auto got = p.claim_when_due(1);
        CHECK((bodies_of(got) == strings{big}));
        (void)p.settle(got, {.kind = settle_kind::retry});
        CHECK((bodies_of(p.claim(1)) == strings{big}));
    }
}

template <class Driver, class Make>
void check_headers(Make make) {
    const auto same = [](const job_record& j, const std::vector<header>& wanted) {
        return std::is_permutation(j.headers.begin(), j.headers.end(), wanted.begin(), wanted.end());
    };
    const std::vector<header> some{
        {"traceparent", "00-ab-01"}, {"a", ""}, {"", "no name"}, {"q'\"\\ {}", "line\nbreak \u00e4\u20ac\U0001f600"}};
    SECTION("each job has its own headers, or none") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        w.enqueue_each(lane, {"none", "some", "none too"}, {{}, {.headers = some}, {}});
        w.enqueue(lane, {"all", "all too"}, {.headers = some});
        auto p = w.worker({lane});
        const auto got = p.claim(10);
        const auto jobs = in_order(got);
        REQUIRE(jobs.size() == 5);
        CHECK(jobs[0].headers.empty());
        CHECK(same(jobs[1], some));
        CHECK(jobs[2].headers.empty());
        CHECK(same(jobs[3], some));
        CHECK(same(jobs[4], some));
    }
    SECTION("two headers with one name make the whole call fail") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const std::vector<header> odd{{"z", "1"}, {"a", "2"}, {"z", "3"}};
        const bodies b = driver_fixture<Driver>::packed({"x"});
        const enqueue_options o{.headers = odd};
        std::vector<job_id> ids;
        const auto answer = w.client().enqueue({lane, &b, std::span{&o, 1}}, ids);
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error() == errc::invalid_option);
        CHECK(w.counts(lane).ready == 0);
    }
    SECTION("headers stay after a delay, a retry, a hold and a requeue") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const auto ids = w.enqueue(lane, {"x"}, {.run_at = in(1ms), .headers = some});
        auto p = w.worker({lane});
        (void)p.settle(p.claim_when_due(1), {.kind = settle_kind::retry, .delay = 1ms});
        (void)p.settle(p.claim_when_due(1), {.kind = settle_kind::hold, .reason = "why"});
        CHECK(must(w.client().requeue(ids)) == 1);
        const auto got = p.claim(1);
        CHECK(same(in_order(got).at(0), some));
    }
    SECTION("a header that cannot be stored makes the whole call fail, and nothing is enqueued") {
        for (const auto bad :
             {std::string_view{"zero\0byte", 9}, std::string_view{"\xc3\x28"}, std::string_view{"\xff"}}) {
            driver_fixture<Driver> w{make()};
            const auto lane = w.lane();
            const bodies b = driver_fixture<Driver>::packed({"good", "bad"});
            for (const auto& h : {header{"name", bad}, header{bad, "value"}}) {
                const enqueue_options options[]{{}, {.headers = std::span{&h, 1}}};
                std::vector<job_id> ids;
                const auto answer = w.client().enqueue({.lane = lane, .bodies = &b, .options = options}, ids);
                REQUIRE_FALSE(answer.has_value());
                CHECK(answer.error() == errc::invalid_text);
            }
            CHECK(w.counts(lane) == lane_counts{});
            CHECK(w.enqueue(lane, {"the session is as good as before"}).size() == 1);
        }
    }
}

/// `enqueue_options::at_most`.
template <class Driver, class Make>
void check_full_lanes(Make make) {
    SECTION("a call after which a lane would have more open jobs than at_most stores nothing") {
        tracked_fixture<Driver> t{make()};
        const auto other = t.w.lane("other");
        t.w.enqueue(t.lane, {"leased", "ready"});
        t.w.enqueue(t.lane, {"deferred"}, {.run_at = in(1h)});
        const auto got = t.claim("leased");
        const auto is_refused = [&](const std::vector<typename tracked_fixture<Driver>::item>& items) {
            const auto answer = t.try_add(items);
            return !answer && answer.error() == errc::lane_full;
        };
        CHECK(is_refused({{"a", {.at_most = 3}}}));
        CHECK(is_refused({{"a", {.at_most = 4}}, {"b", {.at_most = 4}}}));
        CHECK(is_refused({{"a", {}, other}, {"b", {.at_most = 3}}}));
        CHECK(is_refused({{"a", {.at_most = 5}}, {"b", {.at_most = 4}}}));  // the smallest of the lane counts
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1, .deferred = 1, .leased = 1});
        CHECK(t.w.counts(other) == lane_counts{});
        (void)t.add({{"a", {.at_most = 1}, other}, {"b", {.at_most = 4}}});
        CHECK(is_refused({{"c", {.at_most = 4}}}));
        (void)t.end(got, {.kind = settle_kind::hold, .reason = "a held job is not open"});
        (void)t.add("c", {.at_most = 4});
        CHECK(is_refused({{"d", {.at_most = 4}}}));
        (void)t.add("d", {.at_most = 5});
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 4, .deferred = 1, .held = 1});
    }
}

template <class Driver, class Make>
void check_names(Make make) {
    SECTION("names may contain any text: quotes, SQL, blanks, any script, 255 bytes") {
        driver_fixture<Driver> w{make()};
        const strings names{"'",
                            "\"",
                            "\\",
                            "a b",
                            "'; DROP SCHEMA public CASCADE; --",
                            "%s$1{}",
                            "A",
                            "a",
                            "\u00fc\u4e2d\U0001f600",
                            std::string(255, 'n'),
                            std::string(254, 'n') + "m"};
        std::set<lane_id> distinct;
        for (const auto& queue : names) {
            std::vector<lane_name> wanted;
            for (const auto& name : names) wanted.push_back({.entrypoint = name});
            const auto lanes = must(w.client().lanes(queue, wanted));
            REQUIRE(lanes.size() == names.size());
            distinct.insert(lanes.begin(), lanes.end());
            CHECK(must(w.client().lanes(queue, wanted)) == lanes);
        }
        CHECK(distinct.size() == names.size() * names.size());
        for (const auto lane : distinct) w.enqueue(lane, {std::to_string(lane.value)});
        for (const auto lane : distinct) {
            auto p = w.worker({lane});
            CHECK(bodies_of(p.claim(2)) == strings{std::to_string(lane.value)});
        }
    }
    SECTION("all sessions get the same id for a lane") {
        driver_fixture<Driver> w{make()};
        auto other = w.connect(session_role::worker);
        const lane_name names[]{{.entrypoint = "b"}, {.entrypoint = "a"}, {.entrypoint = "b"}};
        const auto mine = must(w.client().lanes("q", names));
        CHECK(must(other.lanes("q", names)) == mine);
        REQUIRE(mine.size() == 3);
        CHECK(mine[0] == mine[2]);
        CHECK(mine[0] != mine[1]);
    }
    SECTION("the versions of an entrypoint are different lanes") {
        driver_fixture<Driver> w{make()};
        const lane_name names[]{
            {.entrypoint = "a"}, {.entrypoint = "a", .version = "2"}, {.entrypoint = "a", .version = "3"}};
        const auto lanes = must(w.client().lanes("q", names));
        CHECK(std::set<lane_id>(lanes.begin(), lanes.end()).size() == 3);
        CHECK(must(w.client().lanes("q", names)) == lanes);
        w.enqueue(lanes[1], {"of the second"});
        CHECK(bodies_of(w.worker({lanes[0], lanes[2]}).claim(5)).empty());
        CHECK(bodies_of(w.worker({lanes[1]}).claim(5)) == strings{"of the second"});
    }
    SECTION("queue and entrypoint are separate parts of a name") {
        driver_fixture<Driver> w{make()};
        CHECK(w.lane("ab", "c") != w.lane("a", "bc"));
        CHECK(w.lane("x", "y") != w.lane("y", "x"));
    }
}

}  // namespace pgq::laws
