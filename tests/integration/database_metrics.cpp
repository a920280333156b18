#include <pgq/driver/libpq.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/limiter/global_rate.hpp>
#include <pgq/observer/database_metrics.hpp>
#include <pgq/observer/prometheus.hpp>
#include <pgq/queue.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/exposition.hpp>
#include <support/jobs.hpp>
#include <support/roles.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace integration_database_metrics {

using namespace std::chrono_literals;
using pgq::driver::libpq;
using pgq::observer::database_options;
using test::exposition, test::letter, test::note;

namespace {

using queue = pgq::queue<note, letter, libpq, pgq::serializer::json, pgq::executor::thread_pool>;
using metrics = pgq::observer::database_metrics<libpq>;

std::string jobs_of(const std::string& entrypoint, const std::string& state, const char* name = "pgq_queue_jobs") {
    return std::string{name} + R"({queue="default",entrypoint=")" + entrypoint + R"(",state=")" + state + "\"}";
}

}  // namespace

TEST_CASE("database_metrics counts the jobs of each entrypoint by state", "[observer][prometheus]") {
    const test::database db;
    queue jobs{libpq{db.options()}};
    jobs.enqueue(test::notes(3)).value();
    jobs.enqueue(test::notes(500), {.packed = true}).value();
    jobs.enqueue(test::notes(2), {.run_at = pgq::in(1h)}).value();
    auto flow = jobs.flow();
    auto first = flow.add(letter{1});
    flow.add(letter{2}).after(first);
    flow.enqueue().value();
    db.exec("UPDATE {s}.ready SET enqueued_at = now() - interval '90 s' WHERE id = (SELECT min(id) FROM {s}.ready)");

    const metrics numbers{libpq{db.options()}};
    {
        const exposition seen{numbers};
        INFO(seen.text());
        CHECK(seen.value("pgq_up") == 1);
        CHECK(seen.value(jobs_of("note", "ready")) == 503);
        CHECK(seen.value(jobs_of("note", "deferred")) == 2);
        CHECK(seen.value(jobs_of("note", "held")) == 0);
        CHECK(seen.value(jobs_of("letter", "ready")) == 1);
        CHECK(seen.value(jobs_of("letter", "blocked")) == 1);
        CHECK(seen.value(jobs_of("note", "ready", "pgq_queue_jobs_capped")) == 0);
        const auto age = seen.value(R"(pgq_queue_oldest_ready_age_seconds{queue="default",entrypoint="note"})");
        CHECK(age >= 90);
        CHECK(age < 3600);
        CHECK(seen.value(R"(pgq_workers{state="alive"})") == 0);
        CHECK(seen.value("pgq_lanes_left_out") == 0);
        CHECK(seen.value("pgq_deferred_overdue_seconds") == 0);
        CHECK(seen.value(R"(pgq_table_bytes{table="ready"})") > 0);
        CHECK(seen.value("pgq_schema_version") >= 7);
        CHECK_FALSE(seen.has(R"(pgq_table_bytes{table="runs"})"));
    }
    // What a worker has is leased, or held; this one dies.
    auto session = libpq{db.options()}.connect(pgq::session_role::worker).value();
    const auto lanes = jobs.lanes().value();
    const auto worker = session.register_worker({.host = "here", .lease_time = 1s, .lanes = lanes}).value();
    std::vector<pgq::claim_lane> all;
    for (const auto lane : lanes) all.push_back({.lane = lane, .max_attempts = 1});
    pgq::sync_reply reply;
    session.sync({.worker = worker, .lanes = all, .limit = 3}, reply).value();
    REQUIRE(reply.claimed() == 3);
    CHECK(exposition{numbers}.value(jobs_of("note", "leased")) +
              exposition{numbers}.value(jobs_of("letter", "leased")) ==
          3);
    CHECK(exposition{numbers}.value(R"(pgq_workers{state="alive"})") == 1);
    db.exec("UPDATE {s}.worker SET heartbeat_at = now() - interval '1 h'");
    CHECK(exposition{numbers}.value(R"(pgq_workers{state="dead"})") == 1);
    session.rescue().value();
    const exposition seen{numbers};
    CHECK(seen.value(jobs_of("note", "leased")) == 0);
    CHECK(seen.value(jobs_of("note", "held")) + seen.value(jobs_of("letter", "held")) +
              seen.value(jobs_of("note", "ready")) + seen.value(jobs_of("letter", "ready")) ==
          504);
}

