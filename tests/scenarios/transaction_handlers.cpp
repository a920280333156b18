#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/leases.hpp>
#include <support/proxy.hpp>

#include <pgq/backoff/none.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace scenarios_transaction_handlers {

namespace transaction_jobs {

struct sum {
    static constexpr std::string_view entrypoint = "sum";
    using result = std::int64_t;
    std::int64_t a = 0, b = 0;
};

}  // namespace transaction_jobs

}  // namespace scenarios_transaction_handlers

BOOST_HANA_ADAPT_STRUCT(scenarios_transaction_handlers::transaction_jobs::sum, a, b);

namespace scenarios_transaction_handlers {

using namespace std::chrono_literals;
using test::database;
using test::letter;
using test::note;

namespace {

template <class... Policies>
using both_queue = pgq::queue<note, letter, pgq::driver::libpq, pgq::serializer::json, test::event_counts,
                              pgq::backoff::none, Policies...>;
using app_queue = both_queue<>;
using transaction = pgq::transaction<app_queue>;

/// Each effect of a job may happen only once.
void make_effects(const database& db) {
    db.exec("CREATE TABLE {s}.effects (n int8 PRIMARY KEY, text text)");
    db.exec("CREATE TABLE {s}.switch (off bool)");
}
std::string insert(const database& db) { return db.sql().rendered("INSERT INTO {s}.effects VALUES ($1, $2)"); }

pgq::worker_options usual() { return {.max_attempts = 3, .lease_time = 5min, .until = pgq::run_until::drained}; }

constexpr auto ignore_letters = [](const letter&) {};

}  // namespace

TEST_CASE("a handler's writes are committed with the end of its job, however many handlers run at once",
          "[scenario][transaction][undisturbed]") {
    database db;
    make_effects(db);
    app_queue jobs{db.driver(), {}, pgq::executor::thread_pool{4}};
    (void)jobs.enqueue(test::notes(300)).value();
    std::atomic<int> letters{0};
    const auto sql = insert(db);
    test::run_until_empty(
        jobs, usual(),
        [&](const note& n, transaction& tx) {
            const auto written = tx.exec(sql, n.n, n.text).value();
            if (written.affected() != 1) throw std::logic_error{"not one row"};
            if (n.n % 3 == 0) (void)tx.enqueue(letter{.n = n.n}).value();
        },
        [&](const letter&) { ++letters; });
    CHECK(db.is_empty());
    CHECK(db.rows("effects") == 300);
    CHECK(db.query_text("SELECT text FROM {s}.effects WHERE n = 7") == "note 7");
    CHECK(letters == 100);
    CHECK(jobs.observer()->lost == 0);
    CHECK(jobs.observer()->errors == 0);
}

TEST_CASE("an exception in a handler's transaction undoes its writes and makes the job ready at once",
          "[scenario][transaction]") {
    database db;
    make_effects(db);
    app_queue jobs{db.driver(), {}, pgq::executor::thread_pool{1}};
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto sql = insert(db);
    int runs = 0;
    test::run_until_empty(
        jobs, usual(),
        [&](const note& n, pgq::context& c, transaction& tx) {
            CHECK(c.attempt() == ++runs);
            (void)tx.exec(sql, n.n, "of attempt " + std::to_string(runs)).value();
            if (runs == 1) throw std::runtime_error{"no"};
        },
        ignore_letters);
    CHECK(runs == 2);
    CHECK(db.query_text("SELECT text FROM {s}.effects") == "of attempt 2");
}

TEST_CASE("a statement that fails in a savepoint undoes only that savepoint", "[scenario][transaction]") {
    database db;
    make_effects(db);
    app_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto sql = insert(db);
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, transaction& tx) {
            (void)tx.exec(sql, 1, "first").value();
            const auto again = tx.savepoint([&] { return tx.exec(sql, 1, "again"); });
            CHECK(again.error().code == pgq::make_sqlstate("23505"));
            CHECK_THROWS_AS(tx.savepoint([&] { (void)tx.exec(sql, 1, "again").value(); }), pgq::failure);
            (void)tx.savepoint([&] { return tx.exec(sql, 2, std::optional<std::string>{}); }).value();
        },
        ignore_letters);
    CHECK(db.is_empty());
    CHECK(db.query_int("SELECT count(*) FROM {s}.effects WHERE text = 'first' OR text IS NULL") == 2);
}

