#include <pgq/async_worker.hpp>
#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/driver/pq/asio/session.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/pgbouncer.hpp>

#include <asio/use_future.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
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

TEST_CASE("in a session without state a worker repeats no statement that takes long to plan", "[integration][pooler]") {
    const test::database db;
    std::mutex mutex;
    std::map<std::string, std::pair<std::size_t, std::size_t>> sent;  // of each name: how often, and the longest text
    auto stateless = db.options();
    stateless.state = session_state::none;
    stateless.on_statement = [&](const pgq::driver::sent_statement& s) {
        const std::lock_guard lock{mutex};
        auto& [times, length] = sent[std::string{s.name}];
        ++times;
        length = std::max(length, s.text.size());
    };
    test::note_queue<> jobs{pgq::driver::libpq{stateless}};
    jobs.enqueue(std::vector<note>(400)).value();
    jobs.enqueue(std::vector<note>(400, note{.n = 1}), {.packed = true}).value();
    std::atomic<int> done{0};
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 10, .until = pgq::run_until::empty},
                  [&](const note& n, pgq::context& c) -> pgq::outcome {
                      if (n.n == 0 && c.attempt() == 1) return pgq::retry_after{1ms};
                      ++done;
                      return pgq::done{};
                  }};
    REQUIRE(w.run().has_value());
    CHECK(done == 800);
    std::size_t repeated = 0;
    for (const auto& [name, seen] : sent) {
        CAPTURE(name, seen.first);
        if (seen.first <= 40) continue;
        ++repeated;
        CHECK(seen.second < 200);
    }
    CHECK(repeated >= 4);
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

TEST_CASE("behind a busy pooler in transaction mode no worker takes a session for its own", "[integration][pooler]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"transaction"};
    const auto options = pooler.options(db);
    std::vector<std::jthread> strangers;
    for (int i = 0; i < 6; ++i)
        strangers.emplace_back([&](const std::stop_token& stop) {
            const test::sql_connection mine{options.conninfo, db.schema()};
            while (!stop.stop_requested()) (void)mine.exec("SELECT pg_sleep(random() * 0.002)");
        });
    int own = 0;
    for (int i = 0; i < 200; ++i)
        own += pgq::driver::libpq{options}.connect(pgq::session_role::worker).value().info().keeps_state ? 1 : 0;
    CHECK(own == 0);
}

TEST_CASE("behind a pooler that hands out two sessions in turn no worker takes one for its own",
          "[integration][pooler]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"transaction", "server_round_robin = 1\ndefault_pool_size = 2"};
    const auto options = pooler.options(db);
    const test::sql_connection one{options.conninfo, db.schema()}, other{options.conninfo, db.schema()};
    for (const auto* what : {"BEGIN", "COMMIT"}) (void)one.exec(what), (void)other.exec(what);
    int own = 0;
    for (int i = 0; i < 20; ++i)
        own += pgq::driver::libpq{options}.connect(pgq::session_role::worker).value().info().keeps_state ? 1 : 0;
    CHECK(own == 0);
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

namespace {

// A worker and callers whose work goes by a pooler in transaction mode, and their notifications past it.
pgq::driver::connection_options past_the_pooler(const test::pgbouncer& pooler, const test::database& db) {
    auto options = pooler.options(db);
    options.listen_conninfo = db.conninfo();
    return options;
}

struct child {
    static constexpr std::string_view entrypoint = "child";
    std::int64_t n = 0;
};
using child_queue =
    pgq::queue<pgq::job<note>, pgq::job<child>, pgq::driver::libpq, pgq::serializer::json, test::event_counts>;

}  // namespace
}  // namespace integration_pooler
BOOST_HANA_ADAPT_STRUCT(integration_pooler::child, n);
namespace integration_pooler {

TEST_CASE("with a listen_conninfo a worker behind a pooler in transaction mode is woken",
          "[integration][pooler][direct]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"transaction", one_session};
    const auto before = settings_of_stranger(pooler, db);
    test::note_queue<> jobs{pgq::driver::libpq{past_the_pooler(pooler, db)}};
    (void)jobs.lanes().value();
    test::run_log seen;
    {
        test::running_worker w{jobs, pgq::worker_options{.poll_interval = 10min},
                               [&](const note& n, const pgq::context& c) -> pgq::outcome {
                                   if (seen.add(n.n, c).attempt == 1 && n.n == 3) return pgq::retry_after{50ms};
                                   return pgq::done{};
                               }};
        for (std::size_t i = 0; i < 5; ++i) {
            REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
            (void)jobs.enqueue(note{.n = static_cast<std::int64_t>(i)}).value();
            CHECK(test::eventually([&] { return seen.size() == i + (i < 3 ? 1 : 2) && db.is_empty(); }));
        }
        CHECK(w.stop().has_value());
    }
    CHECK(settings_of_stranger(pooler, db) == before);
    CHECK(jobs.observer()->errors == 0);
}

TEST_CASE("with a listen_conninfo a worker behind a pooler is told to stop a job, and a lost listener is replaced",
          "[integration][pooler][direct]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"transaction"};
    test::note_queue<> jobs{pgq::driver::libpq{past_the_pooler(pooler, db)}};
    (void)jobs.lanes().value();
    test::gate never;
    std::atomic<int> stopped{0}, begun{0};
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 1h, .poll_interval = 10min},
                           [&](const note&, const pgq::context& c) {
                               ++begun;
                               if (!never.pass(c)) ++stopped;
                           }};
    for (int i = 1; i <= 2; ++i) {
        REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
        const auto id = jobs.enqueue(note{}).value();
        REQUIRE(test::eventually([&] { return begun == i; }));
        CHECK(jobs.cancel(id).value().stopping == 1);
        CHECK(test::eventually([&] { return stopped == i && db.is_empty(); }));
        REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
        if (i == 2) break;
        CHECK(db.query_int("SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND"
                           " mode = 'ExclusiveLock' AND classid = to_regnamespace('{q}')::oid") == 1);
        REQUIRE(test::eventually([&] { return jobs.observer()->restored == 1; }));
    }
    CHECK(w.stop().has_value());
}

