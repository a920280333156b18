#include <pgq/driver/pq/command/admin/action.hpp>
#include <pgq/driver/pq/command/admin/doctor.hpp>
#include <pgq/driver/pq/command/admin/listing.hpp>

#include <support/catch.hpp>
#include <support/composed.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

// Commands of an operator, who knows no job types.
namespace unit_driver_pq_command_admin_operator {

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
constexpr std::array lanes{lane_id{3}, lane_id{4}};
const std::vector<job_place> known{{.id = {7}, .lane = lane_id{3}, .rank = {-1}},
                                   {.id = {8}, .lane = lane_id{4}, .rank = {-2}}};
const std::vector<job_place> unknown{{.id = {7}, .lane = lane_id{3}, .rank = {-1}}, {.id = {8}}};

command::act acting(job_action what, const std::vector<job_place>& jobs, lane_id to = {}) {
    return command::act{{.what = what, .jobs = jobs, .to = to}};
}

}  // namespace

TEST_CASE("list_lanes reads rules, and what has none", "[driver][pq][command][admin]") {
    const command::list_lanes c{{.queue = "q", .after = {2}, .most = 5}};
    CHECK(composed(c) == "list_lanes(q, , 2, 5)");
    const auto all =
        test::read(c, {rows({{binary(3), "q", "job", "2", binary(9), binary(7'000'000L), truth(true), truth(false)},
                             {binary(4), "q", "other", "", null, null, truth(false), truth(true)}})})
            .value();
    REQUIRE(all.size() == 2);
    CHECK(all[0] == listed_lane{.id = {3},
                                .queue = "q",
                                .entrypoint = "job",
                                .version = "2",
                                .dead_letters = lane_id{9},
                                .keep_failures = 7s,
                                .paused = true});
    CHECK(all[1] == listed_lane{.id = {4}, .queue = "q", .entrypoint = "other", .draining = true});
    CHECK(test::read(c, {test::failed("57014")}).error().code == make_sqlstate("57014"));
}

TEST_CASE("list_jobs binds what is selected, and nulls for what is not", "[driver][pq][command][admin]") {
    CHECK(composed(command::list_jobs{{}}) ==
          "list_jobs(null, wdblh, -1, 9223372036854775807, {}, {}, , null, null, 50, 10000)");
    const std::array<header, 2> headers{{{"a", "1"}, {"b", "2"}}};
    const job_search r{.lanes = lanes,
                       .states = job_state::ready | job_state::held,
                       .after = {5},
                       .last = {99},
                       .headers = headers,
                       .reason = "no",
                       .enqueued_since = time_point{3s},
                       .enqueued_before = time_point{4s},
                       .most = 7,
                       .look = 100};
    CHECK(composed(command::list_jobs{r}) == "list_jobs({3,4}, wh, 5, 99, {a,b}, {1,2}, no, 3000000, 4000000, 7, 100)");
    CHECK(composed(command::list_jobs{{.lanes = std::span<const lane_id>{}}}).starts_with("list_jobs({}, "));
}

TEST_CASE("list_jobs reads jobs of each state, and where the next page begins", "[driver][pq][command][admin]") {
    const row ready{binary(7L), binary(3), binary(-1L), "w", binary(std::int16_t{0}), binary(0L), null, null, null,
                    "",         null,      null,        null};
    const row deferred{binary(8L),
                       binary(4),
                       binary(-1L),
                       "d",
                       binary(std::int16_t{2}),
                       binary(0L),
                       binary(5'000'000L),
                       binary(1'000'000L),
                       null,
                       "no luck",
                       array({"a", "1"}),
                       "key",
                       null};
    const row leased{binary(9L),
                     binary(4),
                     binary(-1L),
                     "l",
                     binary(std::int16_t{1}),
                     binary(0L),
                     null,
                     binary(2'000'000L),
                     binary(77),
                     "",
                     null,
                     null,
                     null};
    const auto last = [](test::cell next) {
        return row{null, null, null, null, null, null, null, null, null, null, null, null, std::move(next)};
    };
    const command::list_jobs c{{}};
    const auto page = test::read(c, {rows({ready, deferred, leased, last(binary(9L))})}).value();
    CHECK(page.next == job_id{9});
    REQUIRE(page.jobs.size() == 3);
    CHECK(page.jobs[0].state == job_state::ready);
    CHECK(page.jobs[0].lane == lane_id{3});
    CHECK(page.jobs[0].enqueued_at == y2000);
    CHECK_FALSE(page.jobs[0].since.has_value());
    CHECK_FALSE(page.jobs[0].key.has_value());
    CHECK(page.jobs[1].state == job_state::deferred);
    CHECK(page.jobs[1].attempts == 2);
    CHECK(page.jobs[1].run_at == y2000 + 5s);
    CHECK(page.jobs[1].since == y2000 + 1s);
    CHECK(page.jobs[1].reason == "no luck");
    CHECK(page.jobs[1].headers == std::vector<owned_header>{{"a", "1"}});
    CHECK(page.jobs[1].key == "key");
    CHECK(page.jobs[2].worker == worker_id{77});
    CHECK_FALSE(test::read(c, {rows({last(null)})}).value().next.has_value());
    auto broken = deferred;
    broken[10] = "not an array";
    CHECK(test::read(c, {rows({broken})}).error() == errc::protocol);
}

