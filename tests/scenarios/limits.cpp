#include <pgq/limiter/concurrency.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/overlap.hpp>
#include <support/worker_process.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace scenarios_limits {

using namespace std::chrono_literals;
using test::database;
using test::note;
using test::task;

namespace {

template <class... Policies>
using task_queue = pgq::queue<pgq::job<task, Policies...>, pgq::driver::libpq, pgq::serializer::json>;

// A worker writes its limits to the database when it starts. This makes them known to a program that declares none.
template <class Queue>
void declare(Queue& jobs) {
    auto session = jobs.driver().connect(pgq::session_role::client).value();
    (void)session.limits(jobs.name(), jobs.limiters().declared).value();
}

std::vector<task> tasks(std::int64_t count, const std::string& act, std::int64_t distinct = INT64_MAX) {
    std::vector<task> all;
    for (std::int64_t i = 0; i < count; ++i) all.push_back({.n = i % distinct, .act = act});
    return all;
}

}  // namespace

// Scenario 16.
TEST_CASE("over any number of processes no more jobs run at once than the limit, and no fewer while jobs wait",
          "[scenario][limiter]") {
    const database db;
    test::make_journal(db);
    test::make_kills(db);
    task_queue<pgq::limiter::global_concurrency<3>> jobs{db.driver()};
    declare(jobs);
    (void)jobs.enqueue(tasks(150, "sleep:20")).value();
    std::vector<test::process> workers;
    for (int i = 0; i < 5; ++i) workers.push_back(test::start_worker(db, {{"threads", "2"}}));
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(test::most_at_once(db) == 3);
    CHECK(db.query_int("SELECT count(DISTINCT job) FROM {s}.runs") == 150);
    WARN("on average " << static_cast<double>(test::mean_at_once(db)) / 1000 << " of 3 ran");
}

// Scenario 17.
TEST_CASE("a tight limit of one entrypoint does not shorten the batches of another", "[scenario][limiter]") {
    const database db;
    using queue = pgq::queue<pgq::job<task, pgq::limiter::serialized>, note, pgq::driver::libpq, pgq::serializer::json>;
    queue jobs{db.driver()};
    declare(jobs);
    (void)jobs.enqueue(tasks(100, "")).value();
    (void)jobs.enqueue(std::vector<note>(100)).value();
    const auto lanes = jobs.lanes().value();
    const auto lane_of = [&](const char* entrypoint) {
        return pgq::lane_id{static_cast<std::int32_t>(
            db.query_int(std::string{"SELECT id FROM {s}.lane WHERE entrypoint = '"} + entrypoint + "'"))};
    };
    test::claiming_session worker{db, lanes};
    const pgq::limited_lane tight{.lane = lane_of("task"), .most = 50, .max_attempts = 5};
    const pgq::claim_lane loose{.lane = lane_of("note"), .max_attempts = 5};
    const auto got = worker.sync({.lanes = {&loose, 1}, .limit = 60, .limited = {&tight, 1}, .limited_capacity = 50});
    std::size_t of_loose = 0, of_tight = 0;
    for (const auto& lease : got.leases) (lease.lane == loose.lane ? of_loose : of_tight) += lease.jobs.size();
    CHECK(of_loose == 60);
    CHECK(of_tight == 1);
}

// Scenario 18.
TEST_CASE("a limit of five admits four jobs, then one, then none", "[scenario][limiter]") {
    pgq::limiter::concurrency<5> limiter;
    const auto claim = [&](std::uint32_t batch) {
        const auto n = std::min(batch, limiter.admit({}).most);
        limiter.began(n, {});
        return n;
    };
    CHECK(claim(4) == 4);
    CHECK(claim(4) == 1);
    CHECK(claim(4) == 0);
    limiter.ended(2, {});
    CHECK(claim(4) == 2);
}
TEST_CASE("a worker never runs more jobs at once than its own limit, even if its executor could",
          "[scenario][limiter]") {
    const database db;
    task_queue<pgq::limiter::concurrency<5>> jobs{db.driver(), {}, pgq::executor::thread_pool{12}};
    (void)jobs.enqueue(tasks(60, "")).value();
    std::atomic<int> running{0}, most{0};
    pgq::worker w{jobs, {.until = pgq::run_until::empty}, [&](const task&, pgq::context& c) {
                      const int now = ++running;
                      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
                      (void)test::eventually(5ms, [&] { return c.stop_token().stop_requested(); });
                      --running;
                  }};
    w.run().value();
    CHECK(db.is_empty());
    CHECK(most == 5);
}

