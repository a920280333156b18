// The server crashes, and its commits of the last moments are lost: those of workers do not wait for the disk.

#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/queue.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/own_server.hpp>
#include <support/pgbouncer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace integration_lost_commit {

using namespace std::chrono_literals;
using pgq::lane_counts;
using test::eventually, test::gate, test::note;

namespace {

/// A server that writes its WAL to the disk only for commits that wait for it.
class lazy_server {
public:
    std::string conninfo() const { return server_.conninfo(); }
    /// What it has answered until now survives a crash.
    void write_all() const { sql().exec("CREATE TABLE written (); DROP TABLE written"); }
    std::string position() const { return sql().query_text("SELECT pg_current_wal_insert_lsn()"); }
    bool has_written(const std::string& position) const {
        return sql().query_text("SELECT pg_current_wal_flush_lsn() >= '" + position + "'") == "t";
    }
    void crash() const { server_.restart_immediately(); }

private:
    test::sql_connection sql() const { return {conninfo(), "public"}; }

    test::own_server server_{
        "wal_writer_delay = 10s\nwal_writer_flush_after = 1GB\nautovacuum = off\n"
        "bgwriter_delay = 10s\ncheckpoint_timeout = 1h\n"};
};

// One job of three is settled, the server loses that, and then the other two end.
void lose_a_settlement(const lazy_server& server, const pgq::driver::connection_options& of_worker,
                       pgq::duration poll_interval) {
    const pgq::driver::libpq direct{{.conninfo = server.conninfo()}};
    test::note_queue<> jobs{direct}, worked{pgq::driver::libpq{of_worker}, {}, pgq::executor::thread_pool{3}};
    jobs.install().value();
    (void)jobs.enqueue(test::notes(3)).value();
    gate first, others;
    test::running_worker w{worked, pgq::worker_options{.lease_time = 4s, .poll_interval = poll_interval},
                           [&](const note& n, const pgq::context& c) -> pgq::outcome {
                               if (!(n.n == 0 ? first : others).pass(c)) return pgq::release{};
                               if (n.n == 0) return pgq::retry_after{1h};
                               return {};
                           }};
    REQUIRE(eventually([&] { return first.waiting() == 1 && others.waiting() == 2; }));
    server.write_all();
    first.open();
    REQUIRE(eventually([&] { return jobs.counts<note>().value() == lane_counts{.deferred = 1, .leased = 2}; }));
    const auto settled = server.position();
    REQUIRE_FALSE(server.has_written(settled));
    server.crash();
    REQUIRE(eventually([&] { return jobs.counts<note>().has_value(); }));
    // The worker tells the database again, although two jobs still run.
    CHECK(eventually([&] { return jobs.counts<note>().value() == lane_counts{.deferred = 1, .leased = 2}; }));
    others.open();
    CHECK(eventually([&] { return jobs.counts<note>().value() == lane_counts{.deferred = 1}; }));
}

}  // namespace

TEST_CASE("a crash of the server that undoes the settlement of a job loses no job", "[integration][recovery][direct]") {
    const lazy_server server;
    lose_a_settlement(server, {.conninfo = server.conninfo()}, 1s);
}

TEST_CASE("a crash of the server that a pooler hides loses no job", "[integration][recovery][pooler][direct]") {
    if (!test::pgbouncer::is_installed()) return;
    const lazy_server server;
    const test::pgbouncer pooler{"transaction", "server_login_retry = 0.2", server.conninfo()};
    lose_a_settlement(server, pooler.options({.conninfo = server.conninfo()}), 5s);
}

TEST_CASE("a poller gets a job again whose end was undone by a crash that a pooler hides",
          "[integration][recovery][pooler][direct]") {
    if (!test::pgbouncer::is_installed()) return;
    const lazy_server server;
    const test::pgbouncer pooler{"transaction", "server_login_retry = 0.2", server.conninfo()};
    const pgq::driver::libpq direct{{.conninfo = server.conninfo()}};
    test::note_queue<> jobs{direct}, polled{pgq::driver::libpq{pooler.options({.conninfo = server.conninfo()})}};
    jobs.install().value();
    (void)jobs.enqueue(note{}).value();
    auto poller = polled.poll<note>({.timeout = 10s, .lease_time = 1s, .poll_interval = 100ms});
    auto job = poller.next().value();
    REQUIRE(job);
    server.write_all();
    REQUIRE(job->ack().has_value());
    const auto ended = server.position();
    REQUIRE_FALSE(server.has_written(ended));
    server.crash();
    REQUIRE(eventually([&] { return jobs.counts<note>().has_value(); }));
    REQUIRE(jobs.counts<note>().value() == lane_counts{.leased = 1});
    std::optional<pgq::polled_job<note>> again;
    CHECK(eventually([&] {
        if (auto next = poller.next(); next && *next) again.emplace(std::move(**next));
        return again.has_value();
    }));
    REQUIRE(again);
    CHECK(again->ack().has_value());
    CHECK(jobs.counts<note>().value() == lane_counts{});
}

TEST_CASE("with strict a crash of the server lets no job start beside those that a limit allows",
          "[integration][recovery][limits][direct]") {
    using queue = pgq::queue<pgq::job<note, pgq::limiter::global_concurrency<1>>, test::letter, pgq::driver::libpq,
                             pgq::serializer::json, pgq::executor::thread_pool>;
    const lazy_server server;
    queue jobs{pgq::driver::libpq{{.conninfo = server.conninfo(), .strict = true}}, {}, pgq::executor::thread_pool{3}};
    jobs.install().value();
    server.write_all();
    std::atomic<bool> may_end{false};
    std::atomic<int> begun{0}, letters{0};
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 1min, .poll_interval = 1s},
                           [&](const note&) {
                               ++begun;
                               (void)eventually([&] { return may_end.load(); });  // it does not look at its stop token
                           },
                           [&](const test::letter&) { ++letters; }};
    (void)jobs.enqueue(test::notes(3)).value();
    REQUIRE(eventually([&] { return begun == 1; }));
    server.crash();
    REQUIRE(eventually([&] { return jobs.enqueue(test::letter{}).has_value(); }));
    CHECK(eventually([&] { return letters == 1; }));  // the worker works again
    CHECK(begun == 1);
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 2, .leased = 1});
    may_end = true;
    CHECK(eventually([&] { return jobs.counts<note>().value() == lane_counts{}; }));
    CHECK(begun == 3);
}

}  // namespace integration_lost_commit
