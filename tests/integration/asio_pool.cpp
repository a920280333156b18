#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/queue.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <asio/use_future.hpp>

#include <cstddef>
#include <cstdint>
#include <future>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace {

using pgq::driver::asio_libpq;
using test::note;
using pool = pgq::driver::pool<asio_libpq>;
using note_queue = pgq::queue<note, pool, pgq::serializer::json, pgq::executor::thread_pool>;

static_assert(pgq::async_driver<pool> && pgq::lending_driver<pool>);

std::int64_t connections(const test::database& db) {
    return db.query_int("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + db.schema() + "'");
}

}  // namespace

TEST_CASE("asynchronous calls on a pool go out over as many connections as it may have, and all arrive",
          "[driver][pool][async_enqueue]") {
    const test::database db;
    test::running_context context{2};
    note_queue jobs{pool{asio_libpq{context.executor(), db.options()}, {.max = 3}}};
    std::vector<std::future<pgq::job_id>> all;
    for (int i = 0; i < 200; ++i) all.push_back(jobs.async_enqueue(note{i, "x"}, asio::use_future));
    std::set<pgq::job_id> ids;
    for (auto& one : all) ids.insert(one.get());
    CHECK(ids.size() == 200);
    CHECK(db.rows("ready") == 200);
    CHECK(connections(db) == 3);
}

TEST_CASE("one asynchronous call after the other needs only one connection of the pool",
          "[driver][pool][async_enqueue]") {
    const test::database db;
    test::running_context context;
    note_queue jobs{pool{asio_libpq{context.executor(), db.options()}, {.max = 3}}};
    for (int i = 0; i < 20; ++i) (void)jobs.async_enqueue(note{i, "x"}, asio::use_future).get();
    CHECK(connections(db) <= 2);  // a call may begin just before the one that has answered is counted as ended
    CHECK(jobs.enqueue(note{1, "blocking"}).has_value());
    CHECK(db.rows("ready") == 21);
}

TEST_CASE("a pool tells why the latest asynchronous call failed, whichever connection had it",
          "[driver][pool][async_enqueue]") {
    const test::database db;
    test::running_context context;
    auto options = db.options();
    options.max_payload = 100;
    note_queue jobs{pool{asio_libpq{context.executor(), options}, {.max = 3}}};
    (void)jobs.async_enqueue(note{1, "x"}, asio::use_future).get();
    CHECK_FALSE(jobs.last_async_error().code);
    CHECK_THROWS_AS(jobs.async_enqueue(note{1, std::string(200, 'x')}, asio::use_future).get(), std::system_error);
    CHECK(jobs.last_async_error() == pgq::errc::payload_too_large);
}
