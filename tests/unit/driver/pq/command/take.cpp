#include <pgq/driver/pq/command/take.hpp>

#include <support/catch.hpp>
#include <support/composed.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

// Commands that take jobs without a lease.
namespace unit_driver_pq_command_take {

using namespace pgq;
using namespace std::chrono_literals;
using test::array;
using test::binary;
using test::composed;
using test::null;
using test::row;
using test::rows;
namespace command = driver::pq::command;

namespace {

constexpr time_point y2000{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};
constexpr std::array lane{lane_id{3}};
constexpr std::array lanes{lane_id{3}, lane_id{4}};

row taken(std::int64_t id, std::int64_t place_in_lane) {
    return {binary(id), binary(3), binary(place_in_lane), binary(std::int16_t{2}), null, "body", null,
            binary(3L), null};
}

}  // namespace

TEST_CASE("a take promotes, unpacks, takes and reads the next due time in one transaction",
          "[driver][pq][command][take]") {
    take_reply reply;
    CHECK(composed(command::take{{.lanes = lane, .limit = 2, .peek_next_due = true}, reply}) ==
          "promote(0, 0, 0, 0) + unpack({3}, 2, false) + take_one(3, 2) + peek_next_due(0, 0, 0, 0)");
    CHECK(composed(command::take{{.lanes = lanes, .promote = false}, reply}) ==
          "unpack({3,4}, 1, false) + take_many({3,4}, 1)");
    const filter which = id_in({job_id{7}});
    CHECK(composed(command::take{{.lanes = lane, .where = &which, .promote = false}, reply}) ==
          "unpack({3}, null, false) + take_filtered(3, 1, {}, {7})");
    CHECK(composed(command::take{{.lanes = {}, .promote = false}, reply}).empty());
}

TEST_CASE("a take in a caller's transaction promotes nothing, but unpacks", "[driver][pq][command][take]") {
    take_reply reply;
    for (const auto& info : {test::callers_transaction(), test::own_transaction()})
        CHECK(composed(command::take{{.lanes = lane}, reply}, info) == "unpack({3}, 1, false) + take_one(3, 1)");
}

TEST_CASE("a take that never waits peeks each 64th time, so that its promotions do not read what has gone",
          "[driver][pq][command][take]") {
    take_reply reply;
    auto info = test::own_session();
    const take_request r{.lanes = lane};
    const auto nothing = rows({{binary(0L)}});
    for (int i = 0; i < 64; ++i) {
        command::take t{r, reply};
        CHECK(composed(t, info).find("peek_next_due") == std::string::npos);
        CHECK(test::read(t, {nothing, nothing, {}}, info).has_value());
        t.learn(info);
    }
    command::take t{r, reply};
    CHECK(test::read(t, {nothing, nothing, {}, rows({test::peeked(binary(5000L), 10ms, true)})}, info).has_value());
    for (int i = 0; i < 3; ++i) t.learn(info);
    CHECK(reply.next_due == std::nullopt);  // nobody asked
    CHECK(info.deferred.should_peek());
    CHECK(composed(command::take{r, reply}, info).find("promote(946684798950000, ") == 0);
}

TEST_CASE("a take reads its jobs, best first, and what has become claimable", "[driver][pq][command][take]") {
    take_reply reply;
    auto second = taken(5, 1);
    second[4] = "key";
    second[6] = array({"name", "value"});
    command::take t{{.lanes = lane, .limit = 2, .peek_next_due = true}, reply};
    const auto nothing = rows({{binary(0L)}}), some = rows({{binary(3L)}});
    CHECK(test::read(t, {nothing, nothing, rows({second, taken(6, 0)}), rows({test::peeked(binary(5000L), 0us, true)})})
              .has_value());
    REQUIRE(reply.jobs.size() == 2);
    CHECK(reply.jobs[0].id == job_id{6});
    CHECK(reply.jobs[0].attempts == 2);
    CHECK(reply.jobs[0].enqueued_at == y2000 + 3us);
    CHECK(reply.jobs[1].headers == std::vector{owned_header{"name", "value"}});
    CHECK(reply.jobs[1].key == "key");
    CHECK(reply.next_due == duration{5ms});
    CHECK(t.wakes().empty());
    command::take unpacked{{.lanes = lane, .promote = false}, reply}, ended{{.lanes = lane, .promote = false}, reply};
    CHECK(test::read(unpacked, {some, {}}).has_value());
    CHECK(unpacked.wakes().noted);
    auto waited_for = taken(6, 0);
    waited_for[8] = binary(1L);
    CHECK(test::read(ended, {nothing, rows({waited_for})}).has_value());
    CHECK(ended.wakes().noted);
    CHECK(test::read(ended, {nothing, test::failed("40001")}).error() == condition::contention);
    CHECK(reply.jobs.empty());
}

TEST_CASE("a job that was taken can be held", "[driver][pq][command][take]") {
    const taken_record job{.id = {7},
                           .lane = {3},
                           .rank = {-1},
                           .attempts = 2,
                           .enqueued_at = time_point{1s},
                           .body = "b",
                           .headers = {{"n", "v"}},
                           .key = "k"};
    CHECK(composed(command::hold_taken{job, "unreadable"}) ==
          "hold_taken(7, -1, 3, 2, unreadable, {k}, {n}, {v}, b, 1000000)");
    CHECK(test::read(command::hold_taken{job, "unreadable"}, {}).has_value());
    CHECK_FALSE(test::read(command::hold_taken{job, "unreadable"}, {test::failed("23505")}).has_value());
}

}  // namespace unit_driver_pq_command_take
