#include <pgq/driver/pq/command/sync.hpp>

#include <support/catch.hpp>
#include <support/composed.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace unit_driver_pq_command_sync {

using namespace pgq;
using namespace std::chrono_literals;
using test::array;
using test::binary;
using test::composed;
using test::null;
using test::peeked;
using test::place;
using test::row;
using test::rows;
namespace command = driver::pq::command;

namespace {

constexpr time_point y2000{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};
constexpr std::array one_lane{claim_lane{.lane = {3}, .cursor = {{-1}, {8}}, .max_attempts = 20}};
constexpr std::array from_the_start{claim_lane{.lane = {3}, .max_attempts = 20}};

driver::pq::session_info expecting_packs() {
    auto info = test::own_session();
    info.expects_packs = true;
    return info;
}

// A lease of two jobs, as a claim answers with it.
row lease(std::int64_t id, bool packs = false) {
    return {binary(id),
            place(65'537),
            binary(3),
            array({11L, 12L}),
            array({-1L}),
            array({std::int16_t{1}}),
            array({"a", "bc"}),
            null,
            null,
            array({5'000'000L}),
            null,
            binary(7'000'000L),
            test::truth(false),
            binary(std::int32_t{2}),
            packs ? test::truth(true) : null};
}

}  // namespace

TEST_CASE("finishing and claiming is one transaction in one round trip", "[driver][pq][command][sync]") {
    sync_reply reply;
    const std::array finished{lease_ref{5, 65'538}};
    const sync_request r{.worker = {9}, .finished = finished, .lanes = one_lane, .limit = 10, .max_bytes = 1000};
    CHECK(composed(command::sync{r, reply}) == "finish({@65538}, {5}, 9) + claim_one(3, -1, 8, 10, 9, 20, 1000)");
    const sync_request quick{.worker = {9}, .lanes = one_lane, .limit = 10, .counts_bytes = false};
    CHECK(composed(command::sync{quick, reply}) == "claim_few(3, -1, 8, 10, 9, 20)");
    const sync_request many{.worker = {9}, .lanes = one_lane, .limit = 33, .counts_bytes = false};
    CHECK(composed(command::sync{many, reply}) == "claim_one(3, -1, 8, 33, 9, 20, null)");
    CHECK(composed(command::sync{{.worker = {9}}, reply}).empty());
    CHECK(composed(command::sync{{.worker = {9}, .lanes = one_lane, .limit = 0}, reply}).empty());
}

TEST_CASE("everything of a sync has its place", "[driver][pq][command][sync]") {
    sync_reply reply;
    const std::array finished{lease_ref{5, 1}};
    const std::array kept{settlement{.index = 0, .kind = settle_kind::retry, .delay = 1s, .reason = "why"}};
    const std::array progressed{lease_progress{.ref = {6, 2}, .mask = "\1", .items = kept},
                                lease_progress{.ref = {7, 3}, .last = true, .mask = "\3", .items = kept}};
    const std::array limited{limited_lane{.lane = {4}, .most = 2, .max_attempts = 3}};
    const std::array freed{lane_id{4}};
    const sync_request all{.worker = {9},
                           .finished = finished,
                           .progressed = progressed,
                           .lanes = one_lane,
                           .limit = 10,
                           .max_bytes = 1000,
                           .limited = limited,
                           .limited_capacity = 5,
                           .lanes_with_capacity = freed,
                           .promote = true,
                           .peek_next_due = true,
                           .unsubscribe_wakes = true,
                           .contended = true,
                           .wake_peer = true};
    CHECK(composed(command::sync{all, reply}) ==
          "unsubscribe_wakes(77, 9) | take_claim_slot(77) + finish({@1}, {5}, 9)"
          " + settle(@2, 6, 9, \1, null, {1}, {r}, {1000000}, {why})"
          " + settle_ends({@3}, {7}, 9, {}, {0}, {true}, {1,0,0,0,0,0,0,0}, {r}, {1000000}, {why}, {null}, {null})"
          " + promote(0, 0, 0, 0) + unpack({3}, 10, false) + unpack({4}, 5, true) + claim_limited(9, false, 5, {4}, "
          "{2}, {3}, "
          "1000)"
          " + claim_in_slot(3, -1, 8, 10, 9, 20, false, 1000) + peek_next_due(0, 0, 0, 0)"
          " | wake_collected(77) | wake(77, {4,3,4})");
    auto poolers = test::own_session();
    poolers.keeps_state = false;
    const auto text = composed(command::sync{all, reply}, poolers);
    CHECK(text.substr(0, 15) == "take_claim_slot");
    CHECK(text.substr(text.find("peek_next_due")) ==
          "peek_next_due(0, 0, 0, 0) + wake_all_collected(77) | wake(77, {4,3,4})");
    auto told_beside = test::own_session();
    told_beside.listener = 4712;
    CHECK(composed(command::sync{all, reply}, told_beside).substr(0, 15) == "take_claim_slot");
    CHECK(composed(command::sync{{.worker = {9}, .subscribe_wakes = true}, reply}, told_beside).empty());
}

TEST_CASE("a claim unpacks first if packs were found before, and from the start of a lane",
          "[driver][pq][command][sync]") {
    sync_reply reply;
    const sync_request goes_on{.worker = {9}, .lanes = one_lane, .limit = 10, .max_bytes = 1000},
        begins{.worker = {9}, .lanes = from_the_start, .limit = 10};
    CHECK(composed(command::sync{goes_on, reply}) == "claim_one(3, -1, 8, 10, 9, 20, 1000)");
    CHECK(composed(command::sync{goes_on, reply}, expecting_packs()) == "claim_packed(3, -1, 8, 10, 9, 20, 1000)");
    CHECK(composed(command::sync{begins, reply}).substr(0, 24) == "unpack({3}, 10, false) +");
    const filter every{};
    const auto apart =
        composed(command::sync{{.worker = {9}, .lanes = one_lane, .limit = 10, .claim_filter = &every}, reply},
                 expecting_packs());
    CHECK(apart == "unpack({3}, 10, false) + claim_apart_one(3, 10, 9, 20)");
}

TEST_CASE("a session remembers whether its latest claim or unpack has found packs", "[driver][pq][command][sync]") {
    sync_reply reply;
    auto info = expecting_packs();
    command::sync packed{{.worker = {9}, .lanes = one_lane, .limit = 10, .max_bytes = 1000}, reply};
    CHECK(test::read(packed, {rows({lease(1)})}, info).has_value());
    packed.learn(info);
    CHECK_FALSE(info.expects_packs);
    command::sync unpacks{{.worker = {9}, .lanes = from_the_start, .limit = 10}, reply};
    CHECK(test::read(unpacks, {rows({{binary(4L)}}), {}}, info).has_value());
    unpacks.learn(info);
    CHECK(info.expects_packs);
    command::sync looks_at_none{{.worker = {9}, .peek_next_due = true}, reply};
    CHECK(test::read(looks_at_none, {}, info).has_value());
    looks_at_none.learn(info);
    CHECK(info.expects_packs);
}

TEST_CASE("a sync reads the leases that it has claimed", "[driver][pq][command][sync]") {
    sync_reply reply;
    CHECK(test::read(command::sync{{.worker = {9}, .lanes = one_lane, .limit = 10, .max_bytes = 1000}, reply},
                     {rows({lease(41)})})
              .has_value());
    REQUIRE(reply.leases.size() == 1);
    const auto& got = reply.leases[0];
    CHECK(got.ref == lease_ref{41, 65'537});
    CHECK(got.lane == lane_id{3});
    CHECK(got.claimed_at == y2000 + 7s);
    REQUIRE(got.jobs.size() == 2);
    CHECK(got.jobs[1].id == job_id{12});
    CHECK(got.jobs[1].rank == rank{-1});
    CHECK(got.jobs[1].attempt == 1);
    CHECK(got.jobs[1].body == "bc");
    CHECK(got.jobs[1].enqueued_at == y2000 + 5s);
    CHECK(reply.claimed() == 2);
    CHECK(reply.has_large == false);
    CHECK_FALSE(reply.cut);
}

TEST_CASE("a claim tells whether there are large payloads, and more jobs than fit", "[driver][pq][command][sync]") {
    sync_reply reply;
    const auto claim = [&](const row& answer) {
        const sync_request r{.worker = {9}, .lanes = one_lane, .limit = 10, .max_bytes = 1000};
        REQUIRE(test::read(command::sync{r, reply}, {rows({answer})}).has_value());
    };
    auto some = lease(41), unknown = lease(42);
    some[12] = test::truth(true);
    some[13] = binary(std::int32_t{5});
    unknown[12] = null;
    claim(some);
    CHECK(reply.has_large == true);
    CHECK(reply.cut);
    claim(unknown);
    CHECK_FALSE(reply.has_large.has_value());
    CHECK_FALSE(reply.cut);
}

TEST_CASE("each job of a lease has its own enqueue time, or all have the only one", "[driver][pq][command][sync]") {
    sync_reply reply;
    auto each = lease(41), none = lease(42);
    each[9] = array({-1'000'000L, 7L});
    none[9] = array({1L, 2L, 3L});
    CHECK(test::read(command::sync{{.worker = {9}, .lanes = one_lane, .limit = 10, .max_bytes = 1000}, reply},
                     {rows({each})})
              .has_value());
    CHECK(reply.leases.at(0).jobs.at(0).enqueued_at == y2000 - 1s);
    CHECK(reply.leases.at(0).jobs.at(1).enqueued_at == y2000 + 7us);
    CHECK(test::read(command::sync{{.worker = {9}, .lanes = one_lane, .limit = 10, .max_bytes = 1000}, reply},
                     {rows({none})})
              .error() == errc::protocol);
}

TEST_CASE("a sync reports leases that were lost or have moved", "[driver][pq][command][sync]") {
    sync_reply reply;
    const std::array finished{lease_ref{5, 1}, lease_ref{6, 2}};
    const std::array progressed{lease_progress{.ref = {7, 3}, .mask = "\1"},
                                lease_progress{.ref = {8, 4}, .mask = "\1"},
                                lease_progress{.ref = {9, 5}, .last = true, .mask = "\1"}};
    command::sync e{{.worker = {9}, .finished = finished, .progressed = progressed, .peek_next_due = true}, reply};
    CHECK(composed(e) ==
          "finish({@1,@2}, {5,6}, 9) + mark(@3, 7, 9, \1, null) + mark(@4, 8, 9, \1, null)"
          " + settle_ends({@5}, {9}, 9, {}, {-1}, {false}, {}, {}, {}, {}, {}, {null}) + peek_next_due(0, 0, 0, 0)");
    command::sync again{{.worker = {9}, .finished = finished, .progressed = progressed, .peek_next_due = true}, reply};
    CHECK(test::read(again, {rows({{array({6L}), binary(2L)}}),
                             rows({{binary(7L), place(77)}}),
                             {},
                             rows({{array<std::int64_t>({}), null, null}}),
                             rows({peeked(binary(1'500'000L), 0us, true)})})
              .has_value());
    CHECK(reply.lost == std::vector<std::int64_t>{5, 8, 9});
    CHECK(reply.moved == std::vector{lease_ref{7, 77}});
    CHECK(reply.promoted == 2);
    CHECK(reply.next_due == duration{1500ms});
    CHECK(reply.workers == 3);
}

TEST_CASE("a sync that promotes tells where the promoted jobs of each lane begin, if it knows that of all",
          "[driver][pq][command][sync]") {
    sync_reply reply;
    const auto promoted = rows({{binary(3L), null, null, array({4, 7}), array({-1L, -2L}), array({11L, 5L})}});
    CHECK(test::read(command::sync{{.worker = {9}, .promote = true}, reply}, {promoted}).has_value());
    CHECK(reply.promoted == 3);
    REQUIRE(reply.promoted_lanes.size() == 2);
    CHECK(reply.promoted_lanes[0].lane == lane_id{4});
    CHECK(reply.promoted_lanes[0].first == claim_cursor{pgq::rank{-1}, {11}});
    CHECK(reply.promoted_lanes[1].lane == lane_id{7});
    CHECK(reply.promoted_lanes[1].first == claim_cursor{pgq::rank{-2}, {5}});

    // The end of a lease has unblocked a job, wherever that is.
    const std::array finished{lease_ref{5, 1}};
    command::sync unblocks{{.worker = {9}, .finished = finished, .promote = true}, reply};
    CHECK(test::read(unblocks, {rows({{array({5L}), binary(1L)}}), promoted}).has_value());
    CHECK(reply.promoted == 4);
    CHECK(reply.promoted_lanes.empty());
    const auto none = rows({{binary(0L), null, null, null, null, null}});
    CHECK(test::read(command::sync{{.worker = {9}, .promote = true}, reply}, {none}).has_value());
    CHECK(reply.promoted == 0);
}

TEST_CASE("after a slow peek from the start, the session promotes and peeks behind a cursor",
          "[driver][pq][command][sync]") {
    sync_reply reply;
    auto info = test::own_session();
    const sync_request r{.worker = {9}, .promote = true, .peek_next_due = true};
    const auto look = [&](pgq::duration took, bool scanned) {
        command::sync peek{r, reply};
        const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(took);
        CHECK(test::read(peek,
                         {rows({{binary(0L), null, null, null, null, null}}), rows({peeked(null, micros, scanned)})},
                         info)
                  .has_value());
        peek.learn(info);
    };
    look(100us, true);
    CHECK(reply.next_due == std::nullopt);
    CHECK(composed(command::sync{r, reply}, info)
              .find("promote(946684798950000, 946684797950000, 946684800000000, "
                    "946684800000000)") == 0);  // valid never
    for (int i = 0; i < 3; ++i) look(10ms, true);
    CHECK(reply.next_due == std::nullopt);
    CHECK(composed(command::sync{r, reply}, info) ==
          "promote(946684798950000, 946684797950000, 946684800000000, 946684801200000)"
          " + peek_next_due(946684798950000, 946684797950000, 946684800000000, 946684801200000)"
          " | wake_collected(77)");
    look(10us, false);
    CHECK(reply.next_due == pgq::duration{1200ms});  // the next full scan
}

TEST_CASE("a claim from limited lanes tells when another may bring more", "[driver][pq][command][sync]") {
    sync_reply reply;
    const std::array limited{limited_lane{.lane = {4}, .most = 2, .max_attempts = 3}};
    const auto about = [](std::int64_t wait) {
        row r(12, null);
        r.push_back(binary(wait));
        return r;
    };
    command::sync e{{.worker = {9}, .limited = limited, .limited_capacity = 5}, reply};
    CHECK(test::read(e, {{}, rows({about(2'000'000), about(1'000'000), about(0)})}).has_value());
    CHECK(reply.again == duration{1s});
    CHECK(reply.peers_can_claim_limited);
    CHECK(reply.leases.empty());
}

TEST_CASE("a failed sync leaves the reply empty, and a failed wake does not fail the sync",
          "[driver][pq][command][sync]") {
    sync_reply reply{.lost = {1}};
    command::sync e{{.worker = {9}, .lanes = one_lane, .limit = 10, .max_bytes = 1000}, reply};
    CHECK(test::read(e, {test::failed("57P01")}).error().code == make_sqlstate("57P01"));
    CHECK(reply.lost.empty());
    command::sync passes_on{{.worker = {9}, .lanes = one_lane, .limit = 10, .wake_peer = true}, reply};
    CHECK(test::read(passes_on, {rows({lease(41)}), test::failed("57014")}).has_value());
    CHECK(reply.claimed() == 2);
    auto broken = lease(1);
    broken[6] = array({"only one"});
    CHECK(test::read(command::sync{{.worker = {9}, .lanes = one_lane, .limit = 10, .max_bytes = 1000}, reply},
                     {rows({broken})})
              .error() == errc::protocol);
}

TEST_CASE("a search for lanes comes last, behind the claim of the same transaction",
          "[driver][pq][command][sync][names]") {
    const std::array kinds{lane_name{"note", ""}, lane_name{"note", "2"}};
    const served_queues queues{.prefix = "tenant-", .lanes = kinds};
    const lane_search search{.served = &queues, .behind = {4}, .most = 3};
    sync_reply reply;
    const sync_request r{.worker = {9}, .subscribe_wakes = true, .search = &search};
    command::sync s{r, reply};
    CHECK(composed(s) ==
          "join_sleepers(77) | subscribe_wakes(77, 9) | search_lanes(4, 3, tenant-, null, {note,note}, {,2})");
    const auto found = rows(
        {{binary(3L), binary(8), array({5, 8}), array({"tenant-a", "tenant-b"}), array({2, 1}), array({"\1", "x"})}});
    REQUIRE(test::read(s, {rows({}), rows({}), found}));
    REQUIRE(reply.found.lanes.size() == 2);
    CHECK(reply.found.lanes[0].lane == lane_id{5});
    CHECK(reply.found.lanes[0].queue == "tenant-a");
    CHECK(reply.found.lanes[0].name == 1);
    CHECK(reply.found.lanes[0].limited);
    CHECK(reply.found.lanes[1].name == 0);
    CHECK_FALSE(reply.found.lanes[1].limited);
    CHECK(reply.found.continues_behind == lane_id{8});

    command::sync last{r, reply};
    (void)composed(last);
    REQUIRE(test::read(last, {rows({}), rows({}), rows({{binary(0L), null, null, null, null, null}})}));
    CHECK(reply.found.lanes.empty());
    CHECK_FALSE(reply.found.continues_behind);
}

}  // namespace unit_driver_pq_command_sync
