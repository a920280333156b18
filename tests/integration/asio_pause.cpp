#include <pgq/async_worker.hpp>
#include <pgq/driver/asio_libpq.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <asio/use_future.hpp>

#include <chrono>
#include <cstdint>

namespace integration_asio_pause {

using namespace std::chrono_literals;
using test::note;

TEST_CASE("an async_worker begins nothing after a pause, and goes on after the resume",
          "[async_worker][pause][direct]") {
    test::database db;
    test::running_context context;
    pgq::queue<note, pgq::driver::asio_libpq, pgq::serializer::json, pgq::executor::thread_pool> jobs{
        pgq::driver::asio_libpq{context.executor(), db.options()}};
    constexpr std::int64_t count = 5000;
    (void)jobs.enqueue(test::notes(count)).value();
    test::run_log log;
    pgq::async_worker w{jobs, {.poll_interval = 1h}, [&](const note& n, const pgq::context& c) { log.add(n.n, c); }};
    auto end = w.async_run(asio::use_future);
    CHECK(test::eventually([&] { return log.size() > 100; }));
    CHECK(jobs.pause<note>("maintenance").value());
    CHECK(test::eventually([&] { return db.leased() == 0; }));
    const auto begun = log.size();
    CHECK(begun < count);
    CHECK(test::always(200ms, [&] { return log.size() == begun; }));
    CHECK(jobs.resume<note>().value());
    CHECK(test::eventually([&] { return log.each_ran_once(count); }));
    w.stop();
    end.get();
}

}  // namespace integration_asio_pause