TEST_CASE("a job whose handler ignores an error of its transaction is not done", "[scenario][transaction]") {
    database db;
    make_effects(db);
    app_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto sql = insert(db);
    auto options = usual();
    options.max_attempts = 1;
    test::run_until_empty(
        jobs, options,
        [&](const note&, transaction& tx) {
            (void)tx.exec(sql, 1, "first");
            (void)tx.exec(sql, 1, "again");
        },
        ignore_letters);
    const auto held = jobs.held<note>().value();
    REQUIRE(held.size() == 1);
    CHECK(held.front().reason.starts_with("attempt 1 of 1 failed: the transaction was not committed: "));
    CHECK(held.front().reason.find("duplicate key value") != std::string::npos);
    CHECK(db.rows("effects") == 0);
}

TEST_CASE("a handler cannot end its transaction", "[scenario][transaction]") {
    database db;
    make_effects(db);
    app_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    int runs = 0;
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, transaction& tx) {
            if (++runs == 1) CHECK(tx.exec("ROLLBACK").error() == pgq::errc::invalid_option);
            else (void)tx.exec(insert(db), 1, "second").value();
        },
        ignore_letters);
    CHECK(runs == 2);
    CHECK(db.is_empty());
    CHECK(db.query_text("SELECT text FROM {s}.effects") == "second");
}

TEST_CASE("exec binds its arguments, whatever text they have", "[scenario][transaction]") {
    database db;
    app_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, transaction& tx) {
            const std::string odd = "'; DROP TABLE x; -- {s} \" \\ \xE2\x82\xAC";
            const auto rows =
                tx.exec("SELECT $1::text, $2::int8 + 1, $3::bool, $4::text IS NULL, $5::float8, '{s}'::text[]", odd,
                        std::int64_t{41}, true, std::nullopt, 0.5)
                    .value();
            REQUIRE(rows.size() == 1);
            CHECK(rows[0][0] == odd);
            CHECK(rows[0][1] == "42");
            CHECK(rows[0][2] == "t");
            CHECK(rows[0][3] == "t");
            CHECK(rows[0][4] == "0.5");
            CHECK(rows[0][5] == "{s}");
            CHECK(tx.savepoint([&] {
                        return tx.exec("SELECT $1::text", std::string{"a\0b", 3});
                    }).error() == pgq::errc::invalid_text);
        },
        ignore_letters);
    CHECK(db.is_empty());
}

TEST_CASE("a worker that has lost its lease commits nothing", "[scenario][transaction]") {
    database db;
    make_effects(db);
    app_queue jobs{db.driver(), {}, pgq::executor::thread_pool{1}};
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto sql = insert(db);
    int runs = 0;
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, transaction& tx) {
            (void)tx.exec(sql, 1, "of run " + std::to_string(++runs)).value();
            if (runs > 1) return;
            // What a rescue does after this worker was taken for dead.
            auto session = db.driver().connect(pgq::session_role::monitor).value();
            const auto worker = static_cast<std::int32_t>(db.query_int("SELECT worker FROM {s}.lease"));
            session.give_back(test::leases_of(session, {worker})).value();
        },
        ignore_letters);
    CHECK(runs == 2);
    CHECK(jobs.observer()->lost == 1);
    CHECK(db.query_text("SELECT text FROM {s}.effects") == "of run 2");
    CHECK(db.is_empty());
}

TEST_CASE("if the server ends a handler's connection, the handler runs again, and its effect happens once",
          "[scenario][transaction]") {
    database db;
    make_effects(db);
    app_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto sql = insert(db);
    int runs = 0;
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, transaction& tx) {
            (void)tx.exec(sql, 1, "of run " + std::to_string(++runs)).value();
            if (runs == 1) (void)tx.exec("SELECT pg_terminate_backend(pg_backend_pid())");
        },
        ignore_letters);
    CHECK(runs == 2);
    CHECK(db.query_text("SELECT text FROM {s}.effects") == "of run 2");
    CHECK(db.is_empty());
}

TEST_CASE("a commit that fails counts as a failed attempt", "[scenario][transaction][usual_settings]") {
    database db;
    make_effects(db);
    db.exec("ALTER TABLE {s}.effects ADD CONSTRAINT twice UNIQUE (text) DEFERRABLE INITIALLY DEFERRED");
    app_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto sql = insert(db);
    int runs = 0;
    test::run_until_empty(
        jobs, usual(),
        [&](const note&, transaction& tx) {
            (void)tx.exec(sql, 1, "same").value();
            if (++runs == 1) (void)tx.exec(sql, 2, "same").value();
        },
        ignore_letters);
    CHECK(runs == 2);
    CHECK(db.rows("effects") == 1);
    CHECK(db.is_empty());
}

