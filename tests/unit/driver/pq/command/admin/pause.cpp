#include <pgq/driver/pq/command/admin/inspect.hpp>
#include <pgq/driver/pq/command/admin/pause.hpp>
#include <pgq/driver/pq/command/worker_leases.hpp>

#include <support/catch.hpp>
#include <support/composed.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace unit_driver_pq_command_admin_pause {

using namespace pgq;
using test::array;
using test::binary;
using test::composed;
using test::null;
using test::rows;
namespace command = driver::pq::command::admin;

namespace {

const std::string yes{"\1", 1}, no{"\0", 1};

}  // namespace

TEST_CASE("pause and drain are one statement each, which says whether something has changed",
          "[driver][pq][command][pause]") {
    command::pause pause{{"q", "mail", pause_kind::paused, "maintenance"}};
    CHECK(composed(pause) == "pause(q, mail, maintenance, paused)");
    CHECK(test::read(pause, {rows({{yes}})}).value());
    CHECK_FALSE(test::read(pause, {rows({{no}})}).value());
    CHECK(test::read(pause, {test::failed("42501")}).error().code == make_sqlstate("42501"));
    CHECK(composed(command::pause{{"q", "", pause_kind::draining, "x"}}) == "pause(q, , x, draining)");
}

TEST_CASE("resume names exactly what is resumed", "[driver][pq][command][pause]") {
    command::resume resume{"q", ""};
    CHECK(composed(resume) == "resume(q, )");
    CHECK(test::read(resume, {rows({{yes}})}).value());
    CHECK_FALSE(test::read(resume, {rows({{no}})}).value());
    CHECK_FALSE(test::read(resume, {test::failed("57014")}).has_value());
}

TEST_CASE("paused reads what, since when and why", "[driver][pq][command][pause]") {
    command::paused paused{"q"};
    CHECK(composed(paused) == "find_paused(q)");
    const auto all = test::read(paused, {rows({{"", "", "paused", binary(1'000'000L), "all"},
                                               {"q", "mail", "draining", binary(2'000'000L), ""}})})
                         .value();
    REQUIRE(all.size() == 2);
    const time_point first{std::chrono::seconds{1}}, second{std::chrono::seconds{2}};
    CHECK(all[0] == paused_scope{"", "", pause_kind::paused, first, "all"});
    CHECK(all[1] == paused_scope{"q", "mail", pause_kind::draining, second, ""});
    CHECK_FALSE(test::read(paused, {test::failed("57014")}).has_value());
}

TEST_CASE("counts says whether the lane is paused or draining", "[driver][pq][command][pause]") {
    command::counts counts{lane_id{3}};
    CHECK(composed(counts) == "counts(3)");
    CHECK(test::read(counts, {rows({{binary(1L), binary(2L), binary(3L), binary(4L), yes, no, binary(5L)}})}).value() ==
          lane_counts{.ready = 1, .deferred = 2, .leased = 3, .held = 4, .paused = true, .blocked = 5});
    CHECK(test::read(counts, {rows({{binary(0L), binary(0L), binary(0L), binary(0L), no, yes, binary(0L)}})}).value() ==
          lane_counts{.draining = true});
}

TEST_CASE("the state of a lease says whether its lane is paused", "[driver][pq][command][pause]") {
    driver::pq::command::lease_updates updates{worker_id{7}};
    CHECK(composed(updates) == "leases_of(7)");
    const std::string place(6, '\0');
    const auto all =
        test::read(updates, {rows({{binary(1L), place, null, null, yes}, {binary(2L), place, null, null, no}})})
            .value();
    REQUIRE(all.size() == 2);
    CHECK(all[0].paused);
    CHECK_FALSE(all[1].paused);
}

}  // namespace unit_driver_pq_command_admin_pause
