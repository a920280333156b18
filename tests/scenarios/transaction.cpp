#include <pgq/driver/borrow.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/driver/pool.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace scenarios_transaction {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

template <class Driver>
using queue_of = pgq::queue<note, Driver, pgq::serializer::json>;
using note_queue = queue_of<pgq::driver::libpq>;

template <class Queue>
std::optional<std::int64_t> next(Queue& jobs) {
    auto got = jobs.template get<note>({.timeout = 0s}).value();
    return got ? std::optional{(*got)->n} : std::nullopt;
}
template <class Tx>
std::optional<std::int64_t> taken(Tx& tx, const pgq::take_options& options = {}) {
    auto got = tx.template take<note>(options).value();
    return got ? std::optional{(*got)->n} : std::nullopt;
}

struct oops : std::runtime_error {
    oops() : std::runtime_error{"oops"} {}
};

/// A table of the user.
void make_table(const database& db) { db.exec("CREATE TABLE {s}.written (n int8, text text)"); }
std::string insert_into(const database& db) { return db.sql().rendered("INSERT INTO {s}.written VALUES ($1, $2)"); }
std::int64_t written(const database& db) { return db.query_int("SELECT count(*) FROM {s}.written"); }

}  // namespace

TEST_CASE("a job that a transaction enqueues is visible when that commits, and never if it throws",
          "[scenario][transaction][pq17]") {
    database db;
    note_queue jobs{db.driver()};
    jobs.transaction([&](auto& tx) {
            (void)tx.enqueue(note{.n = 1}).value();
            (void)tx.enqueue(test::notes(2)).value();
            CHECK_FALSE(next(jobs));
        })
        .value();
    CHECK(jobs.counts<note>().value().ready == 3);
    CHECK_THROWS_AS(jobs.transaction([&](auto& tx) {
        (void)tx.enqueue(note{.n = 2}).value();
        throw oops{};
    }),
                    oops);
    CHECK(jobs.counts<note>().value().ready == 3);
}

TEST_CASE("if a transaction throws or fails, the job that it took is ready at once, unchanged",
          "[scenario][transaction][pq17]") {
    database db;
    note_queue jobs{db.driver()};
    const auto id = jobs.enqueue(note{.n = 1}, {.priority = 4}).value();
    CHECK_THROWS_AS(jobs.transaction([&](auto& tx) {
        CHECK(taken(tx) == 1);
        throw oops{};
    }),
                    oops);
    const auto failed = jobs.transaction([&](auto& tx) -> pgq::result<int> {
        CHECK(taken(tx) == 1);
        return pgq::errc::stopped;
    });
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error() == pgq::errc::stopped);
    const auto got = jobs.get<note>({.timeout = 0s}).value();
    REQUIRE(got);
    CHECK(got->id() == id);
    CHECK(got->priority() == 4);
    CHECK(got->attempts() == 1);
}

TEST_CASE("taking a job and the user's writes commit together or not at all", "[scenario][transaction][pq18]") {
    database db;
    make_table(db);
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(test::notes(2)).value();
    const auto insert = insert_into(db);
    const auto work = [&](bool well) {
        return jobs.transaction([&](auto& tx) -> pgq::result<std::int64_t> {
            const auto n = taken(tx).value();
            const auto put = tx.exec(insert, n, "a '\"\\ \xC3\xA4");
            if (!put) return put.error();
            CHECK(put->affected() == 1);
            if (!well) return pgq::errc::stopped;
            return n;
        });
    };
    CHECK(work(true).value() == 0);
    CHECK(written(db) == 1);
    CHECK_FALSE(work(false).has_value());
    CHECK(written(db) == 1);
    CHECK(next(jobs) == 1);
    CHECK(db.query_text("SELECT text FROM {s}.written") == "a '\"\\ \xC3\xA4");
}

