#include <pgq/driver/borrow.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/install.hpp>
#include <pgq/limiter/global_concurrency.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>
#include <support/hostile.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>
#include <support/sql_functions.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace integration_hostile {

struct measured {
    static constexpr std::string_view entrypoint = "measured";
    double value = 0;
    std::chrono::sys_seconds at{};
    std::chrono::seconds took{};
    std::vector<std::byte> raw{};
};

}  // namespace integration_hostile

BOOST_HANA_ADAPT_STRUCT(integration_hostile::measured, value, at, took, raw);

namespace integration_hostile {

using namespace std::chrono_literals;
using test::note;

namespace {

using limited = pgq::queue<pgq::job<note, pgq::limiter::global_concurrency<1>>, measured, pgq::driver::libpq,
                           pgq::serializer::json, pgq::executor::thread_pool, test::event_counts>;

}  // namespace

TEST_CASE("with hostile defaults of the role and of the database, a queue installs, works and sleeps undisturbed",
          "[integration][hostile]") {
    const test::hostile_database db;
    const pgq::driver::libpq driver{db.conninfo()};
    REQUIRE(driver.install().has_value());
    CHECK(driver.install().has_value());
    limited jobs{driver};
    (void)jobs.lanes().value();
    std::atomic<int> running{0}, most{0}, ran{0};
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 10min},
                           [&](const note&) {
                               most = std::max(most.load(), ++running);
                               ++ran;
                               --running;
                           },
                           [](const measured&) {}};
    const test::sql_connection sane{db.sane_conninfo(), "pgq_jobs"};
    const auto asleep = [&] {
        return sane.query_int(
                   "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'"
                   " AND classid = to_regnamespace('{q}')::oid AND database = (SELECT oid FROM pg_database"
                   " WHERE datname = current_database())") == 1;
    };
    REQUIRE(test::eventually(asleep));
    const auto id = sane.query_text("SELECT string_agg(id::text, ' ') FROM {s}.worker");
    // Longer than idle_session_timeout.
    const auto later = std::chrono::steady_clock::now() + 300ms;
    REQUIRE(test::eventually([&] { return std::chrono::steady_clock::now() > later; }));
    (void)jobs.enqueue(test::notes(20)).value();
    (void)jobs.enqueue(note{}, {.unique_key = "k\\'", .keep_outcome = 1h}).value();
    CHECK(test::eventually([&] { return ran == 21; }));
    CHECK(most == 1);
    CHECK(sane.query_text("SELECT string_agg(id::text, ' ') FROM {s}.worker") == id);  // it registered once
    CHECK(w.stop().has_value());
}

TEST_CASE("a short time-out for idle transactions does not end install(), however far away the server is",
          "[integration][hostile]") {
    test::proxy far;
    far.delay(30ms);
    const pgq::driver::libpq driver{
        {.conninfo = test::database::settings_of(far.conninfo(test::dsn()), "options",
                                                 "-c idle_in_transaction_session_timeout=20ms"),
         .schema = test::fresh_schemas::next()}};
    const auto installed = driver.install();
    INFO((installed ? "" : installed.error().text()));
    CHECK(installed.has_value());
}

TEST_CASE("the scripts of the tables, the roles and the SQL functions mean the same with hostile defaults",
          "[integration][hostile]") {
    const test::hostile_database db;
    const test::sql_connection line{db.conninfo(), "pgq_jobs"}, sane{db.sane_conninfo(), "pgq_jobs"};
    (void)line.exec("SET default_transaction_read_only = off; SET client_encoding = 'UTF8'; SET statement_timeout = 0");
    (void)line.exec("SET idle_session_timeout = 0");
    test::run_script(line, pgq::install_sql().value());
    CHECK(pgq::driver::libpq{db.conninfo()}.install().has_value());
    test::run_script(line, pgq::sql_functions<limited>().value());
    const std::string call =
        "SELECT {s}.enqueue_measured(value => 0.1::float8, at => '2026-01-02 03:04:05+00', took => '-1 min',"
        " raw => decode('00ff5c', 'hex'), headers => '{\"a\": \"b\"}')";
    for (const auto* c : {&line, &sane}) (void)c->query_int(call);
    CHECK(sane.query_int("SELECT count(DISTINCT body) FROM {s}.ready") == 1);
    const auto body = sane.query_text("SELECT DISTINCT convert_from(body, 'UTF8') FROM {s}.ready");
    CHECK(body.find("0.1") != std::string::npos);
    for (const std::string_view never : {"infinity", "-infinity"})
        CHECK(test::refusal(sane, "SELECT {s}.enqueue_measured('{}', run_at => '" + std::string{never} + "')")
                  .starts_with("22023 run_at: expected a moment, found " + std::string{never}));
}

TEST_CASE("a borrowed connection enqueues at READ COMMITTED outside of a transaction, whatever its default",
          "[integration][hostile]") {
    const test::hostile_database db;
    pgq::driver::libpq{db.conninfo()}.install().value();
    const test::sql_connection theirs{db.conninfo(), "pgq_jobs"};
    (void)theirs.exec("SET default_transaction_read_only = off; SET client_encoding = 'UTF8'");
    (void)theirs.exec("SET search_path = public");
    (void)theirs.exec(
        "SET idle_session_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0");
    pgq::queue<pgq::job<note>, pgq::driver::borrow, pgq::serializer::json> jobs{pgq::driver::borrow{theirs.get()}};
    (void)jobs.enqueue(note{.n = 1}).value();
    const test::sql_connection sane{db.sane_conninfo(), "pgq_jobs"};
    // At SERIALIZABLE the server would remember what the transaction has read.
    (void)sane.exec(
        "CREATE TABLE seen (level text);"
        "CREATE FUNCTION note_level() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO public.seen VALUES (current_setting('transaction_isolation')); RETURN NULL; END $$;"
        "CREATE TRIGGER t AFTER INSERT ON {s}.ready FOR EACH ROW EXECUTE FUNCTION note_level();"
        "ALTER TABLE {s}.ready ENABLE ALWAYS TRIGGER t");
    (void)jobs.enqueue(note{.n = 2}).value();
    (void)jobs.enqueue(note{.n = 3}, {.unique_key = "k"}).value();
    CHECK(sane.query_text("SELECT string_agg(DISTINCT level, ',') FROM seen") == "read committed");
    CHECK(sane.query_int("SELECT count(*) FROM seen") == 2);
}

}  // namespace integration_hostile
