#include <pgq/async_worker.hpp>
#include <pgq/driver/asio_libpq.hpp>
#include <pgq/serializer/json.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/ten_jobs.hpp>

#include <asio/use_future.hpp>

#include <atomic>

namespace integration_asio_serving {

TEST_CASE("an async_worker runs only the jobs of the types that it serves", "[asio][serving]") {
    using queue = test::queue_of_ten<pgq::queue, pgq::driver::asio_libpq, pgq::serializer::json>;
    const test::database db;
    test::running_context context{1};
    queue jobs{pgq::driver::asio_libpq{context.executor(), db.options()}};
    test::enqueue_one_of_each(jobs);
    std::atomic<int> ran{0};
    pgq::async_worker w{pgq::serving<test::numbered_job<3>, test::numbered_job<6>>(jobs),
                        pgq::worker_options{.until = pgq::run_until::drained},
                        [&](const test::numbered_job<3>&) { ran += 3; },
                        [&](const test::numbered_job<6>&) { ran += 6; }};
    w.async_run(asio::use_future).get();
    CHECK(ran == 9);
    CHECK(db.rows("ready") == 8);
}

TEST_CASE("an async_worker serves many queue names", "[asio][names]") {
    using queue = test::queue_of_ten<pgq::queue, pgq::driver::asio_libpq, pgq::serializer::json>;
    const test::database db;
    test::running_context context{1};
    const pgq::driver::asio_libpq driver{context.executor(), db.options()};
    for (const char* name : {"tenant-a", "tenant-b", "other"}) {
        queue jobs{driver, {.name = name}};
        test::enqueue_one_of_each(jobs);
    }
    queue jobs{driver, {.name = "unused"}};
    const auto names = pgq::queue_names::with_prefix("tenant-");
    std::atomic<int> ran{0};
    pgq::async_worker w{pgq::serving<test::numbered_job<3>, test::numbered_job<6>>(jobs),
                        pgq::worker_options{.until = pgq::run_until::empty, .queues = &names},
                        [&](const test::numbered_job<3>&) { ran += 3; },
                        [&](const test::numbered_job<6>&) { ran += 6; }};
    w.async_run(asio::use_future).get();
    CHECK(ran == 18);
    CHECK(db.rows("ready") == 26);
}

}  // namespace integration_asio_serving
