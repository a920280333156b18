#include <pgq/limiter/concurrency.hpp>
#include <pgq/limiter/none.hpp>
#include <pgq/limiter/rate.hpp>
#include <pgq/worker/limited_lanes.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace unit_worker_limited_lanes {

using namespace std::chrono_literals;
using pgq::lane_id;
using pgq::steady_time;
using pgq::detail::limited_lanes;
using pgq::detail::limiter_set;

namespace {

// A worker with four slots. Lane 0 has no limits, lanes 1 and 2 have those that are given.
struct worker {
    template <class First, class Second, class Queue = pgq::limiter::none>
    worker(First first, Second second, Queue queue = {}, bool each = false) {
        limiter_set limiters;
        limiters.add("free", pgq::limiter::none{});
        limiters.add("first", first);
        limiters.add("second", second);
        limiters.add_queue(queue);
        lanes.add(1, {11}, 1, 3, each);
        lanes.add(2, {12}, 2, 3, false);
        lanes.set_limiters(std::move(limiters), 3);
    }

    using claim = std::vector<std::pair<int, std::uint32_t>>;  // lanes, and how many

    claim to_claim(bool all = false, std::uint32_t ahead = 0) {
        claim c;
        for (const auto& l : lanes.to_claim(false, all, ahead, now)) c.emplace_back(l.lane.value, l.most);
        std::sort(c.begin(), c.end());
        return c;
    }
    void answer(std::uint32_t of_first, std::uint32_t of_second, bool timed = false) {
        if (of_first != 0) CHECK(lanes.began(1, of_first, now));
        if (of_second != 0) CHECK(lanes.began(2, of_second, now));
        lanes.answered(timed, now);
    }

    limited_lanes lanes{4};
    steady_time now{1h};
};

using pgq::limiter::concurrency;
using pgq::limiter::none;
using pgq::limiter::rate;

}  // namespace

TEST_CASE("a worker claims from a limited lane what its limiter admits, and no more than it has slots",
          "[worker][limited_lanes]") {
    worker w{concurrency<2>{}, concurrency<9>{}};
    CHECK(w.lanes.is_limited(1));
    CHECK_FALSE(w.lanes.is_limited(0));
    CHECK_FALSE(w.lanes.is_limited(7));
    CHECK(w.to_claim() == worker::claim{{11, 2}, {12, 4}});
    CHECK(w.lanes.room() == 4);
    w.answer(2, 1);
    CHECK(w.to_claim() == worker::claim{{12, 1}});
    CHECK(w.lanes.room() == 1);
    w.answer(0, 1);
    CHECK(w.to_claim().empty());
    CHECK(w.lanes.ended(1, 1, w.now));
    CHECK(w.to_claim() == worker::claim{{11, 1}, {12, 1}});
}

TEST_CASE("jobs that begin within a moment may be claimed beyond the slots", "[worker][limited_lanes]") {
    worker w{concurrency<9>{}, none{}};
    CHECK(w.to_claim(false, 3) == worker::claim{{11, 7}, {12, 7}});
}

TEST_CASE("a limiter of the queue holds for all lanes together", "[worker][limited_lanes]") {
    worker w{concurrency<9>{}, none{}, concurrency<3>{}};
    CHECK(w.to_claim() == worker::claim{{11, 3}, {12, 3}});
    w.answer(2, 0);
    CHECK(w.to_claim().front().second == 1);
    w.answer(0, 1);
    CHECK(w.to_claim().empty());
}

TEST_CASE("limited lanes take turns at being first", "[worker][limited_lanes]") {
    worker w{concurrency<9>{}, none{}};
    for (const int first : {11, 12, 11}) CHECK(w.lanes.to_claim(false, false, 0, w.now)[0].lane == lane_id{first});
}

TEST_CASE("a closed gate claims nothing", "[worker][limited_lanes]") {
    worker w{concurrency<9>{}, none{}};
    CHECK(w.lanes.to_claim(true, true, 0, w.now).empty());
    CHECK(w.lanes.room() == 0);
}

