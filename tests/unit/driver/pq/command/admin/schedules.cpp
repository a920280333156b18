#include <pgq/driver/pq/command/admin/schedule.hpp>
#include <pgq/driver/pq/command/admin/schedule_fire.hpp>

#include <support/catch.hpp>
#include <support/composed.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace unit_driver_pq_command_admin_schedules {

using namespace pgq;
using namespace std::chrono_literals;
using test::array;
using test::binary;
using test::composed;
using test::null;
using test::row;
using test::rows;
using test::truth;
namespace command = driver::pq::command::admin;

namespace {

constexpr time_point y2000{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};

}  // namespace

TEST_CASE("declare_schedule sends the rule and the job, with nulls for what is not set", "[driver][pq][command]") {
    bodies body, key;
    body.bytes() = "body";
    body.close();
    enqueue_options options{};
    schedule_definition d{.name = "n", .expression = "@daily", .zone = "UTC"};
    d.job = {.lane = {3}, .bodies = &body, .options = {&options, 1}};
    const command::declare_schedule plain{"q", d};
    CHECK(composed(plain) ==
          "declare_schedule(q, n, 3, @daily, UTC, 0, null, null, 1, null, a, body, null, 0, null, "
          "null, null, false, 0, {}, , fs, 0)");
    CHECK(test::read(plain, {rows({{truth(true)}})}).value());
    CHECK_FALSE(test::read(plain, {rows({{truth(false)}})}).value());
    CHECK_FALSE(test::read(plain, {test::failed("42501")}).has_value());

    key.bytes() = "key";
    key.close();
    const std::array headers{header{"a", "1"}};
    options = {.priority = -4,
               .run_at = in(1us),
               .expected_at = in(2us),
               .headers = headers,
               .unique_key = unique{"u"}.during(3us).or_replace(),
               .expires_at = in(4us),
               .if_expired = on_expiry::hold,
               .keep_outcome = 5us};
    d.job.keys = &key;
    d.jitter = 6us;
    d.starts_at = time_point{7us};
    d.ends_at = time_point{8us};
    d.missed_count = 9;
    d.missed_age = 10us;
    d.overlap = overlap::cancel_running;
    CHECK(
        composed(command::declare_schedule{"q", d}) ==
        "declare_schedule(q, n, 3, @daily, UTC, 6, 7, 8, 9, 10, c, body, key, -4, 1, 2, 4, true, 5, {a,1}, u, pr, 3)");
}

TEST_CASE("schedules listens where the session keeps state, keeps the names and reads the rows",
          "[driver][pq][command]") {
    const std::vector<std::string> kept{"a", "b"};
    CHECK(composed(command::schedules{"q", kept}) == "LISTEN \"pgq_77_s\"() | keep_schedules(q, {a,b}) | schedules(q)");
    auto stateless = test::own_session();
    stateless.keeps_state = false;
    CHECK(composed(command::schedules{"q", {}}, stateless) == "schedules(q)");

    const row empty{binary(0L), null, null, null, null, null, null, null, null,
                    null,       null, null, null, null, null, null, null, null};
    const auto none = test::read(command::schedules{"q", {}}, {{}, rows({empty})}).value();
    CHECK(none.now == y2000);
    CHECK(none.notifies);
    CHECK(none.all.empty());
    CHECK_FALSE(test::read(command::schedules{"q", {}}, {rows({empty})}, stateless).value().notifies);

    const row whole{binary(0L), "n",        "job",        binary(3),  "@daily",    "UTC",
                    binary(6L), binary(7L), binary(8L),   binary(9),  binary(10L), "q",
                    binary(1L), binary(2L), binary(123L), binary(4L), "why",       binary(5L)};
    const row least{binary(0L), "m",  "job", binary(3), "@daily", "UTC", binary(0L), null, null,
                    binary(1),  null, "a",   null,      null,     null,  null,       "",   binary(5L)};
    const auto list = test::read(command::schedules{"q", {}}, {{}, rows({whole, least})}).value();
    REQUIRE(list.all.size() == 2);
    const auto& s = list.all[0];
    CHECK(s.name == "n");
    CHECK(s.entrypoint == "job");
    CHECK(s.lane == lane_id{3});
    CHECK(s.jitter == 6us);
    CHECK(s.starts_at == y2000 + 7us);
    CHECK(s.ends_at == y2000 + 8us);
    CHECK(s.missed_count == 9);
    CHECK(s.missed_age == 10us);
    CHECK(s.overlap == overlap::queue_one);
    CHECK(s.next_at == y2000 + 1us);
    CHECK(s.fired_at == y2000 + 2us);
    CHECK(s.fired_job == job_id{123});
    CHECK(s.paused_at == y2000 + 4us);
    CHECK(s.pause_reason == "why");
    CHECK(s.declared_at == y2000 + 5us);
    const auto& m = list.all[1];
    CHECK_FALSE((m.starts_at || m.ends_at || m.missed_age || m.next_at || m.fired_at || m.fired_job || m.paused_at));
}

