#include <pgq/driver/libpq.hpp>
#include <pgq/driver/pq/asio/session.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/pgbouncer.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace integration_pooler {

using namespace std::chrono_literals;
using pgq::driver::session_state;
using test::note;

namespace {

// What a stranger finds in the server sessions of the pool, which has only one.
std::string settings_of_stranger(const test::pgbouncer& pooler, const test::database& db) {
    const test::sql_connection stranger{pooler.options(db).conninfo, db.schema()};
    return stranger.query_text(
        "SELECT concat_ws(' ', current_setting('synchronous_commit'), current_setting('plan_cache_mode'),"
        " current_setting('enable_seqscan'), current_setting('statement_timeout'),"
        " current_setting('default_transaction_isolation'), nullif(current_setting('pgq.wake_lanes', true), ''),"
        " (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_listening_channels()),"
        " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()))");
}

constexpr std::string_view one_session = "default_pool_size = 1\nserver_round_robin = 0";

}  // namespace

TEST_CASE("behind a pooler in transaction mode a worker sets nothing in the sessions that others get",
          "[integration][pooler]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"transaction", one_session};
    const auto before = settings_of_stranger(pooler, db);
    test::note_queue<> jobs{pgq::driver::libpq{pooler.options(db)}};
    (void)jobs.enqueue(test::notes(20)).value();
    (void)jobs.enqueue(note{.n = 100}, {.run_at = pgq::in(100ms), .keep_outcome = 1h}).value();
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 50ms},
                           [&](const note& n, const pgq::context& c) -> pgq::outcome {
                               if (seen.add(n.n, c).attempt == 1 && n.n % 2 == 0) return pgq::retry_after{1ms};
                               return pgq::done{};
                           }};
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(settings_of_stranger(pooler, db) == before);
    CHECK(w.stop().has_value());
    CHECK(jobs.observer()->errors == 0);
}

TEST_CASE("behind a pooler each transaction has the settings that it relies on, whatever others have set",
          "[integration][pooler]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"transaction", one_session};
    const test::sql_connection stranger{pooler.options(db).conninfo, db.schema()};
    for (const auto* set : {"default_transaction_isolation = 'serializable'", "standard_conforming_strings = off",
                            "enable_indexscan = off", "statement_timeout = '10s'", "lock_timeout = '10s'"})
        stranger.exec("SET " + std::string{set});
    const pgq::driver::libpq driver{pooler.options(db)};
    // A worker's acknowledgements do not wait for the disk; an enqueue does.
    for (const auto& [role, wanted] : {std::pair{pgq::session_role::worker, "off read committed off on 0 0"},
                                       std::pair{pgq::session_role::client, "on read committed on on 0 0"}}) {
        auto session = driver.connect(role).value();
        session.begin().value();
        const auto rows = session
                              .exec(
                                  "SELECT concat_ws(' ', current_setting('synchronous_commit'),"
                                  " current_setting('transaction_isolation'), current_setting('enable_seqscan'),"
                                  " current_setting('enable_indexscan'), current_setting('statement_timeout'),"
                                  " current_setting('lock_timeout'))",
                                  {})
                              .value();
        session.rollback().value();
        CHECK(rows[0][0] == wanted);
    }
    test::note_queue<> jobs{driver};
    CHECK(jobs.enqueue(note{}, {.unique_key = "k\\'", .keep_outcome = 1h}).has_value());
    CHECK(stranger.query_text("SELECT current_setting('statement_timeout')") == "10s");
}

TEST_CASE("in a session without state the list of lanes to wake ends with its transaction", "[integration][pooler]") {
    const test::database db;
    auto stateless = db.options();
    stateless.state = session_state::none;
    auto session = pgq::driver::libpq{stateless}.connect(pgq::session_role::client).value();
    const auto lane = session.lanes("q", std::vector<pgq::lane_name>{{"note", ""}}).value().front();
    std::vector<pgq::enqueued_job> put;
    for (int i = 0; i < 50; ++i) db.exec("SELECT {s}.collect_wake_lanes('{" + std::to_string(lane.value) + "}')");
    CHECK(db.query_text("SELECT length(current_setting('pgq.wake_lanes'))") != "0");  // a session that keeps it
    session.begin().value();
    const auto noted = [&] {
        return std::string{
            *session.exec("SELECT coalesce(current_setting('pgq.wake_lanes', true), '')", {}).value()[0][0]};
    };
    (void)session.exec("SELECT " + pgq::statement::quoted(db.schema()) + ".collect_wake_lanes('{1}')", {}).value();
    CHECK(noted() == "1");
    session.commit().value();
    session.begin().value();
    CHECK(noted().empty());
    session.rollback().value();
}