TEST_CASE("a lane that gave nothing is left out for 5 ms, unless all are wanted or one of its jobs ends",
          "[worker][limited_lanes]") {
    worker w{concurrency<9>{}, none{}};
    (void)w.to_claim();
    w.answer(1, 0);
    CHECK(w.to_claim() == worker::claim{{11, 3}});
    CHECK(w.to_claim(true).size() == 2);
    w.answer(1, 0);
    w.now += 5ms;
    CHECK(w.to_claim().size() == 2);
    w.answer(0, 1);
    CHECK(w.to_claim() == worker::claim{{12, 1}});
    w.lanes.ended(1, 1, w.now);
    CHECK(w.to_claim().size() == 2);
    w.answer(0, 0, true);  // the database says when to come back
    CHECK(w.to_claim().size() == 2);
}

TEST_CASE("a lane whose leases have one job each is claimed from one by one, again at once",
          "[worker][limited_lanes]") {
    worker w{concurrency<9>{}, none{}, none{}, true};
    CHECK(w.to_claim() == worker::claim{{11, 1}, {12, 4}});
    w.answer(1, 0);
    CHECK(w.lanes.again(std::nullopt) == 0ns);
}

TEST_CASE("a worker comes back when a limiter that was used up admits more, or when the database says so",
          "[worker][limited_lanes]") {
    worker w{rate<>{10, 1s, 2}, none{}};
    CHECK(w.to_claim().front() == std::pair{11, 2u});
    w.answer(1, 0);
    CHECK(w.lanes.again(std::nullopt) == std::nullopt);  // it was not the limiter
    CHECK(w.lanes.again(30ms) == 30ms);
    CHECK(w.to_claim(true).size() == 2);
    w.answer(1, 0);
    const auto again = w.lanes.again(1h);
    REQUIRE(again);
    CHECK(*again > 50ms);
    CHECK(*again <= 101ms);
}

TEST_CASE("a sync wakes others for lanes in which it frees places and claims none", "[worker][limited_lanes]") {
    worker w{concurrency<1>{}, concurrency<1>{}};
    (void)w.to_claim();
    w.answer(1, 1);
    w.lanes.ended(1, 1, w.now);
    w.lanes.will_free(1);
    w.lanes.will_free(2);  // another one of it still counts here
    CHECK(w.to_claim() == worker::claim{{11, 1}});
    REQUIRE(w.lanes.for_others().size() == 1);
    CHECK(w.lanes.for_others()[0] == lane_id{12});
    (void)w.to_claim();
    CHECK(w.lanes.for_others().empty());
}

TEST_CASE("a sync wakes others for lanes of which the last claim took all it could", "[worker][limited_lanes]") {
    worker w{concurrency<2>{}, concurrency<2>{}};
    (void)w.to_claim();
    w.answer(2, 1);
    w.lanes.leave_to_others();
    CHECK(w.to_claim() == worker::claim{{12, 1}});
    REQUIRE(w.lanes.for_others().size() == 1);
    CHECK(w.lanes.for_others()[0] == lane_id{11});
    w.answer(0, 0);
    w.lanes.leave_to_others();  // the bytes of the claim were used up
    w.lanes.ended(1, 1, w.now);
    (void)w.to_claim(true);
    CHECK(w.lanes.for_others().empty());  // it claims from both lanes itself
    worker full{none{}, none{}};
    (void)full.to_claim();
    full.answer(4, 0);
    full.lanes.leave_to_others();
    CHECK(full.to_claim().empty());
    CHECK(full.lanes.for_others().size() == 2);  // of the second lane it could claim nothing
}

TEST_CASE("a worker is full when no lane admits a job before one of its own ends", "[worker][limited_lanes]") {
    worker w{concurrency<1>{}, rate<1, std::chrono::hours>{}};
    CHECK_FALSE(w.lanes.is_full(0, w.now));
    (void)w.to_claim();
    w.answer(1, 1);
    CHECK_FALSE(w.lanes.is_full(0, w.now));  // the rate admits a job after a time
    worker counted{concurrency<1>{}, concurrency<1>{}};
    (void)counted.to_claim();
    counted.answer(1, 1);
    CHECK(counted.lanes.is_full(0, counted.now));
    counted.lanes.ended(1, 1, counted.now);
    CHECK_FALSE(counted.lanes.is_full(0, counted.now));
    worker slots{concurrency<9>{}, concurrency<9>{}};
    (void)slots.to_claim();
    slots.answer(3, 1);
    CHECK(slots.lanes.is_full(0, slots.now));
    CHECK_FALSE(slots.lanes.is_full(1, slots.now));
}

}  // namespace unit_worker_limited_lanes
