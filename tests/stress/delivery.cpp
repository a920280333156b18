#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/process.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace stress_delivery {

using namespace std::chrono_literals;
using test::database;
using test::task;

namespace {

using task_queue = pgq::queue<task, pgq::driver::libpq, pgq::serializer::json>;

test::process start(const database& db, const std::string& how) {
    test::process p{
        {PGQ_TEST_PROGRAMS "/delivery_worker", "dsn=" + db.conninfo(), "schema=" + db.schema(), "how=" + how}};
    if (!p.says("READY")) throw std::runtime_error{"delivery_worker did not start"};
    return p;
}

/// Repeats a hundred times: lets some jobs run, kills one of four workers without a warning, and starts another.
/// Returns how many jobs were enqueued meanwhile.
std::int64_t kill_a_hundred(const database& db, task_queue& jobs, const std::string& how) {
    std::vector<test::process> workers;
    for (int i = 0; i < 4; ++i) workers.push_back(start(db, how));
    std::int64_t enqueued = 0, last = 0;
    for (std::size_t killed = 0; killed < 100; ++killed) {
        std::vector<task> more;
        for (int i = 0; i < 50; ++i) more.push_back({.n = enqueued++});
        (void)jobs.enqueue(more, {.packed = killed % 2 == 1}).value();
        const auto wanted = last + 20 + static_cast<std::int64_t>(killed % 7);
        REQUIRE(test::eventually(30s, [&] { return db.rows("effects") >= wanted; }));
        auto& victim = workers[killed % workers.size()];
        victim.send(SIGKILL);
        CHECK(victim.wait() == -SIGKILL);
        last = db.rows("effects");
        victim = start(db, how);
    }
    REQUIRE(test::eventually(2min, [&] { return db.is_empty(); }));
    for (auto& w : workers) {
        w.send(SIGTERM);
        CHECK(w.wait() == 0);
    }
    return enqueued;
}

}  // namespace

TEST_CASE("while a hundred workers are killed, each effect of a handler in a transaction happens exactly once",
          "[stress][transaction][slow]") {
    database db;
    db.exec("CREATE TABLE {s}.effects (n int8 PRIMARY KEY, pid int8)");
    task_queue jobs{db.driver()};
    const auto enqueued = kill_a_hundred(db, jobs, "exactly");
    CHECK(db.rows("effects") == enqueued);
    CHECK(db.query_int("SELECT count(*) FROM {s}.effects WHERE n BETWEEN 0 AND " + std::to_string(enqueued - 1)) ==
          enqueued);
    CHECK(jobs.held<task>().value().empty());
    WARN(enqueued << " jobs");
}

TEST_CASE("while a hundred workers are killed, no at-most-once job runs twice, and each one that had not started runs",
          "[stress][at_most_once][slow]") {
    database db;
    db.exec("CREATE TABLE {s}.effects (n int8, pid int8)");
    task_queue jobs{db.driver()};
    const auto enqueued = kill_a_hundred(db, jobs, "most");
    const auto ran = db.query_int("SELECT count(DISTINCT n) FROM {s}.effects");
    CHECK(db.rows("effects") == ran);
    CHECK(ran <= enqueued);
    CHECK(enqueued - ran <= 400);  // four threads of each killed worker
    CHECK(jobs.held<task>().value().empty());
    WARN(enqueued << " jobs, of which " << enqueued - ran << " had begun with a worker that was killed");
}

}  // namespace stress_delivery
