#pragma once

#include <pgq/testing/laws/driver/fixture.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The fixture of the laws of schedules, for drivers whose sessions can_schedule.
namespace pgq::laws {

/// A lane, and functions for schedules.
template <class Driver>
struct schedule_fixture {
    using session = typename Driver::session;

    explicit schedule_fixture(Driver d) : w{std::move(d)}, lane{w.lane()} {}

    /// Declares a schedule of one job in the fixture's lane. `change` changes its definition.
    bool declare(
        std::string_view name, const enqueue_options& options = {},
        const std::function<void(schedule_definition&)>& change = [](auto&) {}) {
        const bodies b = driver_fixture<Driver>::packed({"body of " + std::string{name}});
        schedule_definition d{.name = name, .expression = "* * * * *", .zone = "UTC"};
        d.job = {.lane = lane, .bodies = &b, .options = {&options, 1}};
        change(d);
        return must(w.client().declare_schedule("default", d));
    }
    schedule_list list(std::string_view queue = "default", const std::vector<std::string>& kept = {}) {
        return must(w.client().schedules(queue, kept));
    }
    stored_schedule find(std::string_view name) {
        const auto all = list();
        const auto found = std::find_if(all.all.begin(), all.all.end(), [&](const auto& s) { return s.name == name; });
        REQUIRE(found != all.all.end());
        return *found;
    }
    /// A firing of one tick: that of `next_at`.
    schedule_firing firing(std::string_view name) {
        const auto s = find(name);
        REQUIRE(s.next_at);
        return {.name = name, .lane = lane, .expected = *s.next_at, .next = *s.next_at + 1s, .ticks = {*s.next_at}};
    }
    fire_answer fire(const schedule_firing& f) {
        auto reply = must(w.client().fire_schedules("default", std::span{&f, 1}));
        REQUIRE(reply.all.size() == 1);
        return std::move(reply.all[0]);
    }
    /// Fires the tick of `next_at`; the id of its job.
    std::optional<job_id> fire_next(std::string_view name) {
        schedule_firing f = firing(name);
        f.next = f.expected + 1us;
        const auto a = fire(f);
        CHECK(a.outcome == fire_outcome::fired);
        REQUIRE(a.ticks.size() == 1);
        CHECK(a.ticks[0].reason.empty());
        return a.ticks[0].job;
    }
    schedule_change_reply change(std::string_view name, schedule_change what, std::string_view why = {}) {
        return must(w.client().change_schedule("default", name, what, why));
    }

    driver_fixture<Driver> w;
    lane_id lane;
};

}  // namespace pgq::laws
