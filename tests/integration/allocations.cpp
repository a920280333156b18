#include <pgq/executor/in_place.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/counting_new.hpp>
#include <support/database.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace integration_allocations {

namespace allocation_jobs {

struct small {
    static constexpr std::string_view entrypoint = "small";
    int number = 0;
    std::string name{};
};

}  // namespace allocation_jobs

}  // namespace integration_allocations

BOOST_HANA_ADAPT_STRUCT(integration_allocations::allocation_jobs::small, number, name);

namespace integration_allocations {

TEST_CASE("a worker on PostgreSQL allocates per batch, not per job", "[worker][allocations][direct]") {
    using queue =
        pgq::queue<allocation_jobs::small, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place>;
    constexpr std::size_t batch = 500, batches = 20, warm = 4 * batch;
    test::database db;
    queue jobs{db.driver()};
    const std::vector<allocation_jobs::small> some(batch, {7, "ada"});
    for (std::size_t i = 0; i < batches; ++i) jobs.enqueue(some).value();

    std::size_t seen = 0, at_start = 0, at_end = 0;
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = batch - 1, .until = pgq::run_until::empty},
                  [&](const allocation_jobs::small&) {
                      ++seen;
                      if (seen == warm) at_start = test::allocations;
                      if (seen == batch * batches) at_end = test::allocations;
                  }};
    w.run().value();
    REQUIRE(seen == batch * batches);
    const double each = static_cast<double>(at_end - at_start) / static_cast<double>(seen - warm);
    CAPTURE(each);
    CHECK(each < 0.1);
}

}  // namespace integration_allocations
