#include <pgq/driver/libpq.hpp>

#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/generated.hpp"
#include "support/jobs.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace integration_enqueue_edges {

using namespace std::chrono_literals;
using pgq::condition;
using pgq::errc;
using pgq::lane_counts;
using pgq::driver::libpq;
using test::database;
using test::eventually;
using test::note;

namespace {

pgq::driver::connection_options small_payloads(const database& db) {
    auto o = db.options();
    o.max_payload = 1000;
    return o;
}

note of_bytes(std::size_t n) { return {.text = std::string(n, 'x')}; }

test::sql_connection connection_of_the_caller(const database& db) { return {test::dsn(), db.schema()}; }

}  // namespace

TEST_CASE("a payload that is too large is refused before it is sent, and the error names it", "[enqueue][limits]") {
    const database db;
    test::note_queue<> jobs{libpq{small_payloads(db)}};
    for (const auto& e : {jobs.enqueue(of_bytes(1000)).error(),
                          jobs.enqueue(std::vector{of_bytes(1), of_bytes(2), of_bytes(5000)}).error(),
                          jobs.enqueue_stream(std::vector{of_bytes(1), of_bytes(5000)}).error(),
                          jobs.enqueue(pgq::within(db.connection()), of_bytes(1000)).error()}) {
        INFO(e.text());
        CHECK(e == errc::payload_too_large);
        CHECK(e == condition::permanent);
        CHECK(e.message.find("bytes") != std::string::npos);
        CHECK(e.hint.find("max_payload") != std::string::npos);
        CHECK(e.text().find("xxx") == std::string::npos);
    }
    jobs.enqueue(of_bytes(900)).value();
    CHECK(db.rows("ready") == 1);
}

TEST_CASE("any text comes back unchanged, zero bytes included", "[enqueue][payload]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    const std::vector<std::string> texts{std::string("a\0b", 3), "größer \xF0\x9F\x98\x80", "\"'\\ {s} $1 ; --",
                                         "\x01\x7f\n\r\t", ""};
    for (std::size_t i = 0; i < texts.size(); ++i)
        jobs.enqueue(note{.n = static_cast<std::int64_t>(i), .text = texts[i]}).value();
    test::run_log run_log;
    test::run_until_empty(jobs, {}, [&](const note& job, pgq::context& c) { run_log.add(job.n, c, job.text); });
    REQUIRE(run_log.size() == texts.size());
    for (const auto& s : run_log.all()) CHECK(s.text == texts[static_cast<std::size_t>(s.n)]);
}

TEST_CASE("headers that are not valid text are refused before anything is sent", "[enqueue][headers]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    for (const pgq::header& bad :
         {pgq::header{"a", std::string_view{"x\0y", 3}}, pgq::header{std::string_view{"x\0y", 3}, "a"},
          pgq::header{"a", "\xff\xfe"}, pgq::header{"\xc3", "a"}}) {
        const auto put = jobs.enqueue(note{}, {.headers = {&bad, 1}});
        REQUIRE_FALSE(put);
        CHECK(put.error() == errc::invalid_text);
        CHECK(put.error() == condition::permanent);
    }
    CHECK(db.rows("ready") == 0);
    jobs.enqueue(note{}).value();
}

TEST_CASE("a stream of fifty thousand jobs arrives complete and in order", "[enqueue][stream]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    const test::generated many{50000, [](std::int64_t n) { return note{.n = n, .text = "streamed"}; }};
    CHECK(jobs.enqueue_stream(many).value() == 50000);
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 50000});
    CHECK(db.query_int("SELECT count(*) FROM (SELECT id, lag(id) OVER (ORDER BY ctid) AS before FROM {s}.ready) r"
                       " WHERE before >= id") == 0);
    CHECK(jobs.enqueue_stream(std::vector<note>{}).value() == 0);
}

TEST_CASE("a stream that fails in the middle stores no job, and the session still works",
          "[enqueue][stream][direct][undisturbed]") {
    const database db;
    test::note_queue<> jobs{libpq{small_payloads(db)}};
    const auto broken = [](auto at_30000) {
        return test::generated{50000, [=](std::int64_t n) { return n == 30000 ? at_30000() : note{.n = n}; }};
    };
    SECTION("because a job is too large") {
        auto many = broken([] { return of_bytes(5000); });
        const auto put = jobs.enqueue_stream(many);
        REQUIRE_FALSE(put);
        CHECK(put.error() == errc::payload_too_large);
    }
    SECTION("because the range throws") {
        auto many = broken([]() -> note { throw std::runtime_error{"no more"}; });
        CHECK_THROWS_WITH(jobs.enqueue_stream(many), "no more");
    }
    SECTION("because the server refuses a row") {
        db.exec("ALTER TABLE {s}.ready ADD CHECK (octet_length(body) < 500)");
        auto many = broken([] { return of_bytes(800); });
        const auto put = jobs.enqueue_stream(many);
        REQUIRE_FALSE(put);
        CHECK(put.error().code == pgq::make_sqlstate("23514"));
        CHECK(put.error().statement == "enqueue_copy");
    }
    CHECK(db.rows("ready") == 0);
    jobs.enqueue(note{}).value();
    CHECK(jobs.enqueue_stream(test::notes(3)).value() == 3);
    CHECK(db.rows("ready") == 4);
    CHECK(db.count_sessions() == 1);
}

