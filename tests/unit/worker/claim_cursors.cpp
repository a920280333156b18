#include <pgq/worker/claim_cursors.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace unit_worker_claim_cursors {

using pgq::claim_cursor;
using pgq::claimed_lease;
using pgq::lane_id;
using pgq::promoted_lane;
using pgq::detail::claim_cursors;

namespace {

constexpr lane_id first{1}, second{2};

claimed_lease lease_of(lane_id lane, std::vector<std::int64_t> ids) {
    claimed_lease l{.lane = lane};
    for (const auto id : ids) l.jobs.push_back({.id = {id}, .rank = pgq::rank::of(0)});
    return l;
}
claim_cursor at(std::int64_t id) { return {pgq::rank::of(0), {id}}; }

struct two_lanes : claim_cursors {
    two_lanes() {
        add({.lane = first, .max_attempts = 3});
        add({.lane = second, .max_attempts = 5});
    }
    void claim(bool from_start, std::vector<claimed_lease> leases) {
        (void)to_claim(from_start);
        claimed(true, from_start, leases);
    }
    claim_cursor cursor(std::size_t i) { return to_claim(false)[i].cursor; }
};

}  // namespace

TEST_CASE("a worker claims from all of its lanes, at first from their start", "[worker][claim_cursors]") {
    two_lanes c;
    const auto lanes = c.to_claim(false);
    REQUIRE(lanes.size() == 2);
    CHECK(lanes[0].lane == first);
    CHECK(lanes[0].max_attempts == 3);
    CHECK(lanes[0].cursor == claim_cursor{});
    CHECK(lanes[1].lane == second);
}

TEST_CASE("the next claim starts behind the last job of the one before, in each lane", "[worker][claim_cursors]") {
    two_lanes c;
    c.claim(true, {lease_of(first, {4, 7})});
    CHECK(c.cursor(0) == at(7));
    CHECK(c.cursor(1) == claim_cursor{});
    c.claim(false, {lease_of(first, {5}), lease_of(second, {9})});
    CHECK(c.cursor(0) == at(7));  // a cursor does not go back for what was locked by others before
    CHECK(c.cursor(1) == at(9));
}

TEST_CASE("a claim from the start uses no cursor, and sets them anew", "[worker][claim_cursors]") {
    two_lanes c;
    c.claim(true, {lease_of(first, {7}), lease_of(second, {9})});
    CHECK(c.to_claim(true)[0].cursor == claim_cursor{});
    CHECK(c.to_claim(true)[0].exact);
    c.claimed(true, true, std::vector{lease_of(first, {3})});
    CHECK(c.cursor(0) == at(3));
    CHECK(c.cursor(1) == claim_cursor{});
}

TEST_CASE("a sync that claims nothing leaves the cursors where they are", "[worker][claim_cursors]") {
    two_lanes c;
    c.claim(true, {lease_of(first, {7})});
    (void)c.to_claim(true);
    c.claimed(false, true, {});
    CHECK(c.cursor(0) == at(7));
}

TEST_CASE("a cursor moves before a job that goes back, and the next claim keeps exactly to it",
          "[worker][claim_cursors]") {
    two_lanes c;
    c.claim(true, {lease_of(first, {3, 7})});
    CHECK_FALSE(c.to_claim(false)[0].exact);
    c.requeued(first, {.id = {5}, .rank = pgq::rank::of(0)});
    CHECK(c.cursor(0) == at(4));
    CHECK(c.to_claim(false)[0].exact);
    c.requeued(first, {.id = {6}, .rank = pgq::rank::of(0)});
    CHECK(c.cursor(0) == at(4));
    c.claim(false, {});
    CHECK_FALSE(c.to_claim(false)[0].exact);
}

TEST_CASE("a cursor moves before promoted jobs that the claim has not seen", "[worker][claim_cursors]") {
    two_lanes c;
    c.claim(true, {lease_of(first, {7}), lease_of(second, {9})});
    (void)c.to_claim(false);
    c.claimed(true, false, std::vector{lease_of(first, {8, 11})});
    CHECK_FALSE(c.promoted(true, std::vector{promoted_lane{first, at(8)}}));  // behind the cursor of then
    CHECK(c.cursor(0) == at(11));
    CHECK_FALSE(c.to_claim(false)[0].exact);
    (void)c.to_claim(false);
    CHECK(c.promoted(true, std::vector{promoted_lane{first, at(5)}, promoted_lane{lane_id{3}, at(1)}}));
    CHECK(c.cursor(0) == at(4));
    CHECK(c.cursor(1) == at(9));
    CHECK(c.to_claim(false)[0].exact);
}

TEST_CASE("a sync that claims nothing, or perhaps not behind the cursors, has not seen what it promotes",
          "[worker][claim_cursors]") {
    two_lanes c;
    c.claim(true, {lease_of(first, {7})});
    (void)c.to_claim(false);
    CHECK(c.promoted(false, std::vector{promoted_lane{first, at(9)}}));
    CHECK(c.cursor(0) == at(7));
    CHECK(c.to_claim(false)[0].exact);
}

TEST_CASE("a claim from the start has seen all that the same sync promotes", "[worker][claim_cursors]") {
    two_lanes c;
    c.claim(true, {lease_of(first, {7})});
    c.claim(true, {lease_of(first, {3, 9})});
    CHECK_FALSE(c.promoted(true, std::vector{promoted_lane{first, at(3)}}));
    CHECK(c.cursor(0) == at(9));
}

TEST_CASE("a job with a better rank moves the cursor before all of a worse one", "[worker][claim_cursors]") {
    two_lanes c;
    c.claim(true, {lease_of(first, {7})});
    c.requeued(first, {.id = {9}, .rank = pgq::rank::of(5)});
    CHECK(c.cursor(0) == claim_cursor{pgq::rank::of(5), {8}});
}

TEST_CASE("a worker that starts over knows no cursors", "[worker][claim_cursors]") {
    two_lanes c;
    c.claim(true, {lease_of(first, {7})});
    c.start_over();
    CHECK(c.cursor(0) == claim_cursor{});
}

}  // namespace unit_worker_claim_cursors
