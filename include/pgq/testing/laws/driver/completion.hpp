#pragma once

#include <pgq/testing/laws/driver/tracked_fixture.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// Laws of watching jobs: how a session learns that they have ended.
namespace pgq::laws {

template <class Driver, class Make>
void check_completion(Make make) {
    using fixture = tracked_fixture<Driver>;
    SECTION(
        "a watching session is notified when the job ends, and reads the outcome with the exact bytes of the result") {
        fixture t{make()};
        const auto id = t.add("a");
        auto watcher = t.w.connect(session_role::client);
        CHECK(fixture::watch(watcher, {id}).empty());
        std::string bytes{"\0\xff result \0", 11};
        bytes.append(100'000, '\x80');
        t.run("a", {.kind = settle_kind::retry});
        t.run("a", {.kind = settle_kind::done, .result = bytes});
        CHECK(must(watcher.wait(law_timeout)) == wake_reason::notified);
        const auto ended = fixture::watch(watcher, {id});
        REQUIRE(ended.size() == 1);
        CHECK(ended[0].id == id);
        CHECK(ended[0].kind == end_kind::done);
        CHECK(ended[0].attempts == 2);
        CHECK(ended[0].has_result);
        CHECK((ended[0].result == bytes));
    }
    SECTION("an empty result is different from no result") {
        fixture t{make()};
        const auto empty = t.add("empty"), none = t.add("none");
        t.run("empty", {.kind = settle_kind::done, .result = std::string_view{}});
        t.run("none");
        CHECK(t.ended(empty)->has_result);
        CHECK(t.ended(empty)->result.empty());
        CHECK_FALSE(t.ended(none)->has_result);
    }
    SECTION("other outcomes have attempts and reason, whether the watch begins before or after the end") {
        for (const failure f : failures) {
            INFO("job " << letter(f));
            fixture t{make()};
            const auto id = t.add("a", able_to_fail(f)).id;
            auto watcher = t.w.connect(session_role::client);
            CHECK(fixture::watch(watcher, {id}).empty());
            make_fail(t, id, "a", f);
            CHECK(must(watcher.wait(law_timeout)) == wake_reason::notified);
            const auto e = t.ended(id);
            REQUIRE(e.has_value());
            CHECK(static_cast<char>(e->kind) == letter(f));
            const bool began = f == failure::held || f == failure::discarded;
            CHECK(e->attempts == (began ? 1 : 0));
            CHECK(e->reason == (began ? "no" : f == failure::expired ? "it expired" : ""));
            CHECK_FALSE(e->has_result);
        }
    }
    SECTION("watch returns exactly the jobs that have ended") {
        fixture t{make()};
        const auto done = t.add("a"), waits = t.add("b"), held = t.add("c"), never = job_id{waits.value + 1'000'000};
        t.run("a");
        CHECK(t.cancel({waits}).removed == 1);
        const auto open = t.add("d");
        t.run("c", {.kind = settle_kind::hold});
        std::string kinds;
        auto all = fixture::watch(t.w.client(), {open, done, waits, held, never});
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
        for (const auto& e : all) kinds += static_cast<char>(e.kind);
        CHECK(kinds == "dch?");
        CHECK(fixture::watch(t.w.client(), {}).empty());
    }
    SECTION("an untracked job can be watched while it waits, is delayed, runs or is held") {
        fixture t{make()};
        const auto ids = t.w.enqueue(t.lane, {"held", "runs", "ready"});
        const auto late = t.w.enqueue(t.lane, {"late"}, {.run_at = in(1h)}).at(0);
        (void)t.p.settle(t.claim("held"), {.kind = settle_kind::hold, .reason = "r"});
        const auto runs = t.claim("runs");
        auto watcher = t.w.connect(session_role::client);
        const auto held = fixture::watch(watcher, {ids[0], ids[1], ids[2], late});
        REQUIRE(held.size() == 1);
        CHECK(held[0].id == ids[0]);
        CHECK(held[0].kind == end_kind::held);
        CHECK(held[0].attempts == 1);
        CHECK(held[0].reason == "r");
        (void)t.end(runs, {.kind = settle_kind::done, .result = "1"});
        CHECK(must(watcher.wait(law_timeout)) == wake_reason::notified);
        t.run("ready", {.kind = settle_kind::done, .result = "2"});
        CHECK(must(watcher.wait(law_timeout)) == wake_reason::notified);
        CHECK(t.cancel({late}).removed == 1);
        CHECK(must(watcher.wait(law_timeout)) == wake_reason::notified);
        CHECK(t.ended(ids[1])->result == "1");
        CHECK(t.ended(ids[2])->result == "2");
        CHECK(t.end_of(late) == 'c');
    }
    SECTION("the outcome of a job is unknown if no call kept it in time") {
        fixture t{make()};
        const auto plain = t.w.enqueue(t.lane, {"plain"}).at(0);
        const auto keyed = t.add("keyed", {.unique_key = "k"}).id;
        const auto brief = t.add("brief", {.keep_outcome = 1us}).id;
        for (const auto* body : {"plain", "keyed", "brief"}) t.run(body);
        CHECK(t.w.eventually([&] { return t.expire_and_purge().purged > 0; }));
        for (const auto id : {plain, keyed, brief}) CHECK(t.end_of(id) == '?');
    }
    SECTION("a watch keeps the outcome for at least the requested time") {
        fixture t{make()};
        const auto longer = t.add("longer", {.keep_outcome = 1us}).id, shorter = t.add("shorter");
        CHECK(fixture::watch(t.w.client(), {longer}, 1h).empty());
        CHECK(fixture::watch(t.w.client(), {shorter}, 1us).empty());
        t.run("longer");
        t.run("shorter");
        const auto brief = t.add("brief", {.keep_outcome = 1us}).id;
        t.run("brief");
        CHECK(t.w.eventually([&] { return t.expire_and_purge().purged > 0; }));
        CHECK(t.end_of(brief) == '?');
        CHECK(t.end_of(longer) == 'd');
        CHECK(t.end_of(shorter) == 'd');
    }
    SECTION("all watching sessions are notified and no others; a retry is no end") {
        fixture t{make()};
        const auto id = t.add("a");
        auto one = t.w.connect(session_role::client), two = t.w.connect(session_role::client);
        auto other = t.w.connect(session_role::client);
        for (auto* s : {&one, &two, &one}) CHECK(fixture::watch(*s, {id}).empty());
        CHECK(fixture::watch(other, {t.add("z")}).empty());
        t.run("a", {.kind = settle_kind::retry});
        CHECK(must(one.wait(quiet_time)) == wake_reason::timeout);
        t.run("a");
        CHECK(must(one.wait(law_timeout)) == wake_reason::notified);
        CHECK(must(two.wait(law_timeout)) == wake_reason::notified);
        CHECK(must(other.wait(quiet_time)) == wake_reason::timeout);
    }
    SECTION("the end of a job ends a wait that is in progress") {
        fixture t{make()};
        const auto id = t.add("a");
        const auto got = t.claim("a");
        auto watcher = t.w.connect(session_role::client);
        CHECK(fixture::watch(watcher, {id}).empty());
        const auto mask = mask_of({0});
        const settlement done{.kind = settle_kind::done};
        const lease_progress last{
            .ref = got.leases[0].ref, .last = true, .mask = mask, .items = std::span{&done, 1}, .flagged = true};
        bool accepted = false;
        std::jthread worker{[&] {
            sync_reply reply;
            accepted = t.p.try_exchange({.progressed = std::span{&last, 1}}, reply);
        }};
        CHECK(must(watcher.wait(law_timeout)) == wake_reason::notified);
        worker.join();
        CHECK(accepted);
        CHECK(t.end_of(id) == 'd');
    }
    SECTION("when a lease ends, its tracked jobs without a settlement are done") {
        fixture t{make()};
        std::vector<job_id> ids;
        for (const auto* body : {"a", "b", "c"}) ids.push_back(t.add(body, {.keep_outcome = 1h}).id);
        const auto got = t.p.claim(3);
        REQUIRE(got.leases.size() == 1);
        std::vector<settlement> items;
        for (const auto& j : got.leases[0].jobs) {
            if (j.body == "b") items.push_back({j.index, settle_kind::discard, {}, "no", {}});
            if (j.body == "c") items.push_back({j.index, settle_kind::done, {}, {}, "result"});
        }
        const auto mask = mask_of({0, 1, 2});
        CHECK(t.p.progress({.ref = got.leases[0].ref, .last = true, .mask = mask, .items = items, .flagged = true})
                  .lost.empty());
        CHECK(t.end_of(ids[0]) == 'd');
        CHECK(t.end_of(ids[1]) == 'x');
        CHECK(t.ended(ids[1])->reason == "no");
        CHECK(t.end_of(ids[2]) == 'd');
        CHECK(t.ended(ids[2])->result == "result");
    }
    SECTION("a tracked job that has gone back out of a lease does not end with that lease") {
        for (const bool settles : {false, true}) {
            INFO("settles " << settles);
            fixture t{make()};
            const auto back = t.add("back"), stays = t.add("stays");
            const auto got = t.p.claim(2);
            REQUIRE(got.leases.size() == 1);
            const auto& jobs = got.leases[0].jobs;
            const settlement retry{.index = jobs.at(0).index, .kind = settle_kind::retry};
            const settlement done{.index = jobs.at(1).index, .kind = settle_kind::done, .result = "1"};
            const auto left = mask_of({retry.index}), all = mask_of({0, 1});
            const lease_progress one{
                .ref = got.leases[0].ref, .mask = left, .items = std::span{&retry, 1}, .flagged = true};
            const auto moved = t.p.progress(one).moved;
            REQUIRE(moved.size() == 1);
            const lease_progress last{.ref = moved[0],
                                      .last = true,
                                      .left = left,
                                      .mask = all,
                                      .items = std::span{&done, 1},
                                      .flagged = true};
            CHECK((settles ? t.p.progress(last) : t.p.finish(moved)).lost.empty());
            CHECK(t.end_of(stays) == 'd');
            CHECK(t.end_of(back) == '-');
            t.run("back", {.kind = settle_kind::discard});
            CHECK(t.end_of(back) == 'x');
        }
    }
    SECTION("a job whose worker died without attempts left ends as held") {
        for (const std::int16_t attempts : {std::int16_t{1}, std::int16_t{2}}) {
            fixture t{make(), 100ms, attempts};
            const auto id = t.add("killer");
            (void)t.claim("killer");
            auto watcher = t.w.connect(session_role::client);
            CHECK(fixture::watch(watcher, {id}).empty());
            (void)t.w.rescue();
            CHECK(t.end_of(id) == (attempts == 1 ? 'h' : '-'));
            if (attempts > 1) continue;
            CHECK(must(watcher.wait(law_timeout)) == wake_reason::notified);
            CHECK(t.ended(id)->reason == "its worker died");
            CHECK(t.ended(id)->attempts == 1);
        }
    }
    SECTION("a requeued job is open until it ends again") {
        fixture t{make()};
        const auto id = t.add("a", {.unique_key = "k", .keep_outcome = 1h}).id;
        t.run("a", {.kind = settle_kind::hold});
        CHECK(t.end_of(id) == 'h');
        CHECK(must(t.w.client().requeue(std::span{&id, 1})) == 1);
        CHECK(t.end_of(id) == '-');
        CHECK(t.add("b", {.unique_key = "k"}) == enqueued_job{.id = id, .is_new = false});
        t.run("a");
        CHECK(t.end_of(id) == 'd');
        CHECK(t.add("c", {.unique_key = "k"}).is_new);
    }
    SECTION("a held job cannot be requeued while another job has its key") {
        fixture t{make()};
        const auto ids = std::vector{t.add("a", {.unique_key = "k", .keep_outcome = 1h}).id};
        t.run("a", {.kind = settle_kind::hold});
        t.add("b", {.unique_key = "k"});
        CHECK(must(t.w.client().requeue(ids)) == 0);
        CHECK(t.end_of(ids[0]) == 'h');
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1, .held = 1});
        t.run("b");
        CHECK(must(t.w.client().requeue(ids)) == 1);
        t.run("a");
        CHECK(t.end_of(ids[0]) == 'd');
    }
    SECTION("a held job can be requeued when the other job's key has expired, and then has the key until it ends") {
        for (const bool other_took_it : {false, true}) {
            fixture t{make()};
            const unique brief = unique{"k"}.during(1us);
            const auto ids = std::vector{t.add("a", {.unique_key = brief}).id};
            t.run("a", {.kind = settle_kind::hold});
            if (other_took_it) {
                CHECK(t.w.eventually([&] { return t.add("b", {.unique_key = brief}).is_new; }));
                t.run("b");
            } else {
                CHECK(t.w.eventually([&] { return t.expire_and_purge().purged == 1; }));
            }
            CHECK(t.w.eventually([&] { return must(t.w.client().requeue(ids)) == 1; }));
            CHECK(t.add("c", {.unique_key = "k"}) == enqueued_job{.id = ids[0], .is_new = false});
            t.run("a");
            CHECK(t.add("d", {.unique_key = "k"}).is_new);
        }
    }
    SECTION("of two held jobs with one key, only one can be requeued") {
        fixture t{make()};
        std::vector<job_id> ids;
        for (const auto* body : {"a", "b"}) {
            ids.push_back(t.add(body, {.unique_key = "k"}).id);
            t.run(body, {.kind = settle_kind::hold});
        }
        CHECK(must(t.w.client().requeue(ids)) == 1);
        CHECK(bodies_of(t.p.claim(9)) == strings{"a"});
    }
}

}  // namespace pgq::laws
