#pragma once

#include <pgq/testing/laws/driver/find_one.hpp>
#include <pgq/testing/laws/driver/tracked_fixture.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Laws of jobs that depend on other jobs.
namespace pgq::laws {

template <class Driver, class Make>
void check_dependencies(Make make) {
    using fixture = tracked_fixture<Driver>;
    SECTION("a job does not wait for an id that does not exist yet, not even for its own") {
        fixture t{make()};
        const auto first = t.add("a");
        const std::vector<job_id> guessed{{first.value + 1}, {first.value + 2}, {-1}, {-2}, {0},
                                          {INT32_MIN},       {INT64_MIN}};
        t.add({{"b", {.after = guessed}}, {"c", {.after = guessed}}});
        CHECK(bodies_of(t.p.claim(9)) == strings{"a", "b", "c"});
    }
    SECTION("a job begins when its parent is done, and not before") {
        fixture t{make()};
        const auto parent = t.add("parent");
        const auto child = t.add("child", {.priority = 9, .after = std::span{&parent, 1}});
        CHECK(child.is_new);
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1, .blocked = 1});
        const auto got = t.claim("parent");
        CHECK(t.p.sync({.lanes = t.p.lanes, .limit = 9, .promote = true}).leases.empty());
        CHECK_FALSE(t.p.sync({.peek_next_due = true}).next_due.has_value());
        (void)t.end(got, {.kind = settle_kind::retry});
        t.run("parent");
        const auto next = t.p.claim(9);
        CHECK(bodies_of(next) == strings{"child"});
        CHECK(ids_of(next) == std::vector{child.id});
        CHECK(in_order(next)[0].attempt == 1);
        CHECK(in_order(next)[0].rank == rank::of(9));
    }
    SECTION("a sleeping worker is woken when a blocked job becomes ready") {
        fixture t{make()};
        const auto other = t.w.lane("other");
        auto sleeper = t.w.worker({other});
        const auto parent = t.add("parent");
        t.add({{"child", {.after = std::span{&parent, 1}}, other}});
        const auto got = t.claim("parent");
        sleeper.subscribe();
        (void)t.end(got, {.kind = settle_kind::done});
        CHECK(sleeper.receives_wake());
        CHECK(bodies_of(sleeper.claim(1)) == strings{"child"});
    }
    SECTION("a job does not wait for a parent that is done or never existed") {
        fixture t{make()};
        const auto kept = t.add("kept");
        const auto forgotten = t.w.enqueue(t.lane, {"forgotten"}).at(0);
        t.run("kept");
        t.run("forgotten");
        const job_id parents[]{kept, forgotten, {kept.value + 1'000'000}};
        t.add("child", {.after = parents});
        CHECK(bodies_of(t.p.claim(9)) == strings{"child"});
    }
    SECTION("jobs of one call can depend on each other, across lanes") {
        fixture t{make()};
        const auto other = t.w.lane("other");
        auto q = t.w.worker({other});
        t.add({{"third"}, {"second", {}, other}, {"first"}, {"free"}}, {{0, 1}, {1, 2}});
        CHECK(q.claim(9).leases.empty());
        t.run("first");
        CHECK(bodies_of(t.p.claim(9)) == strings{"free"});
        const auto second = q.claim(9);
        CHECK(bodies_of(second) == strings{"second"});
        const auto mask = mask_of({0});
        const settlement done{.kind = settle_kind::done};
        (void)q.progress(
            {.ref = second.leases.at(0).ref, .last = true, .mask = mask, .items = {&done, 1}, .flagged = true});
        CHECK(bodies_of(t.p.claim(9)) == strings{"third"});
    }
    SECTION("a job waits for all its parents; a parent that is named twice counts once") {
        fixture t{make()};
        const std::vector parents{t.add("a"), t.add("b")};
        const std::vector named{parents[0], parents[1], parents[0]};
        t.add({{"child", {.after = named}}, {"c"}}, {{0, 1}, {0, 1}});
        for (const auto* body : {"a", "b", "c"}) {
            CHECK(t.w.counts(t.lane).blocked == 1);
            t.run(body);
        }
        CHECK(bodies_of(t.p.claim(9)) == strings{"child"});
    }
    SECTION("a job whose parents end together begins") {
        fixture t{make()};
        const std::vector parents{t.add("a"), t.add("b")};
        t.add("child", {.after = parents});
        const auto got = t.p.claim(9);
        REQUIRE(bodies_of(got) == strings{"a", "b"});
        const auto mask = mask_of({0, 1});
        CHECK(t.p.progress({.ref = got.leases.at(0).ref, .last = true, .mask = mask, .flagged = true}).lost.empty());
        CHECK(bodies_of(t.p.claim(9)) == strings{"child"});
    }
    SECTION("a parent may be an untracked job that waits or runs") {
        fixture t{make()};
        const auto waits = t.w.enqueue(t.lane, {"runs", "waits"});
        const auto runs = t.claim("runs");
        t.add("child", {.after = waits});
        (void)t.end(runs, {.kind = settle_kind::done});
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1, .blocked = 1});
        t.run("waits");
        CHECK(bodies_of(t.p.claim(9)) == strings{"child"});
    }
    SECTION("a job whose parent is done still waits for its run time") {
        fixture t{make()};
        const auto parent = t.add("parent");
        const auto jobs = t.add({{"late", {.run_at = in(1h), .after = std::span{&parent, 1}}},
                                 {"past", {.run_at = at(time_point{1s}), .after = std::span{&parent, 1}}}});
        t.run("parent");
        CHECK(bodies_of(t.p.claim(9)) == strings{"past"});
        const auto late = find_in(t.w, jobs[0].id, job_state::deferred);
        CHECK(late.run_at == late.enqueued_at + 1h);
        CHECK(t.p.sync({.peek_next_due = true}).next_due.value() > 58min);
    }
    SECTION("a job that depends on a duplicate waits for the job that has the key") {
        fixture t{make()};
        t.add("old", {.unique_key = "old"});
        t.add({{"a", {.unique_key = "k"}},
               {"b", {.unique_key = "k"}},
               {"c", {.unique_key = "old"}},
               {"child of b"},
               {"child of c"}},
              {{3, 1}, {4, 2}});
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 2, .blocked = 2});
        t.run("old");
        t.run("a");
        CHECK(bodies_of(t.p.claim(9)) == strings{"child of b", "child of c"});
    }
    SECTION("a cancelled child does not return when its parent ends") {
        fixture t{make()};
        const auto parent = t.add("parent");
        const auto child = t.add("child", {.after = std::span{&parent, 1}});
        CHECK(t.cancel({child.id}) == cancel_reply{.removed = 1});
        t.run("parent");
        CHECK(t.w.counts(t.lane) == lane_counts{});
    }
    SECTION("a new child of a requeued job waits for it") {
        fixture t{make()};
        const auto parent = t.add("parent");
        t.run("parent", {.kind = settle_kind::hold});
        CHECK(must(t.w.client().requeue(std::span{&parent, 1})) == 1);
        t.add("child", {.after = std::span{&parent, 1}});
        t.run("parent");
        CHECK(bodies_of(t.p.claim(9)) == strings{"child"});
    }
}

