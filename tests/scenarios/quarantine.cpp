#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/worker_process.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace scenarios_quarantine {

using namespace std::chrono_literals;
using test::database;
using test::task;

namespace {

using task_queue = pgq::queue<task, pgq::driver::libpq, pgq::serializer::json>;

// Starts a worker after each crash, until no job is left but those that are held.
int work_until_done(const database& db, task_queue& jobs, const std::string& attempts) {
    const auto done = [&] {
        const auto c = jobs.counts<task>().value();
        return c.ready == 0 && c.deferred == 0 && c.leased == 0;
    };
    const auto deadline = std::chrono::steady_clock::now() + 120s;
    int started = 0;
    while (!done() && std::chrono::steady_clock::now() < deadline) {
        // With a shorter lease time a worker on a busy machine counts as dead although it runs.
        auto w = test::start_worker(db, {{"lease", "1500"}, {"attempts", attempts}, {"threads", "4"}});
        ++started;
        (void)test::eventually([&] { return w.exited() || done(); });
    }
    REQUIRE(done());
    return started;
}

}  // namespace

TEST_CASE("a job that crashes its worker is held after its last attempt, and none of its neighbours ever is",
          "[scenario][quarantine][undisturbed]") {
    const auto [neighbours, act, attempts] = GENERATE(table<int, std::string, int>(
        {{2000, "done", 3}, {2000, "done", 1}, {12, "sleep:200", 3}, {300, "sleep:2", 2}}));
    CAPTURE(neighbours, act, attempts);
    const database db;
    test::make_journal(db);
    task_queue jobs{db.driver()};
    std::vector<task> all;
    for (int i = 0; i < neighbours; ++i) {
        all.push_back({.n = i, .act = act});
        if (i == neighbours / 4) all.push_back({.n = -1, .act = "crash"});
    }
    (void)jobs.enqueue(all).value();
    (void)work_until_done(db, jobs, std::to_string(attempts));

    const auto held = jobs.held<task>().value();
    REQUIRE(held.size() == 1);
    CHECK(db.query_int("SELECT min(n) FROM {s}.runs WHERE job = " + std::to_string(held[0].id.value)) == -1);
    CHECK(held[0].reason == "its worker died");
    // A worker whose attempts are few cannot tell a culprit from a neighbour in less than two crashes.
    const int most = attempts == 1 ? 2 : attempts;
    CHECK(db.query_int("SELECT count(*) FROM {s}.runs WHERE n = -1") == most);
    CHECK(held[0].attempts == most);
    CHECK(db.query_int("SELECT count(DISTINCT n) FROM {s}.runs WHERE n >= 0 AND ended IS NOT NULL") == neighbours);
}

}  // namespace scenarios_quarantine
