#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/ten_jobs.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace scenarios_serving {

using namespace std::chrono_literals;

namespace {

template <int Number>
using job = test::numbered_job<Number>;
using ten = test::queue_of_ten<pgq::queue, pgq::driver::libpq, pgq::serializer::json>;

// How many jobs of each type have run.
struct tally {
    std::array<std::atomic<int>, 10> ran{};
    bool is(int few, int others) const {
        bool same = true;
        for (std::size_t i = 0; i < ran.size(); ++i)
            same = same && ran[i] == (i == 2 || i == 4 || i == 7 ? few : others);
        return same;
    }
};

// Counts the jobs of any type that the worker serves.
auto counting(tally& t) {
    return [&t]<int Number>(const job<Number>&) { ++t.ran[Number]; };
}

auto three_of(ten& jobs) { return pgq::serving<job<2>, job<4>, job<7>>(jobs); }
auto seven_of(ten& jobs) { return pgq::serving<job<0>, job<1>, job<3>, job<5>, job<6>, job<8>, job<9>>(jobs); }

constexpr pgq::worker_options no_polling{.poll_interval = 1h};

}  // namespace

TEST_CASE("of ten entrypoints one worker serves three and another seven: each job runs where it has a handler",
          "[scenario][serving][direct]") {
    const test::database db;
    ten jobs{db.driver()};
    auto few = three_of(jobs);
    auto others = seven_of(jobs);
    tally by_few, by_others;
    for (std::int64_t n = 0; n < 20; ++n) test::enqueue_one_of_each(jobs, n);
    test::running_worker first{few, no_polling, counting(by_few)};
    test::running_worker second{others, no_polling, counting(by_others)};
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(by_few.is(20, 0));
    CHECK(by_others.is(0, 20));

    // Both sleep now. Each job wakes the worker that serves it.
    for (std::int64_t n = 0; n < 20; ++n) test::enqueue_one_of_each(jobs, n);
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(by_few.is(40, 0));
    CHECK(by_others.is(0, 40));
    CHECK(first.stop());
    CHECK(second.stop());
}

TEST_CASE("a worker rescues the jobs of a dead worker that it does not serve itself", "[scenario][serving]") {
    const test::database db;
    ten jobs{db.driver()};
    for (std::int64_t n = 0; n < 3; ++n) (void)jobs.enqueue(job<1>{n}).value();
    const auto lane_of_1 = jobs.lanes().value()[1];
    test::claiming_session dies{db, {lane_of_1}, 1s, 5};
    REQUIRE(dies.claim(3).claimed() == 3);

    auto few = three_of(jobs);
    tally by_few, by_others;
    test::running_worker first{few, {.lease_time = 1s}, counting(by_few)};
    REQUIRE(test::eventually([&] { return jobs.counts<job<1>>().value().ready == 3; }));
    CHECK(by_few.is(0, 0));

    auto others = seven_of(jobs);
    test::running_worker second{others, no_polling, counting(by_others)};
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(by_others.ran[1] == 3);
    CHECK(by_few.is(0, 0));
}

}  // namespace scenarios_serving
