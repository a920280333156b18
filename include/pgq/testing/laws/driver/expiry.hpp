#pragma once

#include <pgq/testing/laws/driver/take.hpp>
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
        const auto id = t.add("a", {.expires_at = in(200ms), .keep_outcome = 1h}).id;
        const auto got = t.claim("a");
        t.pass(200ms);
        (void)t.end(got, {.kind = settle_kind::retry});
        CHECK(t.expire_and_purge().expired == 0);
        t.run("a");
        CHECK(t.end_of(id) == 'd');
        t.add("b", {.expires_at = in(1h), .keep_outcome = 1h});
        t.run("b", {.kind = settle_kind::retry});
        const auto again = t.claim("b");
        for (const duration left : again.leases[0].expires_in) CHECK(left == never_expires);
    }
    SECTION("a claim reports how long until a job expires, or does not return the job") {
        fixture t{make()};
        const auto expired = t.add("expired", late).id;
        t.add("soon", {.expires_at = in(1h), .keep_outcome = 1h});
        t.add("plain");
        const auto got = t.p.claim(9);
        for (const auto& l : got.leases) {
            REQUIRE(l.expires_in.size() == l.jobs.size());
            for (const auto& j : l.jobs) {
                const duration left = l.expires_in[j.index];
                if (j.body == "expired") CHECK(left == duration{});
                else if (j.body == "plain") CHECK(left == never_expires);
                else CHECK((left > 59min && left <= 1h));
            }
        }
        if (got.claimed() == 2) CHECK(t.end_of(expired) == 'e');
        const auto plain = t.add("plain 2");
        CHECK(t.p.claim(1).leases.at(0).expires_in.empty());
        CHECK(t.end_of(plain) == '-');
    }
    SECTION("a job that its worker found expired before it began ends as expired, or is held") {
        for (const auto if_expired : {on_expiry::drop, on_expiry::hold}) {
            fixture t{make()};
            const auto id = t.add("a", {.expires_at = in(200ms), .if_expired = if_expired, .keep_outcome = 1h}).id;
            const auto got = t.claim("a");
            REQUIRE(got.leases[0].expires_in.size() == 1);
            t.pass(200ms);
            (void)t.end(got, {.kind = settle_kind::expire, .reason = "it expired"});
            CHECK(t.end_of(id) == (if_expired == on_expiry::hold ? 'h' : 'e'));
            CHECK(t.ended(id)->reason == "it expired");
            CHECK(t.ended(id)->attempts == 0);
            CHECK(t.w.held(t.lane).size() == (if_expired == on_expiry::hold ? 1 : 0));
            CHECK(must(t.w.client().failures(id)).empty());
        }
    }
    SECTION("a job that its worker calls expired too early goes back, and its attempt does not count") {
        fixture t{make()};
        const auto id = t.add("a", {.expires_at = in(1h), .keep_outcome = 1h}).id;
        (void)t.end(t.claim("a"), {.kind = settle_kind::expire, .reason = "it expired"});
        CHECK(in_order(t.claim("a")).at(0).attempt == 1);
        CHECK(t.end_of(id) == '-');
    }
    SECTION("a leased job that had not begun expires when it comes back, and one that had does not") {
        fixture t{make()};
        const auto taken = [&](const std::vector<lane_id>& lanes, std::uint32_t limit) {
            return bodies_of(take(t.w.client(), lanes, limit));
        };
        const auto not_begun = t.add("not begun", {.expires_at = in(200ms), .keep_outcome = 1h}).id;
        const auto begun = t.add("begun", {.expires_at = in(200ms), .keep_outcome = 1h}).id;
        const auto first = t.claim("not begun"), second = t.claim("begun");
        t.pass(200ms);
        (void)t.end(first, {.kind = settle_kind::release});
        (void)t.end(second, {.kind = settle_kind::retry});
        CHECK(taken({t.lane}, 9) == strings{"begun"});
        (void)t.expire_and_purge();
        (void)t.expire_and_purge();
        CHECK(t.end_of(not_begun) == 'e');
        CHECK(t.end_of(begun) == 'd');
    }
    SECTION("take never returns a job that has expired") {
        fixture t{make()};
        const auto taken = [&](const std::vector<lane_id>& lanes, std::uint32_t limit) {
            return bodies_of(take(t.w.client(), lanes, limit));
        };
        const auto other = t.w.lane("other");
        const auto ids = t.add({{"expired", late}, {"good", {.keep_outcome = 1h}}, {"expired too", late, other}});
        CHECK(taken({t.lane}, 1) == strings{"good"});
        CHECK(taken({t.lane}, 1).empty());
        t.w.enqueue(other, {"also good"});
        CHECK(taken({t.lane, other}, 5) == strings{"also good"});
        (void)t.expire_and_purge();
        CHECK(t.end_of(ids[0].id) == 'e');
        CHECK(t.end_of(ids[2].id) == 'e');
    }
    SECTION("a claim by filter never returns a job that has expired") {
        fixture t{make()};
        t.add({{"expired", late}, {"good", {.keep_outcome = 1h}}});
        const filter everything;
        sync_reply got;
        must(
            t.p.session.sync({.worker = t.p.worker, .lanes = t.p.lanes, .limit = 5, .claim_filter = &everything}, got));
        CHECK(bodies_of(got) == strings{"good"});
    }
    SECTION("peek_next_due returns the time until the next job expires, if no deferred job is due before") {
        fixture t{make()};
        const auto due = [&] { return t.p.sync({.peek_next_due = true}).next_due; };
        t.add("a", {.expires_at = in(2h), .keep_outcome = 1h});
        REQUIRE(due().has_value());
        CHECK(*due() > 118min);
        CHECK(*due() <= 2h);
        t.w.enqueue(t.lane, {"deferred"}, {.run_at = in(1h)});
        CHECK(due().value() <= 1h);
        t.add("b", {.run_at = in(3h), .expires_at = in(30min), .keep_outcome = 1h});
        CHECK(due().value() <= 30min);
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