TEST_CASE("database_metrics counts up to a bound, and says when there are more", "[observer][prometheus]") {
    const test::database db;
    queue jobs{libpq{db.options()}};
    jobs.enqueue(test::notes(30)).value();
    jobs.enqueue(test::notes(20), {.run_at = pgq::in(1h)}).value();
    jobs.enqueue(letter{}).value();
    const metrics numbers{libpq{db.options()}, {.count_up_to = 20}};
    const exposition seen{numbers};
    CHECK(seen.value(jobs_of("note", "ready")) == 20);
    CHECK(seen.value(jobs_of("note", "ready", "pgq_queue_jobs_capped")) == 1);
    CHECK(seen.value(jobs_of("note", "deferred")) == 20);
    CHECK(seen.value(jobs_of("note", "deferred", "pgq_queue_jobs_capped")) == 0);
    CHECK(seen.value(jobs_of("letter", "ready", "pgq_queue_jobs_capped")) == 0);

    // All entrypoints share what is counted in all.
    jobs.enqueue(test::notes(120)).value();
    const exposition shared{metrics{libpq{db.options()}, {.count_in_all = 10}}};
    CHECK(shared.value(jobs_of("note", "ready")) == 20);
    CHECK(shared.value(jobs_of("note", "ready", "pgq_queue_jobs_capped")) == 1);

    const metrics few{libpq{db.options()}, {.max_lanes = 1}};
    const exposition first{few};
    CHECK(first.has(jobs_of("letter", "ready")));
    CHECK_FALSE(first.has(jobs_of("note", "ready")));
    CHECK(first.value("pgq_lanes_left_out") == 1);
}

TEST_CASE("database_metrics says how much of the limits of all workers is used", "[observer][prometheus][limit]") {
    using pgq::limiter::concurrency_by, pgq::limiter::global_concurrency, pgq::limiter::global_rate;
    using limited = pgq::queue<pgq::job<note, global_concurrency<3>>, pgq::job<letter, concurrency_by<&letter::n, 2>>,
                               pgq::job<test::task, global_rate<1, std::chrono::hours, 10>>, global_concurrency<20>,
                               libpq, pgq::serializer::json, pgq::executor::thread_pool>;
    const test::database db;
    const metrics numbers{libpq{db.options()}, {.max_lanes = 4}};
    CHECK_FALSE(exposition{numbers}.has("pgq_limit_max"));
    const auto limit = [&](const std::string& name, const char* entrypoint, const char* kind) {
        return exposition{numbers}.value("pgq_limit_" + name + R"({queue="default",entrypoint=")" + entrypoint +
                                         R"(",kind=")" + kind + R"(",number="0"})");
    };
    const auto running = [&](const char* entrypoint, const char* kind = "running") {
        return limit("running", entrypoint, kind);
    };

    limited jobs{libpq{db.options()}, {}, pgq::executor::thread_pool{8}};
    test::gate gate;
    const auto wait = [&](const auto&, const pgq::context& c) { gate.pass(c); };
    test::running_worker worker{jobs,
                                {},
                                [&](const note& n, const pgq::context& c) { wait(n, c); },
                                [&](const letter& l, const pgq::context& c) { wait(l, c); },
                                [](const test::task&) {}};
    REQUIRE(test::eventually([&] { return jobs.limits().value().size() == 4; }));
    CHECK(limit("max", "note", "running") == 3);
    CHECK(limit("max", "letter", "running_by_key") == 2);
    CHECK(limit("max", "", "running") == 20);
    CHECK(limit("max", "task", "rate") == 10);
    CHECK(limit("rate", "task", "rate") == Approx(1 / 3600.0));
    CHECK(running("note") == 0);
    CHECK(running("letter", "running_by_key") == 0);

    jobs.enqueue(test::notes(2)).value();
    jobs.enqueue(std::vector<letter>{{1}, {1}, {1}, {2}}).value();
    REQUIRE(test::eventually([&] { return gate.waiting() == 5; }));
    CHECK(running("note") == 2);
    CHECK(running("letter", "running_by_key") == 2);  // of the key 1; the third letter of that key waits
    CHECK(running("") == 5);
    db.exec("UPDATE {s}.lane_limit SET tokens = 6, tokens_at = now() WHERE kind = 'r'");
    CHECK(running("task", "rate") == Approx(4).margin(0.1));
    db.exec("UPDATE {s}.lane_limit SET tokens_at = now() - interval '2 h' WHERE kind = 'r'");
    CHECK(running("task", "rate") == Approx(2).margin(0.1));
    db.exec("UPDATE {s}.lane_limit SET amount = 0 WHERE kind = 'r'");
    CHECK(running("task", "rate") == 10);
    CHECK(limit("rate", "task", "rate") == 0);

    gate.open();
    REQUIRE(test::eventually([&] { return running("") == 0; }));
    CHECK(running("note") == 0);
    CHECK(running("letter", "running_by_key") == 0);
    const exposition fewer{metrics{libpq{db.options()}, {.max_lanes = 2}}};
    CHECK(fewer.series("pgq_limit_max") == 2);
}

