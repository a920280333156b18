#include <pgq/driver/libpq.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/serializer/raw.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace integration_pool {

using namespace std::chrono_literals;
using pgq::errc;

namespace {

struct note {
    static constexpr std::string_view entrypoint = "note";
    std::string text{};
};

using pool = pgq::driver::pool<pgq::driver::libpq>;
using pooled = pgq::queue<note, pool, pgq::serializer::raw, pgq::executor::in_place>;

/// The server's sessions of this test.
std::int64_t backends(const test::database& db) { return db.count_sessions(); }
std::int64_t terminate(const test::database& db, int how_many) {
    return db.query_int(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 5000)) FROM (SELECT pid FROM pg_stat_activity"
        " WHERE application_name = '" +
        db.schema() + "' ORDER BY pid LIMIT " + std::to_string(how_many) + ") s");
}

}  // namespace

}  // namespace integration_pool

BOOST_HANA_ADAPT_STRUCT(integration_pool::note, text);

namespace integration_pool {

TEST_CASE("eight threads enqueue over four connections, and the pool replaces a terminated connection",
          "[driver][pool][direct][undisturbed]") {
    constexpr std::size_t threads = 8;
    constexpr int each = 150;
    const test::database db;
    const pool connections{db.driver(), {.max = 4, .wait = test::test_timeout}};
    pooled jobs{connections};
    std::atomic<int> stored{0}, in_doubt{0}, refused{0};
    std::vector<std::thread> all;
    for (std::size_t t = 0; t < threads; ++t)
        all.emplace_back([&] {
            for (int i = 0; i < each; ++i) {
                const auto id = jobs.enqueue(note{"x"});
                if (id) ++stored;
                else if (id.error() == errc::connection_lost || id.error() == pgq::condition::transient) ++in_doubt;
                else ++refused;
            }
        });
    const bool started = test::eventually([&] { return stored > 100; });
    const auto most = backends(db);
    const auto ended = terminate(db, 2);
    for (auto& t : all) t.join();

    CHECK(started);
    CHECK(most <= 4);
    CHECK(ended == 2);
    CHECK(refused == 0);
    CHECK(in_doubt <= 2);
    CHECK(stored + in_doubt == threads * each);
    const auto ready = db.rows("ready");
    CHECK(ready >= stored);
    CHECK(ready <= stored + in_doubt);
    CHECK(connections.counts().lent == 0);
    CHECK(backends(db) <= 4);
    // All connections work again.
    for (int i = 0; i < 20; ++i) CHECK(jobs.enqueue(note{"after"}).has_value());
}

TEST_CASE("the pool replaces idle connections that the server has ended, and the caller does not notice",
          "[driver][pool][direct][undisturbed]") {
    const test::database db;
    const pool connections{db.driver(), {.min = 3, .max = 3}};
    connections.open().value();
    pooled jobs{connections};
    jobs.lanes().value();
    REQUIRE(terminate(db, 3) == 3);
    REQUIRE(test::eventually([&] { return backends(db) == 0; }));
    for (int i = 0; i < 6; ++i) CHECK(jobs.enqueue(note{"x"}).has_value());
    CHECK(db.rows("ready") == 6);
}

TEST_CASE("a caller of an exhausted pool gets an error at its timeout, and works when a connection is free",
          "[driver][pool]") {
    const test::database db;
    const pool connections{db.driver(), {.max = 1, .wait = 50ms}};
    pooled jobs{connections};
    std::optional held{connections.borrow().value()};
    const auto begin = std::chrono::steady_clock::now();
    const auto none = jobs.enqueue(note{"x"});
    CHECK(std::chrono::steady_clock::now() - begin < 10s);
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error() == errc::timeout);
    CHECK(none.error() == pgq::condition::transient);
    CHECK(none.error().hint.find("pool_options::max") != std::string::npos);
    held.reset();
    CHECK(jobs.enqueue(note{"x"}).has_value());
}

TEST_CASE("a pool supports install, large enqueues, COPY, transactions and a worker", "[driver][pool]") {
    const test::database db;
    pooled jobs{pool{db.driver(), {.max = 2}}};
    jobs.install().value();
    const std::vector<note> many(50, note{"x"});
    CHECK(jobs.enqueue(many).value().size() == 50);
    CHECK(jobs.enqueue_stream(many).value() == 50);
    db.exec("BEGIN");
    const auto mine = jobs.enqueue(pgq::within(db.connection()), note{"mine"});
    CHECK(mine.has_value());
    db.exec("ROLLBACK");
    CHECK(jobs.counts<note>().value().ready == 100);
    CHECK(jobs.cancel(jobs.enqueue(note{"x"}).value()).value().removed == 1);

    int ran = 0;
    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, [&](const note&) { ++ran; }};
    w.run().value();
    CHECK(ran == 100);
    CHECK(db.is_empty());
}

}  // namespace integration_pool
