#include <pgq/driver/pq/command/admin/cancel.hpp>
#include <pgq/driver/pq/command/admin/find.hpp>
#include <pgq/driver/pq/command/admin/find_one.hpp>
#include <pgq/driver/pq/command/admin/inspect.hpp>
#include <pgq/driver/pq/command/admin/problems.hpp>
#include <pgq/driver/pq/command/admin/revise.hpp>

#include <support/catch.hpp>
#include <support/composed.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

// Commands that look at jobs and change them.
namespace unit_driver_pq_command_admin_jobs {

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
constexpr std::array ids{job_id{7}, job_id{8}};
constexpr std::array lane{lane_id{3}};
constexpr std::array lanes{lane_id{3}, lane_id{4}};

row taken(std::int64_t id, std::int64_t place_in_lane) {
    return {binary(id), binary(3), binary(place_in_lane), binary(std::int16_t{2}), null, "body", null,
            binary(3L), null};
}

}  // namespace

TEST_CASE("cancel reports how many waited and how many run", "[driver][pq][command][cancel]") {
    command::cancel c{ids};
    CHECK(composed(c) == "cancel({7,8})");
    auto poolers = test::own_session();
    poolers.keeps_state = false;
    CHECK(composed(c, poolers) == "cancel({7,8}) + wake_all_collected(77)");
    CHECK(test::read(c, {rows({{binary(1L), binary(1L)}})}).value() == cancel_reply{.removed = 1, .stopping = 1});
    CHECK(c.wakes().noted);
    CHECK(test::read(c, {rows({{binary(0L), binary(2L)}})}).value().removed == 0);
    CHECK(c.wakes().empty());
}

TEST_CASE("requeue counts jobs and wakes their lanes", "[driver][pq][command][cancel]") {
    command::requeue r{ids};
    CHECK(composed(r) == "requeue({7,8})");
    CHECK(test::read(r, {rows({{binary(2L), array({3})}})}).value() == 2);
    CHECK(r.wakes().lanes == std::vector{lane_id{3}});
    CHECK(test::read(r, {test::failed("23505")}).error().code == make_sqlstate("23505"));
}

TEST_CASE("find asks for places, and reads ids in order", "[driver][pq][command][find]") {
    std::vector<job_id> found{{1}};
    const filter which = id_in({job_id{7}});
    command::find f{{.lanes = lanes, .where = job_state::ready | job_state::held, .which = &which, .limit = 5}, found};
    CHECK(f.check(test::own_session()).has_value());
    CHECK(composed(f) == "find({3,4}, wh, 5, {}, {7})");
    CHECK_FALSE(test::read(f, {test::failed("57014")}).has_value());
    CHECK(found == std::vector{job_id{1}});
    CHECK(test::read(f, {rows({{binary(7L)}, {binary(9L)}})}).has_value());
    CHECK(found == std::vector{job_id{7}, job_id{9}});
    CHECK(composed(command::find{{.lanes = lane}, found}) == "find({3}, wdblh, 9223372036854775807, {}, {})");
}

TEST_CASE("find_one sends one statement, and reads the values of each state", "[driver][pq][command][find]") {
    CHECK(composed(command::find_one{{INT64_MIN}}) == "find_one(-9223372036854775808)");
    CHECK(composed(command::find_one{{7}}, test::callers_transaction()) == "find_one(7)");
    CHECK_FALSE(test::read(command::find_one{{7}}, {test::failed("57014")}).has_value());
    CHECK(test::read(command::find_one{{7}}, {}).value() == std::nullopt);

    auto found = taken(7, rank::of(3).value);
    found[6] = array({"name", "value"});
    found.pop_back();
    for (const auto& more :
         row{"l", "q", "job", "v2", binary(5L), binary(6L), binary(9), "here", binary(77), binary(2), "why", null})
        found.push_back(more);
    const auto read = [&](const char* state) {
        found[8] = state;
        return test::read(command::find_one{{7}}, {rows({found})}).value().value();
    };
    const auto leased = read("l");
    CHECK(leased.id == job_id{7});
    CHECK(leased.lane == lane_id{3});
    CHECK(leased.priority() == 3);
    CHECK(leased.attempts == 2);
    CHECK(leased.body == "body");
    CHECK(leased.headers == std::vector{owned_header{"name", "value"}});
    CHECK(leased.enqueued_at == y2000 + 3us);
    CHECK(leased.queue == "q");
    CHECK(leased.entrypoint == "job");
    CHECK(leased.version == "v2");
    CHECK(leased.state == job_state::leased);
    CHECK(leased.holder->worker == worker_id{9});
    CHECK(leased.holder->host == "here");
    CHECK(leased.holder->pid == 77);
    CHECK(leased.holder->since == y2000 + 6us);
    CHECK(leased.reason == "why");
    CHECK_FALSE((leased.run_at || leased.end || leased.blocked_by != 0));

    CHECK(read("w").state == job_state::ready);
    CHECK_FALSE(read("w").holder);
    CHECK(read("d").run_at == y2000 + 5us);
    CHECK(read("b").state == job_state::blocked);
    CHECK(read("b").blocked_by == 2);
    CHECK_FALSE(read("b").run_at);
    CHECK(read("h").state == job_state::held);
    found[19] = "c";
    CHECK(read("e").state == job_state::ended);
    CHECK(read("e").end == end_kind::cancelled);
    CHECK(read("e").enqueued_at == time_point{});
    found[6] = "not an array";
    CHECK(test::read(command::find_one{{7}}, {rows({found})}).error() == errc::protocol);
}

