#include <pgq/driver/libpq.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"
#include "support/proxy.hpp"
#include "unit/worker/faulty.hpp"
#include "unit/worker/mixed_jobs.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace integration_worker_faults {

using namespace std::chrono_literals;
using pgq::errc;
using pgq::lane_counts;
using test::database;
using test::eventually;
using test::fault;
using test::fault_plan;
using test::note;
using test::verb;

namespace {

using driver = test::faulty<pgq::driver::libpq>;

constexpr std::int64_t job_count = 60;

struct tried {
    std::string describe_errors{};
    std::size_t syncs = 0;
    std::size_t failed_verb = 0;
};

// A whole worker run in a new queue, in which each job is done once.
template <class Executor>
tried attempt(const database& db, const std::string& name, fault_plan::rule rule, Executor executor) {
    const auto plan = std::make_shared<fault_plan>(std::move(rule));
    test::mixed_queue<driver, Executor> jobs{
        driver{pgq::driver::libpq{database::unbroken(db.options())}, plan}, {.name = name}, executor};
    test::mixed_jobs mixed{job_count};
    if (auto put = jobs.enqueue(test::notes(job_count)); !put) return {put.error().text()};
    pgq::worker w{jobs, test::mixed_options(), [&](const note& job) { return mixed.run(job); }};
    if (auto ran = w.run(); !ran) return {ran.error().text()};
    return {mixed.describe_errors(jobs, true), plan->count(verb::sync), plan->failed_verb()};
}

}  // namespace

TEST_CASE("wherever a sync with the server fails, no job is lost and none runs without effect", "[worker][faults]") {
    const database db;
    const auto quiet = attempt(db, "quiet", {}, pgq::executor::in_place{});
    REQUIRE(quiet.describe_errors == "");
    const std::pair<std::string, fault> faults[] = {{"before", {.error = errc::connection_lost, .performed = false}},
                                                    {"after", {.error = errc::connection_lost, .performed = true}}};
    std::atomic<std::size_t> next{0}, failed_verb{0};
    const std::size_t all = quiet.syncs * 4;
    std::mutex mutex;
    std::vector<std::string> complaints;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 6; ++i)
            threads.emplace_back([&] {
                for (std::size_t k; (k = next++) < all;) {
                    const auto& [when, f] = faults[k % 2];
                    const auto name =
                        "sync " + std::to_string(k / 4 + 1) + " lost " + when + (k % 4 < 2 ? "" : " (threads)");
                    const auto rule = fault_plan::at(verb::sync, k / 4 + 1, f);
                    const auto t = k % 4 < 2 ? attempt(db, name, rule, pgq::executor::in_place{})
                                             : attempt(db, name, rule, pgq::executor::thread_pool{2});
                    failed_verb += t.failed_verb;
                    const std::lock_guard lock{mutex};
                    if (!t.describe_errors.empty()) complaints.push_back(name + ": " + t.describe_errors);
                }
            });
    }
    CHECK(failed_verb >= all / 2);
    for (const auto& c : complaints) FAIL_CHECK(c);
    CHECK(db.rows("lease") == 0);
}

TEST_CASE("a job whose outcome the server refuses is held, and other jobs are not affected", "[worker][faults]") {
    const database db;
    test::mixed_queue<pgq::driver::libpq, pgq::executor::in_place> jobs{db.driver()};
    jobs.enqueue(test::notes(30)).value();
    db.exec("ALTER TABLE {s}.deferred ADD CHECK (reason NOT LIKE '%unbearable%')");
    test::run_until_empty(jobs, test::mixed_options(), [](const note& job) -> pgq::outcome {
        if (job.n % 10 == 3) return pgq::hold{"an unbearable reason"};
        if (job.n % 10 == 4) return pgq::hold{"a good reason"};
        return pgq::done{};
    });
    CHECK(jobs.counts<note>().value() == lane_counts{.held = 6});
    CHECK(db.query_int("SELECT count(*) FROM {s}.deferred WHERE reason = 'a good reason'") == 3);
    CHECK(db.query_int("SELECT count(*) FROM {s}.deferred WHERE reason LIKE 'the outcome could not be stored%'") == 3);
}

TEST_CASE("a job of which no outcome can be stored stays in the queue", "[worker][faults]") {
    const database db;
    test::mixed_queue<pgq::driver::libpq, pgq::executor::in_place> jobs{db.driver()};
    jobs.enqueue(test::notes(10)).value();
    db.exec("ALTER TABLE {s}.deferred ADD CHECK (kind <> 'h')");
    test::run_until_empty(jobs, test::mixed_options(), [](const note& job) -> pgq::outcome {
        if (job.n == 3) return pgq::hold{"for nobody"};
        return pgq::done{};
    });
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 1});
}

TEST_CASE("jobs of a late claim of a lost session are given back", "[worker][late]") {
    const database db;
    test::proxy between;
    between.drop_cancels();
    auto o = between.options(db);
    o.response_timeout = 400ms;
    test::note_queue<> jobs{pgq::driver::libpq{o}};
    jobs.enqueue(test::notes(5)).value();
    const test::sql_connection blocker{test::dsn(), db.schema()};
    blocker.exec("BEGIN; LOCK TABLE {s}.ready IN ACCESS EXCLUSIVE MODE");
    test::run_log run_log;
    test::running_worker w{jobs, {.lease_time = 1s, .poll_interval = 100ms}, [&](const note& job, pgq::context& c) {
                               run_log.add(job.n, c);
                           }};
    // The claims of the lost sessions still wait in the server.
    REQUIRE(eventually([&] { return db.count_sessions("wait_event_type = 'Lock'") >= 2; }));
    blocker.exec("COMMIT");
    CHECK(eventually(20s, [&] { return run_log.runs().size() == 5 && db.is_empty(); }));
    w.stop().value();
    CHECK(run_log.size() == 5);
}

TEST_CASE("workers of two schemas in one database never wake each other", "[worker][schemas][direct]") {
    const database here, there;
    test::note_queue<> mine{here.driver()}, theirs{there.driver()};
    test::run_log run_log;
    const auto handler = [&](const note& job, pgq::context& c) { run_log.add(job.n, c); };
    test::running_worker w1{mine, {.poll_interval = 1h}, handler}, w2{theirs, {.poll_interval = 1h}, handler};
    REQUIRE(eventually([&] { return here.subscribed_workers() == 1 && there.subscribed_workers() == 1; }));
    for (std::int64_t n = 0; n < 10; ++n) {
        (n % 2 == 0 ? mine : theirs).enqueue(note{.n = n}).value();
        REQUIRE(eventually([&] { return run_log.size() == static_cast<std::size_t>(n) + 1; }));
    }
    w1.stop().value();
    w2.stop().value();
    CHECK(run_log.each_ran_once(10));
}

}  // namespace integration_worker_faults
