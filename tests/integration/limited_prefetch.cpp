#include <pgq/executor/in_place.hpp>
#include <pgq/limiter/global_concurrency.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <atomic>
#include <string_view>

namespace integration_limited_prefetch {

// If the worker claimed them one at a time, each job would be a round trip.
TEST_CASE("a worker claims several quick jobs of a limited lane at once, but no more than the limit admits",
          "[integration][limit]") {
    test::database db;
    auto options = db.options();
    std::atomic<int> claims{0};
    options.on_statement = [&](const pgq::driver::sent_statement& s) { claims += s.name == "claim_limited"; };
    pgq::queue<pgq::job<test::note, pgq::limiter::global_concurrency<10>>, pgq::driver::libpq, pgq::serializer::json,
               pgq::executor::in_place>
        jobs{pgq::driver::libpq{options}};
    (void)jobs.enqueue(test::notes(2000)).value();
    test::run_log seen;
    test::run_until_empty(jobs, {}, [&](const test::note& n, const pgq::context& c) {
        seen.add(n.n, c);
        if (seen.size() % 100 == 0)
            CHECK(db.query_int(
                      "SELECT coalesce(sum(cardinality(ids)), 0) FROM {s}.lease WHERE limited AND done IS NULL") <= 10);
    });
    CHECK(seen.each_ran_once(2000));
    CHECK(claims < 1000);
}

}  // namespace integration_limited_prefetch
