#include <pgq/driver/pool.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <libpq-fe.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <string_view>

namespace scenarios_silent_transactions {

using namespace std::chrono_literals;
using test::database;
using test::note;
using steady = std::chrono::steady_clock;
using note_queue = test::note_queue<>;

namespace {

// Far longer than a deadline of the caller's and all pauses of a slow machine.
constexpr auto long_time = 60s;
constexpr auto in_time = 20s;

template <class Call>
std::chrono::milliseconds time_of(Call call) {
    const auto begun = steady::now();
    call();
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - begun);
}

pgq::driver::libpq through(const test::proxy& p, const database& db, pgq::duration response_timeout = long_time,
                           pgq::duration exec_timeout = {}) {
    auto o = p.options(db);
    o.response_timeout = response_timeout;
    o.exec_timeout = exec_timeout;
    return pgq::driver::libpq{o};
}

void silence(test::proxy& p, std::string_view what) {
    if (what == "the whole host") p.freeze_host();
    else if (what == "the open connections") p.freeze();
    else p.mute();
}

void check_free_again(note_queue& jobs) {
    CHECK(test::eventually([&] {
        const auto got = jobs.get<note>({.timeout = 1s});
        return got && got->has_value();
    }));
}

}  // namespace

TEST_CASE("take in a transaction ends at the caller's deadline if the server is silent, and loses no job",
          "[scenario][silent][transaction]") {
    database db;
    test::proxy between;
    note_queue jobs{through(between, db)};
    note_queue others{db.driver()};
    others.enqueue(note{.n = 1}).value();
    const bool has_taken = GENERATE(true, false);
    const std::string what = GENERATE("the whole host", "the open connections", "its answers");
    if (!has_taken) (void)jobs.lanes().value();
    pgq::result<void> ended;
    const auto took = time_of([&] {
        ended = jobs.transaction([&](auto& tx) -> pgq::result<void> {
            if (has_taken) CHECK(tx.template take<note>().value().has_value());
            silence(between, what);
            auto got = tx.template take<note>({.timeout = 2s});
            if (!got) return got.error();
            return {};
        });
    });
    CHECK(took < in_time);
    CHECK_FALSE(ended);
    between.thaw();
    between.cut();
    check_free_again(others);
    CHECK(jobs.transaction([](auto& tx) { (void)tx.exec("SELECT 1").value(); }));
}

TEST_CASE("take on the caller's connection ends at the caller's deadline if the server is silent, and loses no job",
          "[scenario][silent][transaction]") {
    database db;
    test::proxy between;
    note_queue jobs{db.driver()};
    jobs.enqueue(note{.n = 1}).value();
    const test::sql_connection mine{between.conninfo(test::dsn()), db.schema()};
    const bool blocks = GENERATE(true, false);
    const std::string what = GENERATE("the open connections", "its answers");
    REQUIRE(PQsetnonblocking(mine.get(), blocks ? 0 : 1) == 0);
    (void)mine.exec("BEGIN");
    CHECK(jobs.take<note>(pgq::within(mine.get()), {.timeout = 2s}).value().has_value());
    CHECK(PQisnonblocking(mine.get()) == (blocks ? 0 : 1));
    silence(between, what);
    pgq::error_info why;
    CHECK(time_of([&] {
              auto got = jobs.take<note>(pgq::within(mine.get()), {.timeout = 2s});
              REQUIRE_FALSE(got);
              why = got.error();
          }) < in_time);
    INFO(why.text());
    CHECK(why == pgq::errc::connection_lost);
    CHECK(why.message.find("in time") != std::string::npos);
    // The program sees that its connection is gone, and may use it again.
    CHECK(PQstatus(mine.get()) == CONNECTION_BAD);
    between.thaw();
    between.cut();
    check_free_again(jobs);
    PQreset(mine.get());
    jobs.enqueue(note{.n = 2}).value();
    (void)mine.exec("BEGIN");
    CHECK(jobs.take<note>(pgq::within(mine.get()), {.timeout = 2s}).value().has_value());
    (void)mine.exec("COMMIT");
    CHECK(db.is_empty());
}

TEST_CASE("take on the caller's connection cancels a statement that waits for a lock, and the connection stays",
          "[scenario][silent][transaction]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.lanes().value();
    const test::sql_connection mine{test::dsn(), db.schema()}, locking{test::dsn(), db.schema()};
    jobs.enqueue(note{.n = 1}).value();
    (void)mine.exec("BEGIN");
    (void)locking.exec("BEGIN; LOCK TABLE {s}.deferred, {s}.ready");
    pgq::result<void> ended;
    CHECK(time_of([&] {
              auto got = jobs.take<note>(pgq::within(mine.get()), {.timeout = 2s});
              REQUIRE_FALSE(got);
          }) < in_time);
    CHECK(PQstatus(mine.get()) == CONNECTION_OK);
    (void)locking.exec("ROLLBACK");
    (void)mine.exec("ROLLBACK");
    (void)mine.exec("BEGIN");
    CHECK(jobs.take<note>(pgq::within(mine.get()), {.timeout = 2s}).value().has_value());
    (void)mine.exec("COMMIT");
    CHECK(db.is_empty());
}