TEST_CASE("fire_schedules sends all ticks at once, and wakes the lanes of those that were fired",
          "[driver][pq][command]") {
    const std::vector<schedule_firing> all{
        {.name = "a", .lane = {3}, .expected = time_point{1us}, .next = time_point{9us}, .ticks = {time_point{1us}}},
        {.name = "b", .lane = {4}, .expected = time_point{2us}, .ticks = {time_point{2us}, time_point{3us}}}};
    command::fire_schedules f{"q", all};
    CHECK(composed(f) == "fire_schedules(q, {a,b}, {1,2}, {9,null}, {1,2,2}, {1,2,3})");
    CHECK(composed(command::fire_schedules{"q", {}}).empty());
    CHECK(f.wakes().empty());

    const auto reply =
        test::read(f, {rows({{binary(5L), binary(2), "f", null, array({7L, 8L}), array({"", "no"})},
                             {binary(5L), binary(1), "n", binary(6L), array<long>({}), array<long>({})}})})
            .value();
    CHECK(reply.now == y2000 + 5us);
    REQUIRE(reply.all.size() == 2);
    CHECK(reply.all[0].outcome == fire_outcome::not_expected);
    CHECK(reply.all[0].next_at == y2000 + 6us);
    CHECK(reply.all[0].ticks.empty());
    CHECK(reply.all[1].outcome == fire_outcome::fired);
    CHECK_FALSE(reply.all[1].next_at);
    REQUIRE(reply.all[1].ticks.size() == 2);
    CHECK(reply.all[1].ticks[0].job == job_id{7});
    CHECK(reply.all[1].ticks[1].reason == "no");
    CHECK(f.wakes().lanes == std::vector{lane_id{4}});
    CHECK(f.wakes().noted);
    CHECK(test::read(f, {rows({{binary(5L), binary(3), "f", null, array<long>({}), array<long>({})}})}).error() ==
          errc::protocol);
    CHECK_FALSE(test::read(f, {test::failed("57014")}).has_value());
}

TEST_CASE("change_schedule wakes the lane of a job that it has enqueued", "[driver][pq][command]") {
    command::change_schedule pause{"q", "a", schedule_change::pause, "why"};
    CHECK(composed(pause) == "change_schedule(q, a, p, why)");
    CHECK(test::read(pause, {rows({{truth(true), null, "", null}})}).value().changed);
    CHECK(pause.wakes().empty());
    command::change_schedule fire{"q", "a", schedule_change::fire_now, ""};
    const auto fired = test::read(fire, {rows({{truth(true), binary(7L), "", binary(3)}})}).value();
    CHECK(fired.fired.job == job_id{7});
    CHECK(fire.wakes().lanes == std::vector{lane_id{3}});
}

TEST_CASE("prune_schedules counts", "[driver][pq][command]") {
    const command::prune_schedules prune{"q", 1h};
    CHECK(composed(prune) == "prune_schedules(q, 3600000000)");
    CHECK(test::read(prune, {rows({{binary(2L)}})}).value() == 2);
}

}  // namespace unit_driver_pq_command_admin_schedules