TEST_CASE("held jobs, failures and open jobs are read from their rows", "[driver][pq][command][inspect]") {
    CHECK(composed(command::held{{3}, 10}) == "held(3, 10)");
    auto stored = taken(7, -1);
    stored[8] = "why";
    const auto held = test::read(command::held{{3}, 10}, {rows({stored})});
    REQUIRE(held.value().size() == 1);
    CHECK(held->front().id == job_id{7});
    CHECK(held->front().lane == lane_id{3});
    CHECK(held->front().attempts == 2);
    CHECK(held->front().reason == "why");
    CHECK(held->front().body == "body");

    CHECK(composed(command::failures{{7}}) == "failures(7)");
    const auto failures =
        test::read(command::failures{{7}}, {rows({{binary(std::int16_t{1}), binary(1'000'000L), "first"}})});
    REQUIRE(failures.value().size() == 1);
    CHECK(failures->front().attempt == 1);
    CHECK(failures->front().at == time_point{1s});
    CHECK(failures->front().reason == "first");

    CHECK(composed(command::open_jobs{{3}, 100}) == "open_jobs(3, 100)");
    CHECK(test::read(command::open_jobs{{3}, 100}, {rows({{binary(42L)}})}).value() == 42);
    CHECK(test::read(command::open_jobs{{3}, 100}, {test::failed("42P01")}).error() == condition::configuration);
}

TEST_CASE("a revision writes payload and progress in one transaction", "[driver][pq][command][revise]") {
    const revision both{.worker = {9}, .lease = 5, .job = {7}, .body = "new", .progress = "0.5"};
    CHECK(composed(command::revise{both}) == "revise_body(5, 9, 7, new) + revise_progress(5, 9, 7, 0.5)");
    CHECK(composed(command::revise{{.worker = {9}, .lease = 5, .job = {7}}}).empty());
    const auto found = rows({{binary(5L)}});
    CHECK(test::read(command::revise{both}, {found, found}).has_value());
    CHECK(test::read(command::revise{both}, {{}, {}}).error() == errc::lease_lost);
    const std::string large(1001, 'x');
    CHECK(command::revise{{.body = large}}.check(test::own_session()).error() == errc::payload_too_large);

    CHECK(composed(command::progress_of{{7}}) == "progress_of(7)");
    CHECK(test::read(command::progress_of{{7}}, {rows({{"0.25 half"}})}).value() == "0.25 half");
    CHECK(test::read(command::progress_of{{7}}, {}).value() == std::nullopt);
}

TEST_CASE("problems of the database are read as a name, a sentence and a remedy", "[driver][pq][command][problems]") {
    CHECK(composed(command::problems{}) == "find_problems()");
    const auto found = test::read(command::problems{}, {rows({{"h", "ready", truth(true), "app"},
                                                              {"f", "lease, ready", truth(false), "app"},
                                                              {"i", "ready", truth(true), "app"},
                                                              {"v", "ready", truth(false), "app"},
                                                              {"?", "ready", truth(false), "app"}})})
                           .value();
    REQUIRE(found.size() == 5);
    CHECK(found[0] ==
          database_problem{"row_security",
                           "row level security hides the rows of ready from the role \"app\": its jobs never run",
                           "ALTER TABLE ... DISABLE ROW LEVEL SECURITY, or ALTER ROLE \"app\" BYPASSRLS",
                           true,
                           {"ready"}});
    CHECK(found[1].tables == std::vector<std::string>{"lease", "ready"});
    CHECK(found[1].name == "row_security_policies");
    CHECK_FALSE(found[1].prevents_work);
    CHECK(found[2].name == "replica_identity");
    CHECK(found[2].prevents_work);
    CHECK(found[3].name == "autovacuum");
    CHECK(found[4].name == "unknown");
    CHECK(test::read(command::problems{}, {test::failed("57014")}).error().code == make_sqlstate("57014"));
}

}  // namespace unit_driver_pq_command_admin_jobs
