#include <pgq/worker/names/lane_rotation.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace unit_worker_names_lane_rotation {

using namespace std::chrono_literals;
using pgq::lane_id;
using pgq::detail::lane_rotation;

namespace {

const pgq::steady_time noon{12h};

pgq::claim_lane lane(std::int32_t id) { return {.lane = {id}, .max_attempts = 5}; }

// The ids of the lanes of the next claim.
std::vector<std::int32_t> next(lane_rotation& r, pgq::steady_time now = noon) {
    std::vector<std::int32_t> ids;
    for (const auto& l : r.next(now)) ids.push_back(l.lane.value);
    return ids;
}
using lanes = std::vector<std::int32_t>;

// A lease of one job, with this id.
pgq::claimed_lease lease(std::int32_t of, std::int64_t job) {
    pgq::claimed_lease made{.lane = {of}};
    made.jobs.push_back({.id = {job}, .rank = pgq::rank{7}});
    return made;
}
void full(lane_rotation& r, const std::vector<pgq::claimed_lease>& leases) { r.claimed(true, leases); }
void short_claim(lane_rotation& r) { r.claimed(false, {}); }

}  // namespace

TEST_CASE("a name that was not found is not claimed from", "[worker][names]") {
    lane_rotation r;
    CHECK(r.empty());
    CHECK(next(r).empty());
    r.found(3, lane(30));
    CHECK_FALSE(r.empty());
    CHECK(next(r) == lanes{30});
}

TEST_CASE("names are claimed together until a claim is full, and forgotten when it is short", "[worker][names]") {
    lane_rotation r;
    for (std::int32_t n = 1; n <= 20; ++n) r.found(static_cast<std::size_t>(n), lane(n));
    CHECK(next(r).size() == lane_rotation::most_lanes);
    short_claim(r);
    CHECK(next(r) == lanes{17, 18, 19, 20});
    short_claim(r);
    CHECK(r.empty());
    CHECK(next(r).empty());
}

TEST_CASE("names that a busy one has displaced have claims of their own, in turn with it", "[worker][names]") {
    lane_rotation r;
    for (std::int32_t n = 1; n <= 3; ++n) r.found(static_cast<std::size_t>(n), lane(n));
    REQUIRE(next(r) == lanes{1, 2, 3});
    full(r, {lease(2, 1)});  // the jobs of 2 go first in the common order
    lanes seen;
    for (int i = 0; i < 6; ++i) {
        const auto one = next(r);
        REQUIRE(one.size() == 1);
        seen.push_back(one[0]);
        full(r, {lease(one[0], 10 + i)});
    }
    CHECK(seen == lanes{1, 2, 3, 1, 2, 3});
}

TEST_CASE("names of which a full claim brought a few jobs each stay together", "[worker][names]") {
    lane_rotation r;
    for (std::int32_t n = 1; n <= 3; ++n) r.found(static_cast<std::size_t>(n), lane(n));
    (void)r.next(noon);
    full(r, {lease(1, 1), lease(2, 2), lease(3, 3)});
    CHECK(next(r) == lanes{1, 2, 3});
}

TEST_CASE("claims of busy names and of others alternate", "[worker][names]") {
    lane_rotation r;
    r.found(1, lane(1));
    (void)r.next(noon);
    full(r, {lease(1, 1)});
    for (std::int32_t n = 2; n <= 40; ++n) r.found(static_cast<std::size_t>(n), lane(n));
    for (const std::size_t others : {std::size_t{16}, std::size_t{16}, std::size_t{7}}) {
        CHECK(next(r) == lanes{1});
        full(r, {lease(1, 2)});
        CHECK(next(r).size() == others);
        short_claim(r);
    }
    CHECK(next(r) == lanes{1});
}

TEST_CASE("a name that comes while others are busy is claimed from after one claim at most", "[worker][names]") {
    lane_rotation busy;
    busy.found(1, lane(1));
    (void)busy.next(noon);
    full(busy, {lease(1, 1)});
    (void)busy.next(noon);  // a claim of the busy name is under way
    busy.found(9, lane(9));
    full(busy, {lease(1, 2)});
    CHECK(next(busy) == lanes{9});
}

TEST_CASE("all lanes of a name are in one claim", "[worker][names]") {
    lane_rotation r;
    for (std::int32_t n = 0; n < 20; ++n) r.found(1, lane(100 + n));
    for (std::int32_t n = 0; n < 10; ++n) r.found(2, lane(200 + n));
    r.found(1, lane(100));  // known already
    CHECK(next(r).size() == 20);
    short_claim(r);
    CHECK(next(r).size() == 10);
}

TEST_CASE("a claim of a busy name starts behind the last one, and from the start every 250 ms", "[worker][names]") {
    lane_rotation r;
    r.found(1, lane(1));
    CHECK(r.next(noon)[0].cursor == pgq::claim_cursor{});
    full(r, {lease(1, 41)});
    const auto behind = r.next(noon + 1ms);
    CHECK(behind[0].cursor == pgq::claim_cursor{pgq::rank{7}, {41}});
    CHECK_FALSE(behind[0].exact);
    full(r, {lease(1, 42)});
    const auto again = r.next(noon + 251ms);
    CHECK(again[0].cursor == pgq::claim_cursor{});
    CHECK(again[0].exact);
}

TEST_CASE("a name that is found again after a short claim is read from the start", "[worker][names]") {
    lane_rotation r;
    r.found(1, lane(1));
    (void)r.next(noon);
    full(r, {lease(1, 41)});
    (void)r.next(noon + 1ms);
    short_claim(r);
    REQUIRE(r.empty());
    r.found(1, lane(1));
    CHECK(r.next(noon + 2ms)[0].cursor == pgq::claim_cursor{});
}

TEST_CASE("a lane that is found while its name is claimed from stays", "[worker][names]") {
    lane_rotation r;
    r.found(1, lane(1));
    (void)r.next(noon);
    r.found(1, lane(2));
    short_claim(r);
    CHECK(next(r) == lanes{1, 2});
}

TEST_CASE("a claim without an answer is made again, from the start", "[worker][names]") {
    lane_rotation r;
    r.found(1, lane(1));
    r.found(2, lane(2));
    (void)r.next(noon);
    CHECK(next(r) == lanes{1, 2});
    full(r, {lease(1, 41), lease(2, 42)});
    const auto behind = r.next(noon + 1ms)[0];
    CHECK(behind.cursor != pgq::claim_cursor{});
    r.start_over();
    CHECK_FALSE(r.empty());
    const auto again = r.next(noon + 2ms)[0];
    CHECK(again.lane == behind.lane);
    CHECK(again.cursor == pgq::claim_cursor{});
}

TEST_CASE("a job that goes back is found: its name is read from the start", "[worker][names]") {
    lane_rotation r;
    r.found(1, lane(1));
    (void)r.next(noon);
    full(r, {lease(1, 41)});
    r.scan(1);
    CHECK(r.next(noon + 1ms)[0].cursor == pgq::claim_cursor{});
}

}  // namespace unit_worker_names_lane_rotation
