#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/driver/pq/session/caller_transaction.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <vector>

namespace scenarios_request_ids {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

using asio_queue = pgq::queue<pgq::job<note>, pgq::driver::asio_libpq, pgq::serializer::json>;
using pool_queue = pgq::queue<pgq::job<note>, pgq::driver::pool<pgq::driver::libpq>, pgq::serializer::json>;

// The next answer does not reach the client, but the transaction happens.
enum class loss { connection, answer };
void lose_next(test::proxy& between, loss what) {
    if (what == loss::connection) between.close_after_answers(0);
    else between.silence_after_answers(0);
}

}  // namespace

TEST_CASE("an enqueue with a request id is repeated when its answer is lost, and stores its jobs once",
          "[scenario][request_id]") {
    const database db;
    test::proxy between;
    auto options = between.options(db);
    options.response_timeout = 1s;
    const auto how = GENERATE(loss::connection, loss::answer);
    test::note_queue<> jobs{pgq::driver::libpq{options}};
    (void)jobs.lanes().value();
    SECTION("one job") {
        lose_next(between, how);
        const auto id = jobs.enqueue(note{.n = 1}, {.request_id = "r"}).value();
        CHECK(between.answers_have_come());
        CHECK(jobs.enqueue(note{.n = 1}, {.request_id = "r"}).value() == id);
        CHECK(db.rows("ready") == 1);
        CHECK(db.query_int("SELECT id FROM {s}.ready") == pgq::job_id{id}.value);
    }
    SECTION("many jobs, with options, and some of them deferred") {
        lose_next(between, how);
        const auto options_of = [](const note& n) {
            return pgq::enqueue_options{
                .run_at = n.n % 2 == 0 ? pgq::in(1h) : pgq::when{}, .keep_outcome = 1h, .request_id = "many"};
        };
        CHECK(jobs.enqueue(test::notes(100), options_of).value().size() == 100);
        CHECK(db.rows("ready") == 50);
        CHECK(db.rows("deferred") == 50);
    }
    SECTION("so many jobs that they would be copied, or packed") {
        for (const bool packed : {false, true}) {
            lose_next(between, how);
            const std::string id = packed ? "packed" : "copied";
            CHECK(jobs.enqueue(test::notes(6000), {.packed = packed, .request_id = id}).value().size() == 6000);
        }
        CHECK(db.rows("ready") == 12'000);
    }
    SECTION("a flow") {
        lose_next(between, how);
        auto flow = jobs.flow();
        auto first = flow.add(note{.n = 1}, {.request_id = "flow"});
        flow.add(note{.n = 2}).after(first);
        CHECK(flow.enqueue().value().size() == 2);
        CHECK(db.rows("ready") + db.rows("deferred") == 2);
    }
    SECTION("a pool") {
        pool_queue pooled{pgq::driver::pool{pgq::driver::libpq{options}}};
        (void)pooled.lanes().value();
        lose_next(between, how);
        CHECK(pooled.enqueue(note{.n = 1}, {.request_id = "r"}).has_value());
        CHECK(db.rows("ready") == 1);
    }
    SECTION("asio") {
        test::running_context context;
        asio_queue asynchronous{pgq::driver::asio_libpq{context.executor(), options}};
        test::outcome<pgq::job_id> connects, end, again;
        asynchronous.async_enqueue(note{.n = 1}, connects.handler());
        CHECK_FALSE(connects.error());
        lose_next(between, how);
        asynchronous.async_enqueue(note{.n = 2}, {.request_id = std::string{"r"}}, end.handler());
        const auto [failed, id] = end.get();
        CHECK_FALSE(failed);
        CHECK(between.answers_have_come());
        asynchronous.async_enqueue(note{.n = 2}, {.request_id = "r"}, again.handler());
        CHECK(again.get() == std::tuple{std::error_code{}, id});
        CHECK(db.rows("ready") == 2);
    }
}

TEST_CASE("two calls with one request id at the same time enqueue one job", "[scenario][request_id]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    (void)jobs.lanes().value();
    // The first call is in a transaction that has not ended.
    const test::sql_connection other{test::dsn(), db.schema()};
    (void)other.exec("BEGIN");
    const auto first = other.query_int(
        "SELECT job FROM {s}.enqueue_tracked(ARRAY[(SELECT id FROM {s}.lane)], '{0}', '{0}', '{0}', '{0}', '{0}',"
        " '{\"\\\\x7b7d\"}', '{}', '{}', '{}', '{}', '{\"\"}', '{f}', '{0}', ARRAY['s']::\"char\"[], '{0}', '{0}', "
        "'{f}', '{0}', '{h}',"
        " '{}', '{}', '{}', '{0}', 'r')");
    std::int64_t second = 0;
    std::jthread caller{[&] {
        test::note_queue<> mine{db.driver()};
        second = pgq::job_id{mine.enqueue(note{}, {.request_id = "r"}).value()}.value;
    }};
    REQUIRE(test::eventually([&] {
        return db.query_int(
                   "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted"
                   " AND locktype = 'transactionid' AND application_name = '" +
                   db.schema() + "'") > 0;
    }));
    SECTION("the first one commits") {
        (void)other.exec("COMMIT");
        caller.join();
        CHECK(second == first);
    }
    SECTION("the first one rolls back") {
        (void)other.exec("ROLLBACK");
        caller.join();
        CHECK(second != first);
    }
    CHECK(db.rows("ready") == 1);
}

TEST_CASE("a request id is forgotten after a day, and is refused in a transaction", "[scenario][request_id]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    const auto first = jobs.enqueue(note{.n = 1}, {.request_id = "r"}).value();
    CHECK(db.query_text(
              "SELECT max(until) - now() > '23:59:00' AND max(until) - now() <= '24:00:00' FROM {s}.request") == "t");
    db.exec("UPDATE {s}.request SET until = now()");
    CHECK_FALSE(jobs.enqueue(note{.n = 1}, {.request_id = "r"}).value() == first);
    CHECK(db.rows("ready") == 2);
    db.exec("UPDATE {s}.request SET until = now()");
    auto session = db.driver().connect(pgq::session_role::monitor).value();
    CHECK(session.expire_and_purge().value().purged == 1);
    CHECK(db.rows("request") == 0);

    const auto refused = jobs.transaction([](auto& tx) { return tx.enqueue(note{}, {.request_id = "r"}); });
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error() == pgq::errc::invalid_option);
    CHECK(refused.error().hint.find("leave it out") != std::string::npos);
    (void)db.sql().exec("BEGIN");
    CHECK_FALSE(jobs.enqueue(pgq::within(db.connection()), note{}, {.request_id = "r"}).has_value());
    (void)db.sql().exec("ROLLBACK");
    CHECK(db.rows("ready") == 2);
}

}  // namespace scenarios_request_ids