TEST_CASE("list_workers reads workers of lanes and of many queue names", "[driver][pq][command][admin]") {
    const command::list_workers c{{5}, 10};
    CHECK(composed(c) == "list_workers(5, 10)");
    const row of_lanes{binary(6),  "here",     binary(77),          "1.0",       array({3, 4}), null, null, null,
                       binary(0L), binary(1L), binary(15'000'000L), truth(true), binary(12L)};
    const row of_queues{binary(7),
                        "there",
                        binary(78),
                        "1.0",
                        array<int>({}),
                        "mail-",
                        array({"mail-a", "mail-b"}),
                        array({"send"}),
                        binary(0L),
                        binary(1L),
                        binary(15'000'000L),
                        truth(false),
                        binary(0L)};
    const auto all = test::read(c, {rows({of_lanes, of_queues})}).value();
    REQUIRE(all.size() == 2);
    CHECK(all[0].host == "here");
    CHECK(all[0].pid == 77);
    CHECK(all[0].lanes == std::vector<lane_id>{{3}, {4}});
    CHECK_FALSE(all[0].prefix.has_value());
    CHECK(all[0].heartbeat_at == y2000 + 1us);
    CHECK(all[0].lease_time == 15s);
    CHECK(all[0].alive);
    CHECK(all[0].running == 12);
    CHECK(all[1].prefix == "mail-");
    CHECK(all[1].queues == std::vector<std::string>{"mail-a", "mail-b"});
    CHECK(all[1].entrypoints == std::vector<std::string>{"send"});
    CHECK_FALSE(all[1].alive);
}

TEST_CASE("failed_groups reads counts that may be capped", "[driver][pq][command][admin]") {
    CHECK(composed(command::failed_groups{std::nullopt, 50}) == "failed_groups(null, 50)");
    const command::failed_groups c{lanes, 50};
    CHECK(composed(c) == "failed_groups({3,4}, 50)");
    const auto all =
        test::read(c, {rows({{binary(3), "no", binary(50L), truth(true), binary(0L), binary(7L)}})}).value();
    REQUIRE(all.size() == 1);
    CHECK(all[0].lane == lane_id{3});
    CHECK(all[0].reason == "no");
    CHECK(all[0].count == capped_count{50, true});
    CHECK(all[0].latest == y2000);
    CHECK(all[0].example == job_id{7});
}

TEST_CASE("an action says where jobs are only if it knows that of all of them", "[driver][pq][command][admin]") {
    CHECK(composed(acting(job_action::cancel, known)) == "cancel_at({7,8}, {3,4}, {-1,-2})");
    CHECK(composed(acting(job_action::cancel, unknown)) == "cancel_at({7,8}, null, null)");
    CHECK(composed(acting(job_action::move, known, {5})) == "move_jobs({7,8}, {3,4}, {-1,-2}, 5)");
    CHECK(composed(acting(job_action::requeue, known)) == "requeue({7,8})");
    CHECK(composed(acting(job_action::run_now, known)) == "run_now({7,8})");
    CHECK(composed(acting(job_action::drop, known)) == "drop_held({7,8})");
    auto poolers = test::own_session();
    poolers.keeps_state = false;
    CHECK(composed(acting(job_action::move, known, {5}), poolers) ==
          "move_jobs({7,8}, {3,4}, {-1,-2}, 5) + wake_all_collected(77)");
}