TEST_CASE("a worker finds out whether a commit with a lost answer happened, and does not run that job again",
          "[scenario][transaction]") {
    database db;
    make_effects(db);
    test::proxy between;
    auto far = between.options(db);
    far.response_timeout = 500ms;
    app_queue jobs{pgq::driver::libpq{far}, {}, pgq::executor::thread_pool{1}};
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto sql = insert(db);
    std::atomic<int> runs{0};
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 5min, .poll_interval = 10min},
                           [&](const note&, transaction& tx) {
                               ++runs;
                               (void)tx.exec(sql, 1, "once").value();
                               between.mute();
                           },
                           ignore_letters};
    CHECK(test::eventually([&] { return db.rows("effects") == 1; }));
    // Then the worker goes on over a new connection.
    CHECK(test::eventually([&] { return jobs.observer()->in_hand == 0; }));
    CHECK(w.stop());
    CHECK(runs == 1);
    CHECK(db.is_empty());
    CHECK(jobs.observer()->lost == 0);
}

TEST_CASE("each job of a handler in a transaction has its own lease", "[scenario][transaction]") {
    database db;
    app_queue jobs{db.driver(), {}, pgq::executor::thread_pool{2}};
    (void)jobs.enqueue(test::notes(4)).value();
    (void)jobs.enqueue(std::vector<letter>(3)).value();
    test::gate gate;
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 5min},
                           [&](const note&, pgq::context& c, transaction&) { gate.pass(c); },
                           [&](const letter&, pgq::context& c) { gate.pass(c); }};
    REQUIRE(test::eventually([&] { return gate.waiting() == 2; }));
    CHECK(db.query_int("SELECT max(cardinality(e.ids)) FROM {s}.lease e JOIN {s}.lane l ON l.id = e.lane"
                       " WHERE l.entrypoint = 'note'") == 1);
    gate.open();
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(w.stop());
}

TEST_CASE("a waiter receives the result of a job in a transaction, even if it begins to wait late",
          "[scenario][transaction]") {
    using transaction_jobs::sum;
    using sum_queue = pgq::queue<sum, pgq::driver::libpq, pgq::serializer::json>;
    const database db;
    sum_queue jobs{db.driver()};
    test::gate gate;
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 5min},
                           [&](const sum& s, pgq::context& c, pgq::transaction<sum_queue>& tx) {
                               if (s.a > 1) gate.pass(c);
                               return std::stoll(*tx.exec("SELECT $1::int8 + $2::int8", s.a, s.b).value()[0][0]);
                           }};
    const auto first = jobs.enqueue(sum{.a = 1, .b = 2}, {.keep_outcome = 1min}).value();
    CHECK(first.get(test::test_timeout).value() == 3);
    const auto second = jobs.enqueue(sum{.a = 2, .b = 3}).value();
    REQUIRE(test::eventually([&] { return gate.waiting() == 1; }));
    auto reported = std::async(std::launch::async, [&] { return second.get(test::test_timeout); });
    REQUIRE(
        test::eventually([&] { return db.query_int("SELECT count(*) FROM {s}.lease WHERE flags IS NOT NULL") == 1; }));
    gate.open();
    CHECK(reported.get().value() == 5);
    CHECK(w.stop());
    CHECK(db.is_empty());
}

TEST_CASE("a job in a transaction that is cancelled and returns done is done, and its effect happens",
          "[scenario][transaction]") {
    const database db;
    make_effects(db);
    app_queue jobs{db.driver()};
    test::gate gate;
    std::atomic<bool> passed{true};
    const auto sql = insert(db);
    // Without wake-ups a worker learns of the cancel with its heartbeat: after a third of the lease time.
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 1min},
                           [&](const note&, pgq::context& c, transaction& tx) {
                               (void)tx.exec(sql, 1, "done").value();
                               passed = gate.pass(c);
                           },
                           ignore_letters};
    const auto h = jobs.enqueue(note{.n = 1}, {.keep_outcome = 1min}).value();
    REQUIRE(test::eventually([&] { return gate.waiting() == 1; }));
    CHECK(h.cancel().value().stopping == 1);
    CHECK(h.wait(test::test_timeout).value().kind == pgq::end_kind::done);
    CHECK(db.rows("effects") == 1);
    CHECK(w.stop());
    CHECK_FALSE(passed);
    CHECK(jobs.observer()->lost == 0);
}

}  // namespace scenarios_transaction_handlers
