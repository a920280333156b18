#pragma once

#include <pgq/job/filter.hpp>
#include <pgq/testing/laws/driver/take.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Laws of filters, for takes and for claims.
namespace pgq::laws {

namespace detail {

struct filter_case {
    filter what;
    strings passes;
};

/// The body of each job is the value of its header `x`; "none" has no such header.
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
    SECTION("a filter matches the jobs that it should, for any header value, and never fails") {
        driver_fixture<Driver> w{make()};
        const auto lane = w.lane();
        const strings values{"1",    "1.0",   "01",  "-2",  "1e1",  "abc",      "ABC", "",
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
    SECTION("a filtered take returns the first jobs that match, and leaves the others") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        const std::array<header, 1> good{{{"x", "good"}}}, bad{{{"x", "bad"}}};
        w.enqueue(a, {"bad"}, {.priority = 9, .headers = bad});
        w.enqueue(a, {"1", "2"}, {.headers = good});
        w.enqueue(b, {"0"}, {.priority = 1, .headers = good});
        const auto ids = w.enqueue(b, {"3", "4"});
        const filter is_good = header_of("x").like("go%");
        CHECK(bodies_of(take(w.client(), {a, b}, 2, &is_good)) == strings{"0", "1"});
        const filter by_id = id_in(ids) && !id_in({ids[0]});
        CHECK(bodies_of(take(w.client(), {a, b}, 9, &by_id)) == strings{"4"});
        CHECK(bodies_of(take(w.client(), {a, b}, 9)) == strings{"bad", "2", "3"});
    }
    SECTION("an invalid filter is an error") {
        driver_fixture<Driver> w{make()};
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
void check_filtered_claims(Make make) {
    SECTION("a filtered claim gives a lease for each matching job, in order across lanes") {
        driver_fixture<Driver> w{make()};
        const auto a = w.lane("a"), b = w.lane("b");
        const std::array<header, 1> good{{{"x", "good"}}};
        w.enqueue(a, {"1", "2"});
        w.enqueue(b, {"0"}, {.priority = 1});
        w.enqueue(b, {"3"}, {.headers = good});
        auto p = w.worker({a, b});
        const auto claim = [&](std::uint32_t limit, const filter& what, const std::vector<claim_lane>& lanes) {
            sync_reply reply;
            must(p.session.sync({.worker = p.worker, .lanes = lanes, .limit = limit, .claim_filter = &what}, reply));
            CHECK(reply.leases.size() == reply.claimed());
            return reply;
        };
        const auto chosen = claim(5, header_of("x") == "good", p.lanes);
        CHECK(bodies_of(chosen) == strings{"3"});
        CHECK(in_order(chosen).at(0).headers.size() == 1);
        CHECK(bodies_of(claim(2, {}, p.lanes)) == strings{"0", "1"});
        CHECK(claim(5, header_of("x") == "good", {p.lanes[0]}).leases.empty());
        const auto last = claim(5, {}, {p.lanes[0]});
        REQUIRE(bodies_of(last) == strings{"2"});
        CHECK(in_order(last)[0].attempt == 1);
        CHECK(p.settle(last, {.kind = settle_kind::release}).lost.empty());
        CHECK(w.counts(a) == lane_counts{.ready = 1, .leased = 1});
        CHECK(p.finish(chosen).lost.empty());
        must(p.session.retire(p.worker));
        CHECK(w.counts(a) == lane_counts{.ready = 2});
        CHECK(w.counts(b) == lane_counts{.ready = 1});
    }
}

}  // namespace pgq::laws