TEST_CASE("a statement that fails in a savepoint does not undo the rest of the transaction",
          "[scenario][transaction][pq18]") {
    database db;
    make_table(db);
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(test::notes(3)).value();
    const auto insert = insert_into(db);
    jobs.transaction([&](auto& tx) {
            CHECK(taken(tx) == 0);
            const auto inner = tx.savepoint([&](auto& in) -> pgq::result<void> {
                CHECK(taken(in) == 1);
                (void)in.exec(insert, 1, "lost").value();
                const auto bad = in.exec(insert, "no number", "lost");
                REQUIRE_FALSE(bad.has_value());
                return bad.error();
            });
            REQUIRE_FALSE(inner.has_value());
            CHECK(inner.error().code == pgq::make_sqlstate("22P02"));
            CHECK_THROWS_AS(tx.savepoint([&](auto& in) {
                CHECK(taken(in) == 1);
                throw oops{};
            }),
                            oops);
            CHECK(tx.savepoint([&](auto& in) { return taken(in); }).value() == 1);
            (void)tx.exec(insert, 7, std::nullopt).value();
        })
        .value();
    CHECK(db.query_text("SELECT string_agg(n || coalesce(text, '-'), ',') FROM {s}.written") == "7-");
    CHECK(next(jobs) == 2);
    CHECK(db.is_empty());
}

TEST_CASE("a transaction whose caller ignores a failed statement does not commit", "[scenario][transaction]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto answer = jobs.transaction([&](auto& tx) {
        CHECK(taken(tx) == 1);
        (void)tx.exec("SELECT 1 / $1::int", 0);
    });
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == pgq::make_sqlstate("25P02"));
    CHECK(next(jobs) == 1);
}

TEST_CASE("a statement that ends the transaction, and a COPY, are errors", "[scenario][transaction]") {
    database db;
    make_table(db);
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto run = [&](const std::string& sql) {
        return jobs.transaction([&](auto& tx) -> pgq::result<void> {
            auto done = tx.exec(sql);
            if (!done) return done.error();
            return {};
        });
    };
    CHECK(run("COMMIT").error() == pgq::errc::invalid_option);
    CHECK(run(db.sql().rendered("COPY {s}.written FROM STDIN")).error() == pgq::errc::connection_lost);
    CHECK(run("SELECT 1").has_value());
    CHECK(next(jobs) == 1);
}

TEST_CASE("a statement returns its rows as text, and tells null from an empty text", "[scenario][transaction]") {
    database db;
    note_queue jobs{db.driver()};
    jobs.transaction([](auto& tx) {
            const auto rows =
                tx.exec("SELECT a, $2::text AS b, $3::bool AS c, $4::float8 FROM generate_series(1, $1::int) a", 2, "",
                        true, std::optional<double>{})
                    .value();
            REQUIRE(rows.size() == 2);
            CHECK(rows.columns() == std::vector<std::string>{"a", "b", "c", "float8"});
            CHECK(rows[1][0] == "2");
            CHECK(rows[1][1] == "");
            CHECK(rows[1][2] == "t");
            CHECK_FALSE(rows[1][3].has_value());
            CHECK(tx.exec("SELECT 1 WHERE false").value().empty());
        })
        .value();
}

TEST_CASE("after an exception in the function, the connection is used again", "[scenario][transaction][pq19][direct]") {
    database db;
    note_queue jobs{db.driver()};
    std::vector<std::string> backends;
    for (int i = 0; i < 20; ++i)
        CHECK_THROWS_AS(jobs.transaction([&](auto& tx) {
            backends.push_back(*tx.exec("SELECT pg_backend_pid()").value()[0][0]);
            throw oops{};
        }),
                        oops);
    CHECK(std::all_of(backends.begin(), backends.end(), [&](const auto& b) { return b == backends[0]; }));
}

