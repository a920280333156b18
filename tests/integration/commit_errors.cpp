#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/borrow.hpp>

#include "support/asio_context.hpp"
#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace integration_commit_errors {

using namespace std::chrono_literals;
using pgq::condition;
using test::database;
using test::note;

namespace {

// From now on a commit that has written to `table` fails with this SQLSTATE.
void fail_commits(const database& db, const std::string& table, const std::string& when, const std::string& state) {
    db.exec(
        "CREATE FUNCTION {s}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'not on a Sunday' USING ERRCODE = '" +
        state +
        "', DETAIL = 'the shop is closed';"
        " END $$");
    db.exec("CREATE CONSTRAINT TRIGGER refuse AFTER " + when + " ON {s}." + table +
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {s}.refuse();"
            // Also if the session has session_replication_role = replica.
            " ALTER TABLE {s}." +
            table + " ENABLE ALWAYS TRIGGER refuse");
}

void check_refused(const pgq::error_info& e, const std::string& state) {
    INFO(e.text());
    CHECK(e.code == pgq::make_sqlstate(state));
    CHECK(e.message == "not on a Sunday");
    CHECK(e.detail == "the shop is closed");
}

// Keeps the errors of a worker, and its pauses before it connects again.
class error_log {
public:
    using policy_category = pgq::observer_tag;

    void on(const pgq::event::error& e) { add(e.error, {}); }
    void on(const pgq::event::connection_failed& e) { add(e.error, e.next_try); }

    std::vector<pgq::error_info> errors() const {
        const std::lock_guard lock{kept_->mutex};
        return kept_->errors;
    }
    pgq::duration longest_pause() const {
        const std::lock_guard lock{kept_->mutex};
        return kept_->longest_pause;
    }
    int connections() const {
        const std::lock_guard lock{kept_->mutex};
        return kept_->connections;
    }

private:
    struct kept {
        std::mutex mutex;
        std::vector<pgq::error_info> errors;
        pgq::duration longest_pause{};
        int connections = 0;
    };

    void add(const pgq::error_info& e, pgq::duration pause) const {
        const std::lock_guard lock{kept_->mutex};
        kept_->errors.push_back(e);
        kept_->longest_pause = std::max(kept_->longest_pause, pause);
        kept_->connections += pause == pgq::duration{} ? 0 : 1;
    }

    std::shared_ptr<kept> kept_ = std::make_shared<kept>();
};

using logged_queue =
    pgq::queue<pgq::job<note>, pgq::driver::libpq, pgq::serializer::json, pgq::executor::thread_pool, error_log>;

}  // namespace

TEST_CASE("an enqueue that fails at its commit returns the server's error", "[errors][commit]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    (void)jobs.lanes().value();
    fail_commits(db, "ready", "INSERT", "23514");
    const auto one = jobs.enqueue(note{});
    REQUIRE_FALSE(one);
    check_refused(one.error(), "23514");
    CHECK(one.error() == condition::permanent);
    check_refused(jobs.enqueue(test::notes(10)).error(), "23514");
    check_refused(jobs.enqueue(test::notes(2000)).error(), "23514");
    check_refused(jobs.transaction([](auto& tx) { return tx.enqueue(note{}); }).error(), "23514");
    CHECK(db.rows("ready") == 0);

    // The session is usable: nothing was lost.
    db.exec("DROP TRIGGER refuse ON {s}.ready");
    const auto sessions = "SELECT pid FROM pg_stat_activity WHERE application_name = '" + db.schema() + "'";
    const auto before = db.query_text(sessions);
    jobs.enqueue(note{}).value();
    CHECK(db.query_text(sessions) == before);
}

TEST_CASE("an enqueue whose notification fails in the caller's transaction is an error, since nothing can commit",
          "[errors][commit][direct]") {
    const database db;
    // It stands for a queue of notifications that is full.
    db.exec(
        "CREATE FUNCTION {s}.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'too many notifications in the NOTIFY queue' USING ERRCODE = '54000'; END $$");
    test::note_queue<> jobs{db.driver()};
    test::running_worker sleeper{jobs, pgq::worker_options{.poll_interval = 10min}, [](const note&) {}};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    const test::sql_connection mine{test::dsn(), db.schema()};
    (void)mine.exec("SET search_path = {s}, pg_catalog");
    (void)mine.exec("BEGIN");
    const auto put = jobs.enqueue(pgq::within(mine.get()), note{.n = 1});
    REQUIRE_FALSE(put);
    CHECK(put.error().code == pgq::make_sqlstate("54000"));
    (void)mine.exec("ROLLBACK");
    CHECK(db.rows("ready") == 0);
}

TEST_CASE("an asynchronous enqueue that fails at its commit passes the server's error", "[errors][commit]") {
    const database db;
    test::running_context context;
    pgq::driver::asio_libpq driver{context.executor(), database::unbroken(db.options())};
    auto s = driver.connect(pgq::session_role::client).value();
    const pgq::lane_name name{"note", ""};
    const auto lane = s.lanes("q", {&name, 1}).value().at(0);
    fail_commits(db, "ready", "INSERT", "23514");
    pgq::bodies body;
    body.bytes() += "{}";
    body.close();
    std::vector<pgq::job_id> ids;
    test::outcome<> end;
    const pgq::enqueue_options plain;
    s.async_enqueue({.lane = lane, .bodies = &body, .options = {&plain, 1}}, ids, end.handler());
    CHECK(end.error() == pgq::make_sqlstate("23514"));
    check_refused(s.last_error(), "23514");
}

TEST_CASE("a worker whose claims fail at their commit reports the server's error, and pauses longer each time",
          "[errors][commit][undisturbed]") {
    const database db;
    logged_queue jobs{db.driver()};
    jobs.enqueue(note{}).value();
    fail_commits(db, "lease", "INSERT", "23514");
    test::running_worker w{jobs, pgq::worker_options{}, [](const note&) {}};
    REQUIRE(test::eventually([&] { return jobs.observer().errors().size() >= 4; }));
    for (const auto& e : jobs.observer().errors()) check_refused(e, "23514");
    CHECK(jobs.observer().connections() == 0);

    db.exec("DROP TRIGGER refuse ON {s}.lease");
    CHECK(test::eventually([&] { return db.is_empty(); }));
}

TEST_CASE("a worker reconnects less and less often while the server accepts connections and no work",
          "[errors][commit]") {
    const database db;
    logged_queue jobs{db.driver()};
    jobs.enqueue(note{}).value();
    fail_commits(db, "lease", "INSERT", "25006");  // as a server that has become a standby
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 5min}, [](const note&) {}};
    CHECK(test::eventually(30s, [&] { return jobs.observer().longest_pause() > 900ms; }));

    db.exec("DROP TRIGGER refuse ON {s}.lease");
    CHECK(test::eventually([&] { return db.is_empty(); }));
}

}  // namespace integration_commit_errors
