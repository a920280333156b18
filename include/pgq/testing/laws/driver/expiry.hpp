#pragma once

#include <pgq/testing/laws/driver/tracked_fixture.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

/// Laws of jobs that expire, and of outcomes and keys that are purged.
namespace pgq::laws {

template <class Driver, class Make>
void check_expiry(Make make) {
    using fixture = tracked_fixture<Driver>;
    const enqueue_options late{.expires_at = at(time_point{1s}), .keep_outcome = 1h};
    SECTION("a ready, delayed or blocked job that has expired never begins") {
        fixture t{make()};
        const auto parent = t.add("parent");
        auto delayed = late, blocked = late, not_yet = late;
        delayed.run_at = in(1h);
        blocked.after = std::span{&parent, 1};
        not_yet.expires_at = in(1h);
        const auto jobs = t.add({{"ready", late}, {"delayed", delayed}, {"blocked", blocked}, {"not yet", not_yet}});
        CHECK(t.expire_and_purge().expired == 3);
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(t.end_of(jobs[i].id) == 'e');
            CHECK(t.ended(jobs[i].id)->reason == "it expired");
        }
        CHECK(t.expire_and_purge().expired == 0);
        t.run("parent");
        CHECK(bodies_of(t.p.claim(9)) == strings{"not yet"});
        CHECK(t.w.counts(t.lane) == lane_counts{.leased = 1});
    }
    SECTION("an expired job is held if its option says so, and does not expire again after a requeue") {
        fixture t{make()};
        auto kept = late;
        kept.if_expired = on_expiry::hold;
        const auto id = t.add("a", kept).id;
        CHECK(t.expire_and_purge().expired == 1);
        CHECK(t.end_of(id) == 'h');
        REQUIRE(t.w.held(t.lane).size() == 1);
        CHECK(t.w.held(t.lane)[0].reason == "it expired");
        CHECK(t.w.held(t.lane)[0].body == "a");
        CHECK(t.expire_and_purge().expired == 0);
        CHECK(must(t.w.client().requeue(std::span{&id, 1})) == 1);
        CHECK(t.expire_and_purge().expired == 0);
        t.run("a");
        CHECK(t.end_of(id) == 'd');
    }
    SECTION("a running job does not expire, and neither do its retries") {
        fixture t{make()};
        const auto id = t.add("a", late).id;
        const auto got = t.claim("a");
        CHECK(t.expire_and_purge().expired == 0);
        (void)t.end(got, {.kind = settle_kind::retry});
        CHECK(t.expire_and_purge().expired == 0);
        t.run("a");
        CHECK(t.end_of(id) == 'd');
    }
    SECTION("a job expires at its expiry time") {
        fixture t{make()};
        const auto id = t.add("a", {.expires_at = in(1ms), .keep_outcome = 1h}).id;
        CHECK(t.w.eventually([&] { return t.expire_and_purge().expired == 1; }));
        CHECK(t.end_of(id) == 'e');
    }
    SECTION("expire_and_purge purges only outcomes and keys whose time has passed") {
        fixture t{make()};
        CHECK(t.expire_and_purge().purged == 0);
        const auto kept = t.add("kept", {.unique_key = unique{"long"}.during(1h), .keep_outcome = 1h}).id;
        t.run("kept");
        CHECK(t.expire_and_purge().purged == 0);
        const auto brief = t.add("brief", {.unique_key = unique{"short"}.during(1us), .keep_outcome = 1us}).id;
        t.run("brief");
        std::int64_t gone = 0;
        CHECK(t.w.eventually([&] { return (gone += t.expire_and_purge().purged) >= 2; }));
        CHECK(gone == 2);
        CHECK(t.end_of(brief) == '?');
        CHECK(t.end_of(kept) == 'd');
        CHECK_FALSE(t.add("again", {.unique_key = "long"}).is_new);
    }
}

}  // namespace pgq::laws