TEST_CASE("an action counts jobs and wakes their lanes", "[driver][pq][command][admin]") {
    auto cancel = acting(job_action::cancel, known);
    CHECK(test::read(cancel, {rows({{binary(1L), binary(1L)}})}).value() == action_reply{.done = 2, .stopping = 1});
    CHECK(cancel.wakes().noted);
    CHECK(test::read(cancel, {rows({{binary(0L), binary(0L)}})}).value() == action_reply{});
    CHECK(cancel.wakes().empty());
    for (const auto what : {job_action::requeue, job_action::run_now, job_action::move}) {
        auto c = acting(what, known);
        CHECK(test::read(c, {rows({{binary(2L), array({3, 4})}})}).value() == action_reply{.done = 2});
        CHECK(c.wakes().lanes == std::vector<lane_id>{{3}, {4}});
        CHECK(c.wakes().noted == (what == job_action::move));
        CHECK(test::read(c, {rows({{binary(0L), null}})}).value() == action_reply{});
        CHECK(c.wakes().empty());
    }
    auto drop = acting(job_action::drop, known);
    CHECK(test::read(drop, {rows({{binary(2L)}})}).value() == action_reply{.done = 2});
    CHECK(drop.wakes().empty());
    CHECK(test::read(drop, {test::failed("42501")}).error().code == make_sqlstate("42501"));
}

TEST_CASE("a worker is forgotten if it is dead or forced", "[driver][pq][command][admin]") {
    bool may_return = false;
    const auto answered = [&](bool forced, bool was_known, bool alive, bool may) {
        return test::read(command::forget_worker{{5}, forced, may_return},
                          {rows({{truth(was_known), truth(alive), truth(may)}})})
            .value();
    };
    CHECK(composed(command::forget_worker{{5}, true, may_return}) == "forget_worker(5, true)");
    CHECK(answered(false, true, false, true).forgotten);
    CHECK(may_return);
    const auto refused = answered(false, true, true, false);
    CHECK(refused.known);
    CHECK(refused.alive);
    CHECK_FALSE(refused.forgotten);
    CHECK_FALSE(may_return);
    CHECK(answered(true, true, true, false).forgotten);
    CHECK_FALSE(answered(true, false, false, false).forgotten);
    command::return_jobs back;
    CHECK(composed(back) == "rescue_leases()");
    const auto returned =
        test::read(back, {rows({{binary(2L), binary(1L), array({3}), null, null, null, null}})}).value();
    CHECK(returned.returned == 2);
    CHECK(returned.held == 1);
    CHECK(back.wakes().lanes == std::vector<lane_id>{{3}});
}

TEST_CASE("an examination is one transaction that only reads and puts its settings back",
          "[driver][pq][command][doctor]") {
    const command::examine_objects objects{std::chrono::seconds{2}};
    CHECK(composed(objects) == "begin_examination(2000, false) + find_objects() + end_examination()");
    const auto found =
        test::read(objects,
                   {rows({{}}), rows({{"c", "ready", "id", "bigint", "7", truth(true), "", truth(true), truth(false)}}),
                    rows({{}})})
            .value();
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == object_kind::column);
    CHECK(found[0].traits == "7");
    CHECK(found[0].fine);
    CHECK_FALSE(found[0].is_public);

    const command::examine_conditions jobs{{.part = condition_part::jobs,
                                            .limit = std::chrono::seconds{1},
                                            .late = std::chrono::seconds{3},
                                            .long_pause = std::chrono::seconds{4},
                                            .most = 5}};
    CHECK(composed(jobs) ==
          "begin_examination(1000, false) + find_job_conditions(5, 3000000, 4000000) + end_examination()");
    CHECK(composed(command::examine_conditions{{.dead_rows = 9, .owner = "o", .producer = "p", .reader = "r"}}) ==
          "begin_examination(0, false) + find_server_conditions(0, 9) + find_role_conditions(o, p, , , r) + "
          "end_examination()");
    const auto due = rows({{"due", "", "", binary(std::int64_t{2}), binary(std::int64_t{1'000'000})}});
    const auto read = test::read(jobs, {rows({{}}), due, rows({{}})}).value();
    REQUIRE(read.size() == 1);
    CHECK(read[0].code == "due");
    CHECK(read[0].count == 2);
    CHECK(read[0].age == std::chrono::seconds{1});
    CHECK(test::read(jobs, {rows({{}}), test::failed("42501")}).error().code == make_sqlstate("42501"));
}

}  // namespace unit_driver_pq_command_admin_operator