TEST_CASE("observer::prometheus and the statistics count the same waits", "[observer][prometheus][statistics]") {
    const test::database db;
    using observed =
        pgq::queue<note, letter, libpq, pgq::serializer::json, pgq::executor::thread_pool, pgq::observer::prometheus>;
    const pgq::observer::prometheus counted;
    observed jobs{libpq{db.options()}, {}, pgq::executor::thread_pool{4}, counted};
    jobs.enqueue(test::notes(7)).value();
    jobs.enqueue(test::notes(40), {.packed = true}).value();
    for (const char* table : {"ready", "pack"})
        db.exec("UPDATE {s}." + std::string{table} + " SET enqueued_at = enqueued_at - interval '90 s'");
    test::run_until_empty(
        jobs, {}, [](const note&) {}, [](const letter&) {});
    const auto stored = jobs.statistics<note>({.last = 1h}).value().wait;
    const exposition seen{counted};
    const std::string lane = R"({queue="default",entrypoint="note"})";
    CHECK(seen.value("pgq_job_wait_seconds_count" + lane) == 47);
    CHECK(stored.total() == 47);
    CHECK(seen.value("pgq_job_wait_seconds_sum" + lane) ==
          Approx(std::chrono::duration<double>(stored.sum).count()).margin(0.001));
    CHECK(seen.value("pgq_job_wait_seconds_sum" + lane) >= 47 * 90);
    CHECK(seen.value(R"(pgq_job_wait_seconds_bucket{queue="default",entrypoint="note",le="60"})") == 0);
}

TEST_CASE("database_metrics says what is paused, draining and late", "[observer][prometheus]") {
    const test::database db;
    queue jobs{libpq{db.options()}};
    jobs.enqueue(note{}, {.run_at = pgq::in(1h)}).value();
    CHECK(jobs.pause<note>("test").value());
    CHECK(jobs.drain<letter>("test").value());
    db.exec("UPDATE {s}.deferred SET run_at = now() - interval '2 min'");
    const metrics numbers{libpq{db.options()}};
    const exposition seen{numbers};
    CHECK(seen.value(R"(pgq_queue_paused{queue="default",entrypoint="note"})") == 1);
    CHECK(seen.value(R"(pgq_queue_paused{queue="default",entrypoint="letter"})") == 0);
    CHECK(seen.value(R"(pgq_queue_draining{queue="default",entrypoint="letter"})") == 1);
    CHECK(seen.value("pgq_deferred_overdue_seconds") >= 120);
}

TEST_CASE("a scrape of database_metrics cannot write", "[observer][prometheus]") {
    const test::database db;
    const metrics numbers{libpq{db.options()}};
    CHECK(exposition{numbers}.value("pgq_up") == 1);
    // A table that it reads becomes a view that writes.
    db.exec("CREATE TABLE {s}.written (n int8)");
    db.exec(
        "CREATE FUNCTION {s}.write() RETURNS int8 LANGUAGE sql AS 'INSERT INTO {s}.written VALUES (1) RETURNING n'");
    db.exec("ALTER TABLE {s}.schedule RENAME TO real_schedule");
    db.exec(
        "CREATE VIEW {s}.schedule AS SELECT 'q'::text AS queue, 'n'::text AS name, now() AS next_at,"
        " NULL::timestamptz AS paused_at WHERE {s}.write() > 0");
    CHECK(db.query_int("SELECT count(*) FROM {s}.schedule") == 1);
    CHECK(exposition{numbers}.value("pgq_up") == 0);
    CHECK(numbers.last_error().code == pgq::make_sqlstate("25006"));
    CHECK(db.rows("written") == 1);
}

TEST_CASE("database_metrics connects again if its connection was closed between two scrapes",
          "[observer][prometheus][direct]") {
    const test::database db;
    const metrics numbers{libpq{db.options()}};
    CHECK(exposition{numbers}.value("pgq_up") == 1);
    (void)db.end_sessions();
    CHECK(exposition{numbers}.value("pgq_up") == 1);
}

TEST_CASE("database_metrics needs the rights of a reader only", "[observer][prometheus][direct]") {
    const test::database db;
    queue jobs{libpq{db.options()}};
    jobs.enqueue(test::notes(2)).value();
    const test::roles roles{db.schema()};
    auto options = db.options();
    options.conninfo = test::roles::conninfo_as(roles.names().reader, db.conninfo());
    const metrics numbers{libpq{options}};
    const exposition seen{numbers};
    INFO(numbers.last_error().text());
    CHECK(seen.value("pgq_up") == 1);
    CHECK(seen.value(jobs_of("note", "ready")) == 2);
}

TEST_CASE("database_metrics without a database says why", "[observer][prometheus]") {
    auto options = test::database{}.options();
    options.schema = "is not there";
    const metrics numbers{libpq{options}};
    CHECK(exposition{numbers}.value("pgq_up") == 0);
    CHECK(numbers.last_error() == pgq::errc::schema_missing);
}

}  // namespace integration_database_metrics
