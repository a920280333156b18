#pragma once

#include <pgq/testing/laws/schedules/fixture.hpp>

#include <chrono>
#include <span>
#include <string>
#include <vector>

/// Laws of the overlap of jobs of a schedule, and of its changes.
namespace pgq::laws {

/// Overlap, and `change_schedule`.
template <class Driver, class Make>
void check_changed_schedules(Make make) {
    const auto with = [](overlap what) { return [what](schedule_definition& d) { d.overlap = what; }; };
    SECTION("with a unique key the job of the next tick is skipped until the first one has ended") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a", {.unique_key = "schedule/a"}, with(overlap::skip)));
        auto p = t.w.worker({t.lane});
        CHECK(t.fire_next("a"));
        CHECK_FALSE(t.fire_next("a"));
        const auto running = p.claim(1);
        CHECK_FALSE(t.fire_next("a"));
        const std::string mask = mask_of({0});
        const settlement done{.kind = settle_kind::done};
        (void)p.progress(
            {.ref = running.leases[0].ref, .last = true, .mask = mask, .items = std::span{&done, 1}, .flagged = true});
        CHECK(t.fire_next("a"));
    }
    SECTION("with a key that is held while a job waits one job runs and one waits") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a", {.unique_key = unique{"schedule/a"}.while_waiting()}, with(overlap::queue_one)));
        auto p = t.w.worker({t.lane});
        CHECK(t.fire_next("a"));
        CHECK(p.claim(1).claimed() == 1);
        CHECK(t.fire_next("a"));
        CHECK_FALSE(t.fire_next("a"));
    }
    SECTION("cancel_running cancels the former job, whether it waits or runs; the first reason to stop stays") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a", {}, with(overlap::cancel_running)));
        auto p = t.w.worker({t.lane});
        (void)t.fire_next("a");
        const auto running = t.fire_next("a");
        CHECK(t.w.counts(t.lane).ready == 1);
        CHECK(ids_of(p.claim(1)) == std::vector{*running});
        const auto cancel = [&] { return must(t.w.client().cancel(std::span{&*running, 1})).stopping; };
        const bool is_cancelled = GENERATE(false, true);
        if (is_cancelled) CHECK(cancel() == 1);
        (void)t.fire_next("a");
        CHECK(cancel() == 0);
        const auto flags = must(p.session.lease_updates(p.worker)).at(0).flags;
        CHECK(flags.at(0) == (is_cancelled ? flag_stop : flag_stop | flag_overlap));
        CHECK(t.w.counts(t.lane).ready == 1);
    }
    SECTION("a paused schedule is not fired; the pause survives a declaration; its ticks are not fired later") {
        schedule_fixture<Driver> t{make()};
        CHECK_FALSE(t.change("a", schedule_change::pause).changed);
        CHECK(t.declare("a"));
        CHECK_FALSE(t.change("a", schedule_change::resume).changed);
        CHECK(t.change("a", schedule_change::pause, "too much").changed);
        CHECK_FALSE(t.change("a", schedule_change::pause, "again").changed);
        CHECK(t.declare("a", {.priority = 1}));
        const auto paused = t.find("a");
        CHECK(paused.paused_at);
        CHECK(paused.pause_reason == "too much");
        CHECK(t.fire(t.firing("a")).outcome == fire_outcome::paused);
        CHECK(t.w.counts(t.lane).ready == 0);

        CHECK(t.change("a", schedule_change::resume).changed);
        const auto resumed = t.find("a");
        CHECK_FALSE(resumed.paused_at);
        CHECK(resumed.pause_reason.empty());
        CHECK(resumed.next_at >= paused.paused_at);
        CHECK(t.fire_next("a"));
    }
    SECTION("a schedule is fired now beside its ticks, and removed") {
        schedule_fixture<Driver> t{make()};
        CHECK(t.declare("a"));
        const auto before = t.find("a");
        const auto now = t.change("a", schedule_change::fire_now);
        CHECK(now.changed);
        REQUIRE(now.fired.job);
        CHECK(t.w.counts(t.lane).ready == 1);
        const auto after = t.find("a");
        CHECK(after.next_at == before.next_at);
        CHECK_FALSE(after.fired_at);
        CHECK(t.change("a", schedule_change::remove).changed);
        CHECK(t.list().all.empty());
        CHECK_FALSE(t.change("a", schedule_change::remove).changed);
        CHECK_FALSE(t.change("a", schedule_change::fire_now).changed);
        CHECK(t.w.counts(t.lane).ready == 1);
    }
}

}  // namespace pgq::laws
