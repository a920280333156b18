#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/queue.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace integration_asio_pool {

namespace {

using pgq::driver::asio_libpq;
using test::note;
using pool = pgq::driver::pool<asio_libpq>;
using note_queue = pgq::queue<note, pool, pgq::serializer::json, pgq::executor::thread_pool>;

static_assert(pgq::async_driver<pool> && pgq::lending_driver<pool>);

std::int64_t connections(const test::database& db) { return db.count_sessions(); }

std::error_code enqueued(note_queue& jobs, const note& n) {
    test::outcome<pgq::job_id> end;
    jobs.async_enqueue(n, end.handler());
    return end.error();
}

}  // namespace

TEST_CASE("asynchronous calls on a pool use all of its connections, and all jobs arrive",
          "[driver][pool][async_enqueue][undisturbed]") {
    const test::database db;
    test::running_context context{2};
    note_queue jobs{pool{asio_libpq{context.executor(), db.options()}, {.max = 3}}};
    std::vector<test::outcome<pgq::job_id>> all(200);
    for (std::size_t i = 0; i < all.size(); ++i)
        jobs.async_enqueue(note{static_cast<std::int64_t>(i), "x"}, all[i].handler());
    std::set<pgq::job_id> ids;
    for (auto& one : all) {
        const auto [failed, id] = one.get();
        CHECK_FALSE(failed);
        ids.insert(id);
    }
    CHECK(ids.size() == 200);
    CHECK(db.rows("ready") == 200);
    CHECK(connections(db) == 3);
}

TEST_CASE("asynchronous calls one after the other need only one connection of the pool",
          "[driver][pool][async_enqueue][undisturbed][direct]") {
    const test::database db;
    test::running_context context;
    note_queue jobs{pool{asio_libpq{context.executor(), db.options()}, {.max = 3}}};
    for (int i = 0; i < 20; ++i) CHECK_FALSE(enqueued(jobs, note{i, "x"}));
    CHECK(connections(db) <= 2);  // a call may begin just before the finished one is counted as ended
    CHECK(jobs.enqueue(note{1, "blocking"}).has_value());
    CHECK(db.rows("ready") == 21);
}

TEST_CASE("a pool reports why the latest asynchronous call failed, whichever connection it used",
          "[driver][pool][async_enqueue]") {
    const test::database db;
    test::running_context context;
    auto options = db.options();
    options.max_payload = 100;
    note_queue jobs{pool{asio_libpq{context.executor(), options}, {.max = 3}}};
    CHECK_FALSE(enqueued(jobs, note{1, "x"}));
    CHECK_FALSE(jobs.last_async_error().code);
    CHECK(enqueued(jobs, note{1, std::string(200, 'x')}) == pgq::errc::payload_too_large);
    CHECK(jobs.last_async_error() == pgq::errc::payload_too_large);
}

}  // namespace integration_asio_pool