TEST_CASE("jobs of a limited lane that come together wake all sleeping workers that may run them",
          "[scenario][limiter][direct]") {
    using queue = pgq::queue<pgq::job<test::note, pgq::limiter::global_concurrency<3>>, pgq::driver::libpq,
                             pgq::serializer::json, pgq::executor::thread_pool>;
    const database db;
    const auto make = [&] { return queue{db.driver(), {}, pgq::executor::thread_pool{1}}; };
    auto first = make(), second = make(), third = make();
    test::gate gate;
    const pgq::worker_options never_polls{.poll_interval = 1h};
    const auto handler = [&](const test::note&, pgq::context& c) { (void)gate.pass(c); };
    test::running_worker a{first, never_polls, handler}, b{second, never_polls, handler},
        c{third, never_polls, handler};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 3; }));
    (void)first.enqueue(test::notes(4)).value();
    CHECK(test::eventually([&] { return gate.waiting() == 3; }));
    CHECK(db.leased() == 3);
    gate.open();
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(test::eventually([&] { return db.subscribed_workers() == 3; }));
}

// Scenario 19.
TEST_CASE("the slot of a crashed worker is free again after its lease time", "[scenario][limiter]") {
    const database db;
    test::make_journal(db);
    test::make_kills(db);
    task_queue<pgq::limiter::serialized> jobs{db.driver()};
    declare(jobs);
    auto first = test::start_worker(db, {{"threads", "1"}, {"lease", "1000"}});
    // Behind a pooler no notification tells a worker that another one's heartbeat has returned a job.
    auto second =
        test::start_worker(db, {{"threads", "1"}, {"lease", "1000"}, {"poll", test::is_pooled() ? "1000" : "60000"}});
    (void)jobs.enqueue(task{.n = 1, .act = "heed:60000"}).value();
    REQUIRE(test::eventually([&] { return db.rows("runs") == 1; }));
    (void)jobs.enqueue(task{.n = 2}).value();
    auto& busy = db.query_int("SELECT pid FROM {s}.runs") == first.pid() ? first : second;
    auto& idle = &busy == &first ? second : first;
    db.exec("INSERT INTO {s}.kills VALUES (" + std::to_string(busy.pid()) + ", clock_timestamp())");
    busy.send(SIGKILL);
    CHECK(busy.wait() == -SIGKILL);
    CHECK(test::eventually([&] { return db.query_int("SELECT count(*) FROM {s}.runs") >= 2; }));
    CHECK(test::most_at_once(db) == 1);
    idle.send(SIGTERM);
    (void)idle.wait();
}

TEST_CASE("when a worker that stops finishes its job, a sleeping peer takes the slot at once",
          "[scenario][limiter][direct]") {
    const database db;
    test::make_journal(db);
    task_queue<pgq::limiter::serialized> jobs{db.driver()};
    declare(jobs);
    auto first = test::start_worker(db, {{"threads", "1"}, {"poll", "60000"}});
    (void)jobs.enqueue(task{.n = 1, .act = "sleep:700"}).value();
    REQUIRE(test::eventually([&] { return db.rows("runs") == 1; }));
    auto second = test::start_worker(db, {{"threads", "1"}, {"poll", "60000"}});
    (void)jobs.enqueue(task{.n = 2}).value();
    first.send(SIGTERM);
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(db.query_int("SELECT count(DISTINCT pid) FROM {s}.runs") == 2);
    CHECK(first.wait() == 0);
}

TEST_CASE("jobs with one key run one at a time over all processes, and in order", "[scenario][limiter]") {
    const database db;
    test::make_journal(db);
    test::make_kills(db);
    task_queue<pgq::limiter::serialized_by<&task::n>> jobs{db.driver()};
    declare(jobs);
    (void)jobs.enqueue(tasks(300, "sleep:3", 20)).value();
    std::vector<test::process> workers;
    for (int i = 0; i < 4; ++i) workers.push_back(test::start_worker(db, {{"threads", "3"}}));
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(test::most_at_once(db, "r.n") == 1);
    CHECK(test::most_at_once(db) > 1);  // jobs with different keys
    CHECK(db.query_int("SELECT count(*) FROM (SELECT job < lag(job) OVER (PARTITION BY n ORDER BY began) AS wrong"
                       " FROM {s}.runs) r WHERE wrong") == 0);
}

