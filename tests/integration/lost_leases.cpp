// When a worker counts as dead, and what another session or a transaction can do with its lease.

#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>

#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <string>

namespace integration_lost_leases {

using namespace std::chrono_literals;
using test::database;

namespace {

using session = pgq::driver::libpq::session;

session connected(const database& db) {
    return pgq::driver::libpq{database::unbroken(db.options())}.connect(pgq::session_role::client).value();
}

/// A worker with one job.
struct leased {
    const database db{};
    test::enqueuing_session from{db.options()};
    pgq::lane_id lane = from.lanes({"a"}).at(0);
    test::claiming_session worker{db, {lane}, 1h};
    pgq::lease_ref ref = [this] {
        (void)from.enqueue(lane, {"job"});
        return worker.claim(1).leases.at(0).ref;
    }();
};

/// Ends leases as a rescue does, and does not commit yet.
class slow_rescue {
public:
    explicit slow_rescue(const database& db) : connection_{test::dsn(), db.schema()} {
        (void)connection_.exec("BEGIN");
        (void)connection_.exec("DELETE FROM {s}.lease");
    }
    void end(bool commits) const { (void)connection_.exec(commits ? "COMMIT" : "ROLLBACK"); }
    bool is_waited_for() const {
        return connection_.query_int(
                   "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))") > 0;
    }

private:
    test::sql_connection connection_;
};

/// What `call()` answers when it is made while a rescue is under way.
template <class Call>
auto answer_during(const database& db, bool commits, Call call) {
    std::future<decltype(call())> answer;
    const slow_rescue rescue{db};  // destroyed first, so that the call ends in any case
    answer = std::async(std::launch::async, call);
    CHECK(test::eventually([&] { return rescue.is_waited_for() || answer.wait_for(0s) == std::future_status::ready; }));
    rescue.end(commits);
    return answer.get().value();
}

}  // namespace

TEST_CASE("a transaction that ends its lease waits for a rescue of that lease, and commits only if that did not happen",
          "[integration][transaction][rescue]") {
    const bool rescued = GENERATE(true, false);
    leased l;
    l.db.exec("CREATE TABLE {s}.effects (n int8)");
    auto own = connected(l.db);
    own.begin().value();
    (void)own.exec(l.db.sql().rendered("INSERT INTO {s}.effects VALUES (1)"), {}).value();
    const bool committed =
        answer_during(l.db, rescued, [&] { return own.commit_acknowledging(l.worker.id(), l.ref, std::nullopt); });
    CHECK(committed == !rescued);
    CHECK(l.db.rows("effects") == (rescued ? 0 : 1));
    CHECK(l.db.rows("lease") == 0);
}

TEST_CASE("whether a worker has a lease is answered when a rescue of that lease has ended", "[integration][rescue]") {
    const bool rescued = GENERATE(true, false);
    leased l;
    auto own = connected(l.db);
    CHECK(answer_during(l.db, rescued, [&] { return own.owns_lease(l.worker.id(), l.ref); }) == !rescued);
}

TEST_CASE("a transaction of the user's cannot end the lease of another worker, and cannot be committed then",
          "[integration][transaction]") {
    leased l;
    const pgq::worker_id stranger{l.worker.id().value + 1};
    l.db.exec("CREATE TABLE {s}.effects (n int8)");
    l.db.exec("BEGIN");
    l.db.exec("INSERT INTO {s}.effects VALUES (1)");
    const auto ended = pgq::within(l.db.connection()).finish(l.db.schema(), l.ref, stranger);
    REQUIRE_FALSE(ended.has_value());
    CHECK(ended.error() == pgq::errc::lease_lost);
    l.db.exec("COMMIT");
    CHECK(l.db.rows("effects") == 0);
    CHECK(l.db.leased() == 1);
}

TEST_CASE("a worker is dead after one lease time without a heartbeat, for the heartbeats of others and for a rescue",
          "[integration][rescue]") {
    const database db;
    test::enqueuing_session from{db.options()};
    const auto lane = from.lanes({"a"}).at(0);
    test::claiming_session alive{db, {lane}, 1h}, silent{db, {lane}, 2h};
    const auto lease_times_ago = [&](const std::string& n) {
        db.exec("UPDATE {s}.worker SET heartbeat_at = now() - " + n +
                " * lease_time WHERE id = " + std::to_string(silent.id().value));
    };
    const auto needs_rescue = [&] { return alive.line().beat(alive.id()).value().rescue_needed; };
    lease_times_ago("0.5");
    CHECK_FALSE(needs_rescue());
    CHECK(alive.line().rescue().value().workers == 0);
    lease_times_ago("1.5");
    CHECK(needs_rescue());
    CHECK(alive.line().rescue().value().workers == 1);
    CHECK_FALSE(needs_rescue());
    CHECK_FALSE(silent.line().beat(silent.id()).value().alive);
    CHECK(alive.line().beat(alive.id()).value().alive);
}

}  // namespace integration_lost_leases