template <class Driver, class Make>
void check_failed_parents(Make make) {
    using fixture = tracked_fixture<Driver>;
    const parent_failure policies[]{parent_failure::run, parent_failure::hold, parent_failure::cancel};
    const auto check_child = [](fixture& t, job_id child, job_id parent, parent_failure policy) {
        if (policy == parent_failure::run) {
            CHECK(bodies_of(t.p.claim(9)) == strings{"child"});
            return;
        }
        const bool holds = policy == parent_failure::hold;
        const auto e = t.ended(child);
        REQUIRE(e.has_value());
        CHECK(e->kind == (holds ? end_kind::held : end_kind::cancelled));
        CHECK(e->attempts == 0);
        CHECK(e->reason.find("it waited for job " + std::to_string(parent.value) + ", which ") == 0);
        CHECK(t.p.promote_and_claim(9).leases.empty());
        const auto held = t.w.held(t.lane);
        const auto at = std::find_if(held.begin(), held.end(), [&](const held_job& h) { return h.id == child; });
        REQUIRE((at != held.end()) == holds);
        if (!holds) return;
        CHECK(at->reason == e->reason);
        CHECK(must(t.w.client().requeue(std::span{&child, 1})) == 1);
        CHECK(bodies_of(t.p.claim(9)) == strings{"child"});
    };
    SECTION(
        "when a parent fails, the child runs, is held or is cancelled, as its option says, for every kind of failure") {
        for (const failure f : failures)
            for (const parent_failure policy : policies) {
                INFO("parent " << letter(f) << ", child " << static_cast<char>(policy));
                fixture t{make()};
                const auto parent = t.add("parent", able_to_fail(f)).id;
                const auto child =
                    t.add("child", {.after = std::span{&parent, 1}, .if_parent_fails = policy, .keep_outcome = 1h});
                make_fail(t, parent, "parent", f);
                check_child(t, child.id, parent, policy);
            }
    }
    SECTION("the same is true for a child enqueued after the failure, while the outcome is kept") {
        for (const failure f : failures)
            for (const parent_failure policy : policies) {
                INFO("parent " << letter(f) << ", child " << static_cast<char>(policy));
                fixture t{make()};
                const auto parent = t.add("parent", able_to_fail(f)).id;
                make_fail(t, parent, "parent", f);
                const auto child =
                    t.add("child", {.after = std::span{&parent, 1}, .if_parent_fails = policy, .keep_outcome = 1h});
                CHECK(child.is_new);
                check_child(t, child.id, parent, policy);
            }
    }
    SECTION("a failure passes down a chain until a job that runs anyway") {
        fixture t{make()};
        const auto kept = [](parent_failure then) {
            return enqueue_options{.if_parent_fails = then, .keep_outcome = 1h};
        };
        const auto jobs = t.add({{"a", kept(parent_failure::hold)},
                                 {"b", kept(parent_failure::cancel)},
                                 {"c", kept(parent_failure::hold)},
                                 {"d", kept(parent_failure::run)},
                                 {"e", kept(parent_failure::cancel)}},
                                {{1, 0}, {2, 1}, {3, 2}, {4, 3}});
        t.run("a", {.kind = settle_kind::discard});
        CHECK(t.end_of(jobs[1].id) == 'c');
        CHECK(t.end_of(jobs[2].id) == 'h');
        CHECK(t.ended(jobs[2].id)->reason ==
              "it waited for job " + std::to_string(jobs[1].id.value) + ", which was cancelled");
        t.run("d");
        t.run("e");
        CHECK(t.w.counts(t.lane) == lane_counts{.held = 1});
    }
    SECTION("if several parents end at once, the reason names one of them and how that one ended") {
        fixture t{make()};
        const std::array parents{t.add("discarded"), t.add("held")};
        const auto child =
            t.add("child", {.after = parents, .if_parent_fails = parent_failure::hold, .keep_outcome = 1h});
        const auto got = t.p.claim(2);
        REQUIRE(got.leases.size() == 1);
        std::vector<settlement> items;
        for (const auto& j : in_order(got))
            items.push_back({.index = j.index,
                             .kind = j.body == "held" ? settle_kind::hold : settle_kind::discard,
                             .reason = "no"});
        const auto mask = mask_of({0, 1});
        (void)t.p.progress({.ref = got.leases[0].ref, .last = true, .mask = mask, .items = items, .flagged = true});
        REQUIRE(t.ended(child.id).has_value());
        CHECK(t.ended(child.id)->reason ==
              "it waited for job " + std::to_string(parents[0].value) + ", which was discarded");
    }
    SECTION("a chain fails if the parent of its first job has already failed") {
        fixture t{make()};
        const auto parent = t.add("parent");
        t.run("parent", {.kind = settle_kind::discard});
        const auto jobs = t.add({{"a", {.after = std::span{&parent, 1}, .if_parent_fails = parent_failure::cancel}},
                                 {"b", {.if_parent_fails = parent_failure::hold}}},
                                {{1, 0}});
        CHECK(t.end_of(jobs[1].id) == 'h');
        CHECK(t.w.counts(t.lane) == lane_counts{.held = 1});
    }
    SECTION("one failed parent of several is enough; a job that runs anyway waits for all") {
        fixture t{make()};
        const std::vector parents{t.add("a"), t.add("b")};
        const auto jobs = t.add({{"held", {.after = parents, .keep_outcome = 1h}},
                                 {"runs", {.after = parents, .if_parent_fails = parent_failure::run}}});
        t.run("a", {.kind = settle_kind::discard});
        CHECK(t.end_of(jobs[0].id) == 'h');
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1, .held = 1, .blocked = 1});
        t.run("b");
        CHECK(bodies_of(t.p.claim(9)) == strings{"runs"});
    }
    SECTION("a job that was held for one parent and requeued does not fail with another one") {
        fixture t{make()};
        const std::vector parents{t.add("a"), t.add("b")};
        const auto child = t.add("child", {.after = parents, .keep_outcome = 1h}).id;
        t.run("a", {.kind = settle_kind::discard});
        CHECK(t.end_of(child) == 'h');
        CHECK(must(t.w.client().requeue(std::span{&child, 1})) == 1);
        t.run("b", {.kind = settle_kind::discard});
        CHECK(t.end_of(child) == '-');
        t.run("child");
        CHECK(t.end_of(child) == 'd');
    }
    SECTION("one parent of several that has already failed is enough") {
        fixture t{make()};
        const std::vector parents{t.add("a"), t.add("b")};
        t.run("a", {.kind = settle_kind::discard});
        const auto child = t.add("child", {.after = parents});
        CHECK(t.end_of(child.id) == 'h');
        t.run("b");
        CHECK(t.w.counts(t.lane) == lane_counts{.held = 1});
    }
    SECTION("a job that never began because its parent failed frees its key") {
        fixture t{make()};
        const auto parent = t.add("parent");
        t.add("child", {.unique_key = "k", .after = std::span{&parent, 1}});
        t.run("parent", {.kind = settle_kind::hold});
        CHECK(t.add("other", {.unique_key = "k"}).is_new);
    }
}

}  // namespace pgq::laws
