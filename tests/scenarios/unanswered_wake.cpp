#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/statement/wake.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace scenarios_unanswered_wake {

using namespace std::chrono_literals;
using test::database;
using test::note;
using steady = std::chrono::steady_clock;

namespace {

using asio_queue = pgq::queue<pgq::job<note>, pgq::driver::asio_libpq, pgq::serializer::json>;
using pool_queue = pgq::queue<pgq::job<note>, pgq::driver::pool<pgq::driver::libpq>, pgq::serializer::json>;

/// Nobody can read the table of workers meanwhile, so a wake that finds a sleeping worker waits.
class locked_workers {
public:
    explicit locked_workers(const database& db) : mine_{test::dsn(), db.schema()} {
        (void)mine_.exec("BEGIN; LOCK TABLE {s}.worker");
    }
    void unlock() { (void)mine_.exec("COMMIT"); }

private:
    test::sql_connection mine_;
};

/// Ten notes. The connections fall silent before the last one.
struct notes_into_silence {
    struct iterator {
        using value_type = note;
        using difference_type = std::ptrdiff_t;
        test::proxy* between = nullptr;
        int n = 0;

        note operator*() const {
            if (n == 9) between->mute();
            return note{.n = n};
        }
        iterator& operator++() { return ++n, *this; }
        iterator operator++(int) { return {between, n++}; }
        bool operator==(const iterator& o) const { return n == o.n; }
    };
    test::proxy* between;
    iterator begin() const { return {between, 0}; }
    iterator end() const { return {between, 10}; }
};

bool a_wake_waits(const database& db) {
    return test::eventually([&] {
        return db.query_int("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{q}.worker'::regclass") >
               0;
    });
}

}  // namespace

TEST_CASE("an enqueue whose commit was answered succeeds if the connection breaks before the wake is answered",
          "[scenario][wake]") {
    database db;
    test::proxy between;
    SECTION("libpq") {
        for (int i = 0; i < 20; ++i) {
            test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
            jobs.enqueue(note{.n = i}).value();
            between.close_after_answers(1);
            CHECK(jobs.enqueue(note{.n = i}).has_value());
            CHECK(between.answers_have_come());
            CHECK(db.rows("ready") == 2 * i + 2);
        }
    }
    SECTION("a batch") {
        test::note_queue<> jobs{pgq::driver::libpq{between.options(db)}};
        (void)jobs.lanes().value();
        between.close_after_answers(1);
        CHECK(jobs.enqueue(test::notes(10)).value().size() == 10);
        CHECK(db.rows("ready") == 10);
    }
    SECTION("asio") {
        test::running_context context;
        for (int i = 0; i < 20; ++i) {
            asio_queue jobs{pgq::driver::asio_libpq{context.executor(), between.options(db)}};
            test::outcome<pgq::job_id> first, second;
            jobs.async_enqueue(note{.n = i}, first.handler());
            CHECK_FALSE(first.error());
            between.close_after_answers(1);
            jobs.async_enqueue(note{.n = i}, second.handler());
            CHECK_FALSE(second.error());
            CHECK(between.answers_have_come());
            CHECK(db.rows("ready") == 2 * i + 2);
        }
    }
}

TEST_CASE("an enqueue returns at its own commit, and the wake waits without it", "[scenario][wake][direct]") {
    database db;
    auto options = db.options();
    options.response_timeout = 30s;
    test::running_context context;
    std::unique_ptr<test::note_queue<>> plain = std::make_unique<test::note_queue<>>(pgq::driver::libpq{options});
    std::unique_ptr<pool_queue> pooled;
    std::unique_ptr<asio_queue> asynchronous;
    test::claiming_session sleeper{db, plain->lanes().value()};
    sleeper.subscribe_wakes();
    locked_workers lock{db};
    const auto begun = steady::now();
    SECTION("libpq") { CHECK(plain->enqueue(note{.n = 1}).has_value()); }
    SECTION("a batch of tracked jobs") { CHECK(plain->enqueue(test::notes(3), {.keep_outcome = 1h}).has_value()); }
    SECTION("a pool") {
        pooled = std::make_unique<pool_queue>(pgq::driver::pool{pgq::driver::libpq{options}});
        CHECK(pooled->enqueue(note{.n = 1}).has_value());
    }
    SECTION("asio") {
        asynchronous = std::make_unique<asio_queue>(pgq::driver::asio_libpq{context.executor(), options});
        test::outcome<pgq::job_id> end;
        asynchronous->async_enqueue(note{.n = 1}, end.handler());
        CHECK_FALSE(end.error());
    }
    CHECK(steady::now() - begun < 20s);
    REQUIRE(a_wake_waits(db));
    // Closing waits for the wake, but not for long, and does not lose it.
    const auto closing = steady::now();
    plain.reset();
    pooled.reset();
    asynchronous.reset();
    CHECK(steady::now() - closing < 20s);
    CHECK_FALSE(sleeper.receives_wake(0ms));
    lock.unlock();
    CHECK(sleeper.receives_wake(test::test_timeout));
}