TEMPLATE_TEST_CASE("the transactions of two threads on one queue do not affect each other",
                   "[scenario][transaction][pq19][defect6]", pgq::driver::libpq, pgq::driver::pool<pgq::driver::libpq>,
                   pgq::driver::memory) {
    database db;
    const auto driver = [&] {
        if constexpr (std::is_same_v<TestType, pgq::driver::libpq>) return db.driver();
        else if constexpr (std::is_same_v<TestType, pgq::driver::memory>) return TestType{};
        else return TestType{db.driver(), {.max = 1}};
    }();
    queue_of<TestType> jobs{driver};
    (void)jobs.enqueue(test::notes(2)).value();
    std::barrier both{2};
    std::optional<std::int64_t> kept, thrown;
    {
        std::jthread one{[&] {
            (void)jobs.transaction([&](auto& tx) {
                kept = taken(tx);
                both.arrive_and_wait();
                both.arrive_and_wait();  // the other one rolled back
            });
        }};
        std::jthread two{[&] {
            try {
                (void)jobs.transaction([&](auto& tx) {
                    thrown = taken(tx);
                    both.arrive_and_wait();
                    throw oops{};
                });
            } catch (const oops&) { both.arrive_and_wait(); }
        }};
    }
    REQUIRE((kept && thrown));
    CHECK(*kept + *thrown == 1);
    CHECK(next(jobs) == thrown);
    CHECK_FALSE(next(jobs));
}

TEST_CASE("two transactions hold one job each, and a third caller takes the third job without waiting",
          "[scenario][transaction][pq20]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(test::notes(3)).value();
    jobs.transaction([&](auto& one) {
            CHECK(taken(one) == 0);
            jobs.transaction([&](auto& two) {
                    CHECK(taken(two) == 1);
                    CHECK(next(jobs) == 2);
                    CHECK_FALSE(next(jobs));
                })
                .value();
        })
        .value();
    CHECK(db.is_empty());
}

TEMPLATE_TEST_CASE("a take that waits in a transaction is woken, and finds a job that becomes due meanwhile",
                   "[scenario][transaction][defect5][direct]", pgq::driver::libpq, pgq::driver::memory) {
    database db;
    const auto driver = [&] {
        if constexpr (std::is_same_v<TestType, pgq::driver::libpq>) return db.driver();
        else return TestType{};
    }();
    queue_of<TestType> jobs{driver}, other{driver};
    const pgq::take_options patient{.timeout = 60s, .poll_interval = 60s};
    std::atomic<bool> waits{false};
    std::optional<std::int64_t> first, second;
    std::jthread taker{[&] {
        (void)jobs.transaction([&](auto& tx) {
            (void)tx.enqueue(note{.n = 7}, {.run_at = pgq::in(1h)}).value();  // the transaction has certainly begun
            waits = true;
            first = taken(tx, patient);
            second = taken(tx, patient);
        });
    }};
    REQUIRE(test::eventually([&] { return waits.load(); }));
    if constexpr (std::is_same_v<TestType, pgq::driver::libpq>)
        REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    const auto begun = std::chrono::steady_clock::now();
    (void)other.enqueue(note{.n = 1}).value();
    (void)other.enqueue(note{.n = 2}, {.run_at = pgq::in(200ms)}).value();
    taker.join();
    CHECK(first == 1);
    CHECK(second == 2);
    CHECK(std::chrono::steady_clock::now() - begun < 10s);
}

TEST_CASE("a take that waits in a transaction blocks no other caller", "[scenario][transaction]") {
    database db;
    note_queue jobs{db.driver()};
    const auto due = jobs.enqueue(note{.n = 1}, {.run_at = pgq::in(100ms)}).value();
    std::jthread taker{[&] {
        (void)jobs.transaction([&](auto& tx) {
            (void)tx.template take<note>({.timeout = 2s, .where = pgq::header_of("never") == "there"});
        });
    }};
    REQUIRE(test::eventually([&] { return db.rows("ready") == 1; }));  // the waiting take has promoted it
    CHECK(jobs.get<note>({.timeout = 1s}).value()->id() == due);
}

