#pragma once

#include <pgq/testing/laws/driver/tracked_fixture.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Laws of changes to a running job: its payload and its progress.
namespace pgq::laws {

/// A tracked_fixture with functions for revisions.
template <class Driver>
struct revised_fixture : tracked_fixture<Driver> {
    using tracked_fixture<Driver>::tracked_fixture;

    result<void> revise(const sync_reply& claimed, job_id job, std::optional<std::string_view> body,
                        std::optional<std::string_view> progress = {}) {
        return this->w.client().revise({.worker = this->p.worker,
                                        .lease = claimed.leases.at(0).ref.id,
                                        .job = job,
                                        .body = body,
                                        .progress = progress});
    }
    std::optional<std::string> progress_of(job_id id) { return must(this->w.client().progress_of(id)); }
    /// The only lease of the worker. Its row may have moved since the claim.
    lease_ref lease() {
        const auto all = must(this->p.session.lease_updates(this->p.worker));
        REQUIRE(all.size() == 1);
        return all[0].ref;
    }
};

template <class Driver, class Make>
void check_revised_payloads(Make make) {
    using fixture = revised_fixture<Driver>;
    const std::string zeros{"\0\xff new", 6};
    SECTION("the next attempt gets the new payload, and all else is unchanged") {
        for (const int how : {0, 1, 2, 3, 4}) {
            INFO("how " << how);
            fixture t{make(), how == 2 ? duration{100ms} : duration{1min}};
            const header head{.name = "colour", .value = "red"};
            const auto id = t.w.enqueue(t.lane, {"old"}, {.priority = 3, .headers = std::span{&head, 1}}).at(0);
            const auto got = t.claim("old");
            must(t.revise(got, id, "older"));
            must(t.revise(got, id, zeros));
            CHECK(in_order(got)[0].body == "old");  // the claimed payload does not change
            auto other = t.w.worker({t.lane});
            if (how == 0) (void)t.end(got, {.kind = settle_kind::retry, .reason = "again"});
            if (how == 1) must(t.p.session.give_back(std::vector{t.lease()}));
            if (how == 2) CHECK(t.w.rescue().returned == 1);
            if (how == 3) (void)t.end(got, {.kind = settle_kind::release, .delay = 1ms});
            if (how == 4) must(t.p.session.retire(t.p.worker));
            const auto again = other.claim_when_due(1);
            const auto job = in_order(again).at(0);
            CHECK(job.id == id);
            CHECK(job.body == zeros);
            CHECK(job.rank.priority() == 3);
            REQUIRE(job.headers.size() == 1);
            CHECK(job.headers[0] == head);
            CHECK(job.attempt == (how == 0 || how == 2 ? 2 : 1));
        }
    }
    SECTION("a held job has the new payload") {
        fixture t{make()};
        const auto id = t.w.enqueue(t.lane, {"old"}).at(0);
        const auto got = t.claim("old");
        must(t.revise(got, id, "new"));
        (void)t.end(got, {.kind = settle_kind::hold, .reason = "no"});
        REQUIRE(t.w.held(t.lane).size() == 1);
        CHECK(t.w.held(t.lane)[0].body == "new");
    }
    SECTION("the other jobs of the lease keep their payloads, and each can get a new one") {
        fixture t{make()};
        const auto ids = t.w.enqueue(t.lane, {"a", "b", "c", "d"});
        const auto got = t.p.claim(4);
        must(t.revise(got, ids[2], "C"));
        must(t.revise(got, ids[0], ""));
        must(t.p.session.give_back(std::vector{t.lease()}));
        CHECK(bodies_of(t.p.claim(9)) == strings{"", "b", "C", "d"});
    }
    SECTION("after a revision, the worker finds the lease and can settle its jobs") {
        fixture t{make()};
        const auto ids = t.w.enqueue(t.lane, {"a", "b"});
        const auto got = t.p.claim(2);
        const auto mask = mask_of({0});
        must(t.revise(got, ids[1], "B"));
        const auto reply = t.p.progress({.ref = t.lease(), .mask = mask});
        CHECK(reply.lost.empty());
        CHECK(t.w.counts(t.lane) == lane_counts{.leased = 1});
        must(t.revise(got, in_order(got)[0].index == 0 ? ids[1] : ids[0], "again"));
        CHECK(t.p.finish({t.lease()}).lost.empty());
        CHECK(t.w.counts(t.lane) == lane_counts{});
    }
    SECTION("revising a settled job, or a job of another worker, returns errc::lease_lost") {
        fixture t{make()};
        const auto ids = t.w.enqueue(t.lane, {"a", "b"});
        const auto got = t.p.claim(2);
        const auto first = in_order(got)[0];
        const settlement back{.index = first.index, .kind = settle_kind::retry};
        const auto mask = mask_of({first.index});
        CHECK(t.p.progress({.ref = t.lease(), .mask = mask, .items = std::span{&back, 1}}).lost.empty());
        CHECK(t.revise(got, first.id, "x").error() == errc::lease_lost);
        CHECK(t.revise(got, first.id, {}, "x").error() == errc::lease_lost);
        CHECK(t.revise(got, job_id{ids[1].value + 1'000'000}, "x").error() == errc::lease_lost);
        const revision foreign{
            .worker = {t.p.worker.value + 1}, .lease = got.leases[0].ref.id, .job = ids[1], .body = "x"};
        CHECK(t.w.client().revise(foreign).error() == errc::lease_lost);

        must(t.p.session.give_back(std::vector{t.lease()}));
        auto other = t.w.worker({t.lane});
        CHECK(bodies_of(other.claim(9)) == strings{"a", "b"});
        for (const auto id : ids) {
            CHECK(t.revise(got, id, "x", "y").error() == errc::lease_lost);
            CHECK_FALSE(t.progress_of(id));
        }
        must(other.session.give_back(refs_of(must(other.session.leases_of(other.worker)))));
        CHECK(bodies_of(t.p.claim(9)) == strings{"a", "b"});
    }
}

template <class Driver, class Make>
void check_progress(Make make) {
    using fixture = revised_fixture<Driver>;
    SECTION("progress_of returns the latest progress until the job ends") {
        for (const bool tracked : {false, true}) {
            fixture t{make()};
            const auto id = tracked ? t.add("a") : t.w.enqueue(t.lane, {"a"}).at(0);
            CHECK_FALSE(t.progress_of(id));
            const auto got = t.claim("a");
            CHECK_FALSE(t.progress_of(id));
            must(t.revise(got, id, {}, "0.5 half"));
            CHECK(t.progress_of(id) == "0.5 half");
            must(t.revise(got, id, "b", "1"));
            CHECK(t.progress_of(id) == "1");
            must(t.revise(got, id, "c"));
            CHECK(t.progress_of(id) == "1");
            (void)t.end(got, {.kind = settle_kind::retry});
            CHECK(t.progress_of(id) == "1");
            t.run("c");
            CHECK_FALSE(t.progress_of(id));
            CHECK(t.end_of(id) == (tracked ? 'd' : '?'));
        }
    }
    SECTION("a held job and an unknown job have no progress") {
        fixture t{make()};
        const auto id = t.add("a");
        const auto got = t.claim("a");
        must(t.revise(got, id, {}, "0.1"));
        (void)t.end(got, {.kind = settle_kind::hold});
        CHECK_FALSE(t.progress_of(id));
        CHECK_FALSE(t.progress_of(job_id{id.value + 1'000'000}));
    }
    SECTION("the first progress makes a job tracked, but not the other jobs of its lease") {
        fixture t{make()};
        const auto ids = t.w.enqueue(t.lane, {"a", "b"});
        const auto got = t.p.claim(2);
        must(t.revise(got, ids[1], {}, "0.1"));
        const auto place = t.lease();
        must(t.revise(got, ids[1], {}, "0.2"));
        CHECK(t.lease() == place);  // the row does not move again, so further calls are cheap
        const auto updates = must(t.p.session.lease_updates(t.p.worker));
        REQUIRE(updates[0].flags.size() == 2);
        for (const auto& j : got.leases[0].jobs)
            CHECK(updates[0].flags[j.index] == (j.id == ids[1] ? flag_tracked : std::int16_t{0}));
        CHECK_FALSE(t.progress_of(ids[0]));
        must(t.p.session.give_back(std::vector{place}));
        CHECK(bodies_of(t.p.claim(9)) == strings{"a", "b"});
    }
    SECTION("if a worker finishes a lease and does not know that a job is tracked, that job ends as done") {
        fixture t{make()};
        const auto ids = t.w.enqueue(t.lane, {"a", "b"});
        const auto got = t.p.claim(2);
        must(t.revise(got, ids[1], {}, "0.1"));
        CHECK(fixture::watch(t.w.client(), {ids[0]}).empty());
        CHECK(t.p.finish({t.lease()}).lost.empty());
        CHECK_FALSE(t.progress_of(ids[1]));
        CHECK(t.end_of(ids[0]) == 'd');
        CHECK(t.w.counts(t.lane) == lane_counts{});
    }
    SECTION("a job that reports progress receives a stop request, and then ends as cancelled") {
        fixture t{make()};
        const auto id = t.add("a");
        const auto got = t.claim("a");
        CHECK(t.cancel({id}).stopping == 1);
        must(t.revise(got, id, "b", "0.1"));
        const auto updates = must(t.p.session.lease_updates(t.p.worker));
        REQUIRE(updates.at(0).flags.size() == 1);
        CHECK(updates[0].flags[0] == (flag_tracked | flag_stop));
        (void)t.end(got, {.kind = settle_kind::retry});
        CHECK(t.end_of(id) == 'c');
        CHECK_FALSE(t.progress_of(id));
    }
}

}  // namespace pgq::laws
