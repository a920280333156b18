#include <pgq/protocol/statistics.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/worker_process.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stress_statistics {

using namespace std::chrono_literals;
using test::database;
using test::task;
using steady = std::chrono::steady_clock;

namespace {

using task_queue = pgq::queue<task, pgq::driver::libpq, pgq::serializer::json>;

void enqueue(task_queue& jobs, std::int64_t count) {
    std::vector<task> batch;
    for (std::int64_t i = 0; i < count; ++i) {
        batch.push_back({.n = i});
        if (batch.size() < 10'000 && i + 1 < count) continue;
        (void)jobs.enqueue(batch, {.packed = i % 20'000 < 10'000}).value();
        batch.clear();
    }
}

// Statistics are read before the jobs are counted, so the truth is later.
pgq::job_statistics within_truth(task_queue& jobs, std::int64_t count) {
    const auto s = jobs.statistics<task>({.last = 24h}).value();
    const auto left = jobs.counts<task>().value();
    CHECK(s.finished() <= count - left.ready - left.deferred - left.leased);
    CHECK(s.finished() == s.done);
    CHECK(s.enqueued <= count);
    CHECK(s.wait.total() <= count);
    return s;
}

}  // namespace

TEST_CASE("the statistics of a hundred thousand jobs stay within the truth while workers are killed",
          "[stress][slow][statistics]") {
    database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    constexpr std::int64_t count = 100'000;
    enqueue(jobs, count);
    const auto start = std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now()) - 1min;

    const std::map<std::string, std::string> settings{
        {"lease", "2000"}, {"threads", "4"}, {"prefetch", "500"}, {"attempts", "200"}, {"poll", "500"}};
    std::vector<test::process> workers;
    for (int i = 0; i < 4; ++i) workers.push_back(test::start_worker(db, settings));
    std::string killed = "0";
    int kills = 0;
    const auto deadline = steady::now() + 10min;
    for (std::size_t next = 0; !db.is_empty() && steady::now() < deadline; next = (next + 1) % workers.size()) {
        if (test::eventually(1s, [&] { return db.is_empty(); })) break;
        workers[next].send(SIGKILL);
        killed += "," + std::to_string(workers[next].pid());
        CHECK(workers[next].wait() == -SIGKILL);
        ++kills;
        workers[next] = test::start_worker(db, settings);
        (void)within_truth(jobs, count);
    }
    CHECK(db.is_empty());
    CHECK(kills >= 3);
    for (auto& w : workers) {
        w.send(SIGTERM);
        CHECK(w.wait() == 0);
    }

    const auto s = within_truth(jobs, count);
    // Workers that ended by themselves have reported everything.
    CHECK(s.done >= db.query_int("SELECT count(DISTINCT job) FROM {s}.runs r WHERE ended IS NOT NULL AND NOT EXISTS ("
                                 "SELECT FROM {s}.runs k WHERE k.job = r.job AND k.pid IN (" +
                                 killed + "))"));
    CHECK(s.run.total() >= s.done);
    CHECK(s.run.total() <= db.rows("runs"));
    // What is left of the workers is added up, and nothing changes by that. Nobody has rescued the last dead one.
    db.exec("DELETE FROM {s}.worker");
    const auto end = start + 24h;
    while (db.query_int("SELECT {s}.fold_minutes('48 hours')") > 0) {}
    CHECK(db.query_int("SELECT count(*) FROM {s}.minute WHERE worker > 0") == 0);
    CHECK(jobs.statistics<task>({.from = start, .to = end}).value() == s);
    // The sum of the parts is the whole.
    pgq::job_statistics sum;
    for (auto at = start; at < start + 60min; at += 1min)
        sum += jobs.statistics<task>({.from = at, .to = at + 1min}).value();
    sum += jobs.statistics<task>({.from = start + 60min, .to = end}).value();
    CHECK(sum == s);
    WARN(kills << " workers were killed; of " << count << " jobs " << count - s.done << " are not counted as done, "
               << count - s.enqueued << " not as enqueued");
}

TEST_CASE("no statistics count twice while the connections of workers are cut", "[stress][slow][statistics]") {
    database db;
    test::make_journal(db);
    auto safe = db.options();
    safe.conninfo = database::settings_of(safe.conninfo, "application_name", "reader");
    task_queue jobs{pgq::driver::libpq{safe}};
    constexpr std::int64_t count = 50'000;
    const std::map<std::string, std::string> settings{
        {"lease", "1000"}, {"threads", "2"}, {"attempts", "200"}, {"poll", "500"}};
    std::vector<test::process> workers;
    for (int i = 0; i < 3; ++i) workers.push_back(test::start_worker(db, settings));
    enqueue(jobs, count);
    CHECK(test::eventually(5min, [&] {
        db.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '" + db.schema() +
                "' AND random() < 0.05");
        return db.is_empty();
    }));
    for (auto& w : workers) {
        w.send(SIGTERM);
        CHECK(w.wait() == 0);
    }
    const auto s = within_truth(jobs, count);
    CHECK(s.done > count / 2);
    WARN("of " << count << " jobs " << count - s.done << " are not counted as done");
}

}  // namespace stress_statistics