TEST_CASE("a large batch is sent by COPY, and its ids are in the order of the jobs", "[enqueue][copy]") {
    const database db;
    std::vector<std::string> seen;
    auto options = db.options();
    options.on_statement = [&](const pgq::driver::sent_statement& s) { seen.emplace_back(s.name); };
    test::note_queue<> jobs{libpq{options}};
    const auto was_sent = [&](std::string_view name) { return std::ranges::count(seen, name); };
    const auto all = test::notes(6000);

    (void)jobs.enqueue(test::notes(pgq::statement::worth_copying - 1)).value();
    CHECK(was_sent("enqueue_many") == 1);
    CHECK(was_sent("enqueue_copy_as") == 0);
    db.exec("TRUNCATE {s}.ready");

    const auto ids = jobs.enqueue(all, {.priority = 3}).value();
    CHECK(was_sent("enqueue_copy_as") == 1);
    CHECK(was_sent("wake") == 2);
    REQUIRE(ids.size() == all.size());
    for (std::size_t i = 0; i < ids.size(); i += 500) {
        INFO(i);
        CHECK(ids[i].value == ids[0].value + static_cast<std::int64_t>(i));
        CHECK(db.query_int("SELECT (convert_from(body, 'UTF8')::json->>'n')::int FROM {s}.ready WHERE id = " +
                           std::to_string(ids[i].value)) == static_cast<std::int64_t>(i));
    }
    CHECK(db.query_int("SELECT count(*) FROM {s}.job WHERE priority = 3 AND state = 'ready'") == 6000);
    // Jobs with headers, times or keys are sent by INSERT.
    (void)jobs.enqueue(all, {.run_at = 1h}).value();
    CHECK(was_sent("enqueue_copy_as") == 1);
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 6000, .deferred = 6000});
}