TEST_CASE("a stream and the caller's transaction store keys, too", "[scenario][limiter]") {
    const database db;
    task_queue<pgq::limiter::serialized_by<&task::n>> jobs{db.driver()};
    CHECK(jobs.enqueue_stream(tasks(3, "", 2)).value() == 3);
    CHECK(db.query_int("SELECT count(*) FROM {s}.ready WHERE key IN ('0', '1')") == 3);
    const test::sql_connection mine{test::dsn(), db.schema()};
    (void)mine.exec("BEGIN");
    (void)jobs.enqueue(pgq::within(mine.get()), task{.n = 7}).value();
    (void)mine.exec("COMMIT");
    CHECK(db.query_int("SELECT count(*) FROM {s}.ready WHERE key = '7'") == 1);
}

TEST_CASE("a limit can be changed while workers run", "[scenario][limiter]") {
    const database db;
    test::make_journal(db);
    test::make_kills(db);
    task_queue<pgq::limiter::serialized> jobs{db.driver()};
    declare(jobs);
    (void)jobs.enqueue(tasks(400, "sleep:5")).value();
    std::vector<test::process> workers;
    for (int i = 0; i < 3; ++i) workers.push_back(test::start_worker(db, {{"threads", "2"}}));
    REQUIRE(test::eventually([&] { return db.rows("runs") > 20; }));
    CHECK(test::most_at_once(db) == 1);
    auto limit = jobs.limits().value().at(0);
    CHECK(limit.entrypoint == "task");
    limit.limit.amount = 4;
    CHECK(jobs.change_limit(limit).has_value());
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(test::most_at_once(db) == 4);
    CHECK(jobs.limits().value().at(0).limit.amount == 4);
    limit.limit.amount = -1;
    CHECK(jobs.change_limit(limit).error() == pgq::errc::invalid_option);
}

TEST_CASE("a change of a limit that is not stored fails, and says which limits there are", "[scenario][limiter]") {
    const database db;
    task_queue<pgq::limiter::serialized> jobs{db.driver()};
    const pgq::lane_limit wrong{.entrypoint = "tusk"};
    const auto none = jobs.change_limit(wrong);
    REQUIRE(none.error() == pgq::errc::invalid_option);
    CHECK(none.error().text().find("it has none") != std::string::npos);
    declare(jobs);
    const auto other = jobs.change_limit(wrong);
    REQUIRE(other.error() == pgq::errc::invalid_option);
    CHECK(other.error().text().find("no limit running number 0 of \"tusk\"") != std::string::npos);
    CHECK(other.error().text().find("it has: running number 0 of \"task\"") != std::string::npos);
}

TEST_CASE(
    "if two programs declare different limits, the stored one applies and the observer of the other program is told",
    "[scenario][limiter]") {
    struct listener {
        using policy_category = pgq::observer_tag;
        std::atomic<int>* reports = nullptr;
        void on(const pgq::event::limit_differs& e) {
            *reports += e.entrypoint == "task" && e.declared.amount == 7 && e.stored.amount == 3 ? 1 : 100;
        }
    };
    const database db;
    task_queue<pgq::limiter::global_concurrency<3>> old{db.driver()};
    declare(old);
    using newer = pgq::queue<pgq::job<task, pgq::limiter::global_concurrency<7>>, pgq::driver::libpq,
                             pgq::serializer::json, pgq::executor::thread_pool, listener>;
    std::atomic<int> reports{0};
    newer jobs{db.driver(), {}, pgq::executor::thread_pool{2}, listener{&reports}};
    pgq::worker w{jobs, {.until = pgq::run_until::empty}, [](const task&) {}};
    w.run().value();
    CHECK(reports == 1);
    CHECK(jobs.limits().value().at(0).limit.amount == 3);
}

}  // namespace scenarios_limits