TEST_CASE("with a listen_conninfo get, wait and a child job behind a pooler wake at once",
          "[integration][pooler][direct]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"transaction"};
    const pgq::driver::libpq driver{past_the_pooler(pooler, db)};
    child_queue jobs{driver};
    (void)jobs.lanes().value();
    SECTION("get") {
        auto got = std::async(std::launch::async,
                              [&] { return jobs.get<note>({.timeout = 60s, .poll_interval = 50s}).value(); });
        REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
        const auto begun = std::chrono::steady_clock::now();
        (void)jobs.enqueue(note{.n = 5}).value();
        CHECK(got.get().value()->n == 5);
        CHECK(std::chrono::steady_clock::now() - begun < 10s);
    }
    SECTION("wait is notified") {
        auto session = driver.connect(pgq::session_role::client).value();
        const pgq::job_id id = jobs.enqueue(note{.n = 6}).value();
        std::vector<pgq::ended_job> ended;
        session.watch(std::vector<pgq::job_id>{id}, 1h, ended).value();
        CHECK(ended.empty());
        CHECK(jobs.cancel(id).value().removed == 1);
        CHECK(session.wait(20s).value() == pgq::wake_reason::notified);
    }
    SECTION("a child of a job that another worker ends") {
        pgq::queue<pgq::job<child>, pgq::driver::libpq, pgq::serializer::json> others{driver};
        std::atomic<int> ran{0};
        test::running_worker w{others, pgq::worker_options{.poll_interval = 10min}, [&](const child&) { ++ran; }};
        const auto parent = jobs.enqueue(note{.n = 7}).value();
        (void)jobs.enqueue(child{}, {.after = parent, .if_parent_fails = pgq::parent_failure::run}).value();
        REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
        SECTION("a worker") {
            test::note_queue<> parents{driver};
            pgq::worker one{parents, pgq::worker_options{.until = pgq::run_until::empty}, [](const note&) {}};
            CHECK(one.run().has_value());
            CHECK(test::eventually([&] { return ran == 1; }));
        }
        SECTION("a cancel") {
            (void)jobs.cancel(parent).value();
            CHECK(test::eventually([&] { return db.is_empty(); }));
        }
        SECTION("get") {
            CHECK(jobs.get<note>().value().has_value());
            CHECK(test::eventually([&] { return ran == 1; }));
        }
        CHECK(w.stop().has_value());
    }
}

TEST_CASE("a listen_conninfo that leads to a pooler or to nowhere is an error that names it", "[integration][pooler]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"transaction"};
    auto options = db.options();
    const auto refused = [&] {
        auto session = pgq::driver::libpq{options}.connect(pgq::session_role::worker).value();
        return session.register_worker({.host = "here", .version = "1", .lease_time = 1min}).error();
    };
    options.listen_conninfo = pooler.options(db).conninfo;
    CHECK(refused() == pgq::errc::invalid_option);
    CHECK(refused().message.find("listen_conninfo leads to a pooler") != std::string::npos);
    options.listen_conninfo = test::database::settings_of(db.conninfo(), "port", "1");
    INFO(refused().text());
    CHECK(refused().message.find("listen_conninfo: ") != std::string::npos);
    CHECK(db.has_no_worker());
}

TEST_CASE("with a listen_conninfo an Asio worker behind a pooler is woken", "[integration][pooler][asio][direct]") {
    if (!test::pgbouncer::is_installed()) return;
    const test::database db;
    const test::pgbouncer pooler{"transaction"};
    test::running_context context;
    using asio_queue = pgq::queue<pgq::job<note>, pgq::driver::asio_libpq, pgq::serializer::json, test::event_counts>;
    asio_queue jobs{pgq::driver::asio_libpq{context.executor(), past_the_pooler(pooler, db)}};
    (void)jobs.lanes().value();
    test::run_log seen;
    pgq::async_worker w{jobs, pgq::worker_options{.poll_interval = 10min},
                        [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    auto ended = w.async_run(asio::use_future);
    for (std::size_t i = 0; i < 5; ++i) {
        REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
        (void)jobs.enqueue(note{.n = static_cast<std::int64_t>(i)}).value();
        CHECK(test::eventually([&] { return seen.size() == i + 1 && db.is_empty(); }));
    }
    w.stop();
    CHECK(ended.wait_for(test::test_timeout) == std::future_status::ready);
    CHECK(jobs.observer()->failed == 0);
}

}  // namespace integration_pooler