TEST_CASE("a large batch that the server refuses stores no job, and the session still works",
          "[enqueue][copy][direct][undisturbed]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    db.exec("ALTER TABLE {s}.ready ADD CHECK (octet_length(body) < 500)");
    // The server refuses the first row before most of the others are sent, and the last row when all are sent.
    const auto at = GENERATE(std::size_t{0}, std::size_t{299'999});
    auto all = test::notes(300'000);
    all[at] = of_bytes(800);
    const auto put = jobs.enqueue(all);
    REQUIRE_FALSE(put);
    CHECK(put.error().code == pgq::make_sqlstate("23514"));
    CHECK(put.error().statement == "enqueue_copy_as");
    CHECK(db.rows("ready") == 0);
    CHECK(jobs.enqueue(test::notes(6000)).value().size() == 6000);
    CHECK(db.count_sessions() == 1);
}

TEST_CASE("a server that does not answer ends a COPY like any statement",
          "[enqueue][copy][stream][direct][undisturbed]") {
    const database db;
    auto options = db.options();
    options.response_timeout = 2s;
    test::note_queue<> jobs{libpq{options}};
    (void)jobs.enqueue(note{}).value();
    const auto other = connection_of_the_caller(db);
    (void)other.exec("BEGIN; LOCK TABLE {s}.ready IN ACCESS EXCLUSIVE MODE");
    const auto began = std::chrono::steady_clock::now();
    const bool streams = GENERATE(true, false);
    const auto error =
        streams ? jobs.enqueue_stream(test::notes(6000)).error() : jobs.enqueue(test::notes(6000)).error();
    CHECK(error.code == pgq::make_sqlstate("57014"));
    CHECK(error.hint.find("response_timeout") != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - began < 20s);
    (void)other.exec("COMMIT");
    CHECK(db.count_sessions() == 1);
    (void)jobs.enqueue(test::notes(6000)).value();
    CHECK(db.rows("ready") == 6001);
}

TEST_CASE("a stream and a large batch wake a sleeping worker", "[enqueue][copy][stream][direct]") {
    const database db;
    test::note_queue<> jobs{db.driver()}, producer{db.driver()};
    test::run_log run_log;
    test::running_worker w{
        jobs, {.poll_interval = 1h}, [&](const note& job, pgq::context& c) { run_log.add(job.n, c); }};
    REQUIRE(eventually([&] { return db.subscribed_workers() == 1; }));
    const bool streams = GENERATE(true, false);
    const std::int64_t n = streams ? 10 : 6000;
    if (streams) CHECK(producer.enqueue_stream(test::notes(n)).value() == n);
    else CHECK(std::ssize(producer.enqueue(test::notes(n)).value()) == n);
    CHECK(eventually([&] { return run_log.each_ran_once(static_cast<std::size_t>(n)); }));
    w.stop().value();
}

TEST_CASE("an enqueue in the caller's transaction wakes a worker when that commits, not before",
          "[enqueue][within][direct]") {
    const database db;
    test::note_queue<> jobs{db.driver()}, producer{db.driver()};
    const auto mine = connection_of_the_caller(db);
    test::run_log run_log;
    test::running_worker w{
        jobs, {.poll_interval = 1h}, [&](const note& job, pgq::context& c) { run_log.add(job.n, c); }};
    REQUIRE(eventually([&] { return db.subscribed_workers() == 1; }));

    mine.exec("BEGIN");
    producer.enqueue(pgq::within(mine.get()), note{.n = 1}).value();
    mine.exec("ROLLBACK");
    mine.exec("BEGIN");
    const auto ids = producer.enqueue(pgq::within(mine.get()), test::notes(20)).value();
    CHECK(ids.size() == 20);
    CHECK(test::always(100ms, [&] { return run_log.size() == 0; }));
    mine.exec("COMMIT");
    CHECK(eventually([&] { return run_log.each_ran_once(20); }));
    w.stop().value();
}

TEST_CASE("a caller's connection that cannot be used is an error that says why", "[enqueue][within]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    const auto why_not = [&](PGconn* c) {
        const auto put = jobs.enqueue(pgq::within(c), note{});
        REQUIRE_FALSE(put);
        INFO(put.error().text());
        CHECK_FALSE(put.error().message.empty());
        CHECK(put.error().statement == "enqueue_one");
        return put.error();
    };
    SECTION("no connection") { CHECK(why_not(nullptr) == errc::connection_lost); }
    SECTION("a connection in pipeline mode") {
        const auto mine = connection_of_the_caller(db);
        REQUIRE(PQenterPipelineMode(mine.get()) == 1);
        const auto e = why_not(mine.get());
        CHECK(e == errc::invalid_option);
        CHECK(e == condition::configuration);
        CHECK(e.hint.find("pipeline") != std::string::npos);
    }
    SECTION("a connection in a transaction that has failed") {
        const auto mine = connection_of_the_caller(db);
        mine.exec("BEGIN");
        CHECK_THROWS(mine.exec("SELECT 1/0"));
        CHECK(why_not(mine.get()).code == pgq::make_sqlstate("25P02"));
    }
    SECTION("a connection that was terminated") {
        const auto mine = connection_of_the_caller(db);
        db.exec("SELECT pg_terminate_backend(" + std::to_string(PQbackendPID(mine.get())) + ", 10000)");
        CHECK(why_not(mine.get()) == errc::connection_lost);
    }
    SECTION("a connection to another database") {
        const test::sql_connection other{database::settings_of(test::dsn(), "dbname", "postgres"), db.schema()};
        CHECK(why_not(other.get()) == condition::configuration);
    }
    CHECK(db.rows("ready") == 0);
    jobs.enqueue(note{}).value();  // the queue's own connection still works
}

TEST_CASE("a queue replaces an idle connection that was terminated, and the caller does not notice",
          "[enqueue][reconnect][direct][undisturbed]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    for (std::int64_t n = 1; n <= 3; ++n) {
        jobs.enqueue(note{.n = n}).value();
        CHECK(db.end_sessions() == 1);
    }
    jobs.enqueue(note{}).value();
    CHECK(db.rows("ready") == 4);
}

TEST_CASE("eight threads enqueue through one queue object", "[enqueue][threads][direct][undisturbed]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    std::atomic<int> failures{0};
    {
        std::vector<std::jthread> threads;
        for (std::int64_t t = 0; t < 8; ++t)
            threads.emplace_back([&, t] {
                for (std::int64_t n = 0; n < 50; ++n) failures += jobs.enqueue(note{.n = t * 50 + n}) ? 0 : 1;
            });
    }
    CHECK(failures == 0);
    CHECK(db.query_int("SELECT count(DISTINCT body) FROM {s}.ready") == 400);
    CHECK(db.count_sessions() == 1);
}

}  // namespace integration_enqueue_edges