TEST_CASE("jobs that a transaction enqueues wake sleeping workers when it commits", "[scenario][transaction][direct]") {
    database db;
    note_queue jobs{db.driver()}, other{db.driver()};
    std::optional<std::int64_t> got;
    std::jthread getter{[&] {
        auto job = jobs.get<note>({.timeout = 60s, .poll_interval = 60s}).value();
        if (job) got = (*job)->n;
    }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    const auto begun = std::chrono::steady_clock::now();
    other.transaction([](auto& tx) { (void)tx.enqueue(note{.n = 5}).value(); }).value();
    getter.join();
    CHECK(got == 5);
    CHECK(std::chrono::steady_clock::now() - begun < 10s);
}

TEST_CASE("a job that is taken in a transaction on the user's own connection is gone when that commits",
          "[scenario][transaction]") {
    database db;
    make_table(db);
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(test::notes(2)).value();
    const auto take = [&] { return jobs.take<note>(pgq::within(db.connection())).value(); };
    db.exec("BEGIN");
    CHECK((*take())->n == 0);
    CHECK(next(jobs) == 1);
    CHECK_FALSE(take());
    db.exec("ROLLBACK");
    db.exec("BEGIN");
    CHECK((*take())->n == 0);
    db.exec("INSERT INTO {s}.written VALUES (0)");
    db.exec("COMMIT");
    CHECK_FALSE(next(jobs));
    CHECK(written(db) == 1);
}

TEST_CASE("over a borrowed connection, a transaction is part of the one that is already open there",
          "[scenario][transaction][borrow]") {
    database db;
    make_table(db);
    db.exec("SET client_encoding TO 'UTF8'");
    queue_of<pgq::driver::borrow> jobs{pgq::driver::borrow{db.connection(), {.schema = db.schema()}}};
    note_queue own{db.driver()};
    (void)own.lanes().value();
    const auto insert = insert_into(db);
    const auto work = [&](bool well) {
        (void)jobs.transaction([&](auto& tx) -> pgq::result<void> {
            CHECK(taken(tx) == 0);
            (void)tx.exec(insert, 1, "x").value();
            (void)tx.enqueue(note{.n = 9}).value();
            if (well) return {};
            return pgq::errc::stopped;
        });
    };
    (void)own.enqueue(note{.n = 0}).value();
    work(false);
    CHECK(written(db) == 0);
    db.exec("BEGIN");
    work(false);
    work(true);
    CHECK(own.counts<note>().value().ready == 1);
    db.exec("ROLLBACK");
    CHECK(own.counts<note>().value().ready == 1);
    work(true);
    CHECK(written(db) == 1);
    CHECK(next(own) == 9);
    CHECK(PQtransactionStatus(db.connection()) == PQTRANS_IDLE);
}

TEST_CASE("a transaction passes over a job that it cannot read, which is held when the transaction commits",
          "[scenario][transaction]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}, {.priority = 1}).value();
    db.exec("UPDATE {s}.ready SET body = 'no json'");
    (void)jobs.enqueue(note{.n = 2}).value();
    CHECK_THROWS_AS(jobs.transaction([&](auto& tx) {
        CHECK(taken(tx) == 2);
        throw oops{};
    }),
                    oops);
    CHECK(db.rows("ready") == 2);
    jobs.transaction([&](auto& tx) { CHECK(taken(tx) == 2); }).value();
    CHECK(jobs.held<note>().value().size() == 1);
    CHECK(db.rows("ready") == 0);
}

TEST_CASE("if the connection breaks in a transaction, it is undone, and the next transaction gets a new connection",
          "[scenario][transaction]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto cut = jobs.transaction([&](auto& tx) {
        CHECK(taken(tx) == 1);
        const auto backend = *tx.exec("SELECT pg_backend_pid()").value()[0][0];
        db.exec("SELECT pg_terminate_backend(" + backend + ")");
    });
    REQUIRE_FALSE(cut.has_value());
    CHECK(cut.error() == pgq::condition::transient);
    REQUIRE(test::eventually([&] { return db.rows("ready") == 1; }));
    CHECK(jobs.transaction([](auto& tx) { return taken(tx); }).value() == 1);
    CHECK(db.is_empty());
}

}  // namespace scenarios_transaction