TEST_CASE("a statement of a transaction ends in time if the server is silent", "[scenario][silent][transaction]") {
    database db;
    test::proxy between;
    note_queue jobs{through(between, db, 1s)};
    note_queue others{db.driver()};
    others.enqueue(note{.n = 1}).value();
    const std::string what = GENERATE("the whole host", "the open connections", "its answers");
    pgq::error_info why;
    CHECK(time_of([&] {
              const auto ended = jobs.transaction([&](auto& tx) -> pgq::result<void> {
                  CHECK(tx.template take<note>().value().has_value());
                  silence(between, what);
                  auto rows = tx.exec("SELECT 1");
                  if (!rows) return rows.error();
                  return {};
              });
              REQUIRE_FALSE(ended);
              why = ended.error();
          }) < in_time);
    INFO(why.text());
    CHECK(why == pgq::errc::connection_lost);
    between.thaw();
    between.cut();
    check_free_again(others);
    CHECK(jobs.transaction([](auto& tx) { (void)tx.exec("SELECT 1").value(); }));
}

TEST_CASE("a statement of a transaction that takes longer than exec_timeout is cancelled, and its session stays",
          "[scenario][silent][transaction]") {
    database db;
    test::proxy between;
    note_queue jobs{through(between, db, 1s)};
    (void)jobs.lanes().value();
    const auto run = [&](auto& queue, const char* sql) {
        return queue.transaction([&](auto& tx) -> pgq::result<void> {
            auto rows = tx.exec(sql);
            if (!rows) return rows.error();
            return {};
        });
    };
    run(jobs, "SELECT 1").value();
    const int before = between.connections();
    const auto ended = run(jobs, "SELECT pg_sleep(60)");
    REQUIRE_FALSE(ended);
    INFO(ended.error().text());
    CHECK(ended.error() == pgq::condition::transient);
    CHECK(ended.error().message.find("was cancelled") != std::string::npos);
    CHECK(ended.error().statement == std::string_view{"exec"});
    run(jobs, "SELECT 1").value();
    CHECK(between.connections() == before + 1);  // that of the request to cancel

    note_queue patient{through(between, db, 1s, 10min)};
    run(patient, "SELECT pg_sleep(2)").value();
}

TEST_CASE("a statement that is larger than the buffers of the network is sent while its answer is waited for",
          "[scenario][silent][transaction]") {
    database db;
    note_queue jobs{db.driver()};
    const std::string large(std::size_t{8} << 20, 'x');
    jobs.transaction([&](auto& tx) {
            CHECK(*tx.exec("SELECT length($1::text)", large).value()[0][0] == std::to_string(large.size()));
            CHECK(tx.exec("SELECT $1::text", large).value()[0][0]->size() == large.size());
        })
        .value();
}

TEST_CASE("a worker stops in time although a handler's statement waits for a silent server",
          "[scenario][silent][transaction]") {
    database db;
    test::proxy between;
    note_queue jobs{through(between, db), {}, pgq::executor::thread_pool{1}};
    jobs.enqueue(note{.n = 1}).value();
    std::atomic<bool> silent{false};
    test::running_worker w{jobs, pgq::worker_options{.grace = 1s}, [&](const note&, pgq::transaction<note_queue>& tx) {
                               between.freeze_host();
                               silent = true;
                               (void)tx.exec("SELECT 1");
                           }};
    REQUIRE(test::eventually([&] { return silent.load(); }));
    pgq::result<void> outcome;
    CHECK(time_of([&] { outcome = w.stop(); }) < in_time);
    CHECK(outcome);
}

TEST_CASE("a get over a pool that waits ends at the caller's deadline if the server becomes silent",
          "[scenario][silent][pool]") {
    database db;
    test::proxy between;
    pgq::queue<note, pgq::driver::pool<pgq::driver::libpq>, pgq::serializer::json> jobs{
        pgq::driver::pool<pgq::driver::libpq>{through(between, db), {.max = 2}}};
    auto waiting =
        std::async(std::launch::async, [&] { return time_of([&] { (void)jobs.get<note>({.timeout = 5s}); }); });
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    between.freeze_host();
    CHECK(waiting.get() < in_time);
}

}  // namespace scenarios_silent_transactions