TEST_CASE("session_state::keep is refused where a pooler shares the session", "[integration][pooler]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    for (const auto* mode : {"transaction", "statement"})
        for (const auto* pool :
             {"default_pool_size = 1", "default_pool_size = 5", "default_pool_size = 5\nserver_round_robin = 1"}) {
            INFO(mode << " " << pool);
            const test::pgbouncer pooler{mode, pool};
            std::vector<test::sql_connection> others;
            for (int i = 0; i < 5; ++i) others.emplace_back(pooler.options(db).conninfo, db.schema());
            if (std::string_view{mode} == "transaction" && std::string_view{pool} != "default_pool_size = 1") {
                for (auto& o : others) o.exec("BEGIN");
                for (auto& o : others) o.exec("COMMIT");  // five server sessions
            }
            auto options = pooler.options(db);
            options.state = session_state::keep;
            for (const auto role : {pgq::session_role::worker, pgq::session_role::client}) {
                const auto refused = pgq::driver::libpq{options}.connect(role);
                REQUIRE_FALSE(refused.has_value());
                CHECK(refused.error() == pgq::errc::invalid_option);
                CHECK(refused.error().hint.find("pool_mode = session") != std::string::npos);
            }
            CHECK(others[0].query_text("SELECT current_setting('plan_cache_mode')") == "auto");
        }
}

TEST_CASE("behind a pooler in session mode a worker listens and is woken", "[integration][pooler]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"session"};
    test::note_queue<> jobs{pgq::driver::libpq{pooler.options(db)}};
    (void)jobs.lanes().value();
    test::run_log seen;
    {
        test::running_worker w{jobs, pgq::worker_options{.poll_interval = 10min},
                               [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
        REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
        for (std::size_t i = 0; i < 5; ++i) {
            (void)jobs.enqueue(note{.n = static_cast<std::int64_t>(i)}).value();
            CHECK(test::eventually([&] { return seen.size() == i + 1; }));
            REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
        }
        CHECK(w.stop().has_value());
    }
    CHECK(jobs.observer()->errors == 0);
}

TEST_CASE("an Asio session of a worker keeps state behind a pooler in session mode alone",
          "[integration][pooler][asio]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    test::running_context context;
    for (const auto* mode : {"session", "transaction"}) {
        INFO(mode);
        const test::pgbouncer pooler{mode};
        test::outcome<pgq::driver::pq::async_session> opened;
        pgq::driver::pq::async_session::async_open(context.executor(), pooler.options(db), pgq::session_role::worker,
                                                   nullptr, opened.handler());
        auto [failed, session] = opened.get();
        REQUIRE_FALSE(failed);
        CHECK(session.info().keeps_state == (std::string_view{mode} == "session"));
        test::outcome<pgq::worker_id> known;
        session.async_register_worker({.host = "here", .version = "1", .lease_time = 1min}, known.handler());
        CHECK_FALSE(known.error());
    }
}

TEST_CASE("behind a pooler in statement mode jobs run, and a transaction ends with an error that names pool_mode",
          "[integration][pooler]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"statement"};
    test::note_queue<> jobs{pgq::driver::libpq{pooler.options(db)}};
    (void)jobs.enqueue(test::notes(20)).value();
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 50ms},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    CHECK(test::eventually([&] { return seen.size() == 20 && db.is_empty(); }));
    CHECK(w.stop().has_value());
    const auto refused = jobs.transaction([](auto& tx) { return tx.enqueue(note{}); });
    REQUIRE_FALSE(refused.has_value());
    INFO(refused.error().text());
    CHECK(refused.error().message.find("pooler, which has pool_mode = statement") != std::string::npos);
    CHECK(refused.error().hint.find("pool_mode = transaction") != std::string::npos);
    CHECK(db.is_empty());
}

TEST_CASE("a pooler with too few sessions or clients is named by the error, with its setting",
          "[integration][pooler]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"session", "default_pool_size = 1\nquery_wait_timeout = 1\nmax_client_conn = 2"};
    const test::sql_connection busy{pooler.options(db).conninfo, db.schema()};
    busy.exec("SELECT 1");
    const pgq::driver::libpq driver{pooler.options(db)};
    const auto waited = driver.connect(pgq::session_role::client);
    REQUIRE_FALSE(waited.has_value());
    INFO(waited.error().text());
    CHECK(waited.error().message.find("the pooler had no free server session") != std::string::npos);
    CHECK(waited.error().hint.find("default_pool_size") != std::string::npos);
    const test::sql_connection second{pooler.options(db).conninfo, db.schema()};
    const auto refused = driver.connect(pgq::session_role::client);
    REQUIRE_FALSE(refused.has_value());
    INFO(refused.error().text());
    CHECK(refused.error().message.find("the pooler has as many clients") != std::string::npos);
    CHECK(refused.error().hint.find("max_client_conn") != std::string::npos);
}

TEST_CASE("a worker behind a pooler in session mode with one server session ends with an error that names the setting",
          "[integration][pooler]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"session", "default_pool_size = 1"};
    const test::sql_connection busy{pooler.options(db).conninfo, db.schema()};
    busy.exec("SELECT 1");
    auto options = pooler.options(db);
    options.response_timeout = 500ms;
    const auto waited = pgq::driver::libpq{options}.connect(pgq::session_role::worker);
    REQUIRE_FALSE(waited.has_value());
    CHECK(waited.error() == pgq::errc::connection_lost);
    CHECK(waited.error().hint.find("default_pool_size") != std::string::npos);
}

}  // namespace integration_pooler