TEST_CASE("a wake is not lost if the queue object is destroyed just after the enqueue", "[scenario][wake][direct]") {
    database db;
    test::note_queue<> first{db.driver()};
    const auto lanes = first.lanes().value();
    for (int i = 0; i < 30; ++i) {
        test::claiming_session sleeper{db, lanes};
        sleeper.subscribe_wakes();
        {
            test::note_queue<> jobs{db.driver()};
            jobs.enqueue(note{.n = i}).value();
        }
        CHECK(sleeper.receives_wake(test::test_timeout));
        (void)sleeper.finish(sleeper.claim(10));
    }
}

TEST_CASE("if the server is silent after the commit, the enqueue succeeds and the next call ends in time",
          "[scenario][wake]") {
    database db;
    test::proxy between;
    auto options = between.options(db);
    options.response_timeout = 1s;
    test::note_queue<> jobs{pgq::driver::libpq{options}};
    (void)jobs.lanes().value();
    between.silence_after_answers(1);
    const auto first = jobs.enqueue(note{.n = 1});
    INFO((first ? std::string{} : first.error().text()));
    CHECK(first.has_value());
    CHECK(db.rows("ready") == 1);
    CHECK(jobs.enqueue(note{.n = 2}).error() == pgq::errc::connection_lost);
    CHECK(jobs.enqueue(note{.n = 3}).has_value());
}

TEST_CASE("an enqueue without an answer says that its jobs may be stored", "[scenario][wake]") {
    database db;
    test::proxy between;
    auto options = between.options(db);
    options.response_timeout = 1s;
    test::running_context context;
    test::note_queue<> jobs{pgq::driver::libpq{options}};
    asio_queue asynchronous{pgq::driver::asio_libpq{context.executor(), options}};
    (void)jobs.lanes().value();
    pgq::error_info why;
    SECTION("the connection breaks") {
        between.close_after_answers(0);
        why = jobs.enqueue(note{.n = 1}).error();
    }
    SECTION("the server is silent") {
        between.silence_after_answers(0);
        why = jobs.enqueue(note{.n = 1}).error();
    }
    SECTION("a stream") { why = jobs.enqueue_stream(notes_into_silence{&between}).error(); }
    SECTION("asio: the server is silent") {
        test::outcome<pgq::job_id> connects, end;
        asynchronous.async_enqueue(note{.n = 1}, connects.handler());
        CHECK_FALSE(connects.error());
        between.silence_after_answers(0);
        asynchronous.async_enqueue(note{.n = 1}, end.handler());
        CHECK(end.error() == pgq::errc::connection_lost);
        why = asynchronous.last_async_error();
    }
    INFO(why.text());
    CHECK(why == pgq::errc::connection_lost);
    CHECK(why.detail == "the jobs may be stored or not");
    CHECK(why.hint.find("request_id") != std::string::npos);
    CHECK(test::eventually([&] { return db.rows("ready") > 0; }));
}

TEST_CASE("a session receives notifications that come behind a wake that nobody has read", "[scenario][wake][direct]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    const auto lanes = jobs.lanes().value();
    test::claiming_session receiver{db, lanes};
    const test::sql_connection other{test::dsn(), db.schema()};
    for (int i = 0; i < 10; ++i) {
        CHECK(receiver.line().run(pgq::driver::pq::command::wake{{.lanes = lanes}}).has_value());
        (void)other.exec("SELECT pg_notify('pgq_' || {s}.schema_id() || '_" + std::to_string(receiver.id().value) +
                         "', '')");
        CHECK(receiver.receives_wake(test::test_timeout));
    }
}

TEST_CASE("the stream of a COPY begins behind a wake that is not answered yet", "[scenario][wake]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    for (int i = 0; i < 10; ++i) {
        jobs.enqueue(note{.n = i}).value();
        CHECK(jobs.enqueue_stream(test::notes(10)).value() == 10);
        CHECK(jobs.enqueue(test::notes(pgq::statement::worth_copying)).has_value());
    }
    CHECK(db.rows("ready") == 10 * (11 + static_cast<int>(pgq::statement::worth_copying)));
}

TEST_CASE("the server plans a wake once and not for each enqueue", "[scenario][wake][direct]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    auto session = db.driver().connect(pgq::session_role::client).value();
    const auto lanes = jobs.lanes().value();
    for (int i = 0; i < 20; ++i) CHECK(session.run(pgq::driver::pq::command::wake{{.lanes = lanes}}).has_value());
    REQUIRE(session.begin().has_value());
    const auto plans =
        session.exec("SELECT custom_plans::text FROM pg_prepared_statements WHERE name = 'wake'", {}).value();
    REQUIRE(plans.size() == 1);
    CHECK(plans[0][0] == "5");  // the server compares after five executions
    REQUIRE(session.rollback().has_value());
}

}  // namespace scenarios_unanswered_wake
