#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/process.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace scenarios_rolling_deploy {

using namespace std::chrono_literals;
using test::database;

namespace {

std::vector<std::string> program(const database& db, int version) {
    return {PGQ_TEST_PROGRAMS "/photo_worker", std::to_string(version), db.conninfo(), test::dsn(), db.schema()};
}
test::process start(const database& db, int version) {
    test::process p{program(db, version)};
    if (!p.says("READY")) throw std::runtime_error{"the worker program did not start"};
    return p;
}
void enqueue(const database& db, int version, int count) {
    auto arguments = program(db, version);
    arguments.push_back(std::to_string(count));
    test::process p{std::move(arguments)};
    REQUIRE(p.wait() == 0);
}

}  // namespace

TEST_CASE(
    "while five versions of a program are deployed, each job runs in a version that can read it, and no attempt is "
    "lost",
    "[scenario][serializer][versioned]") {
    const database db;
    db.exec("CREATE TABLE {s}.seen (job int8, attempt int2, version int4, pid int4)");
    // Each version is deployed in two steps, and the second worker is killed instead of stopped. Producers have the
    // next version or the one before.
    std::vector<test::process> workers;
    for (int i = 0; i < 3; ++i) workers.push_back(start(db, 1));
    for (int version = 1; version <= 5; ++version) {
        for (int v = version > 1 ? version - 1 : 1; v <= std::min(version + 1, 5); ++v) enqueue(db, v, 200);
        workers[0].send(SIGTERM);
        CHECK(workers[0].wait() == 0);
        workers[0] = start(db, version);
        enqueue(db, version, 200);
        workers[1].send(SIGKILL);
        CHECK(workers[1].wait() == -SIGKILL);
        workers[1] = start(db, version);
    }
    CHECK(test::eventually([&] { return db.is_empty(); }));
    const auto jobs = db.query_int("SELECT count(DISTINCT job) FROM {s}.seen");
    CHECK(jobs == 200 * (2 + 3 + 3 + 3 + 2) + 5 * 200);
    CHECK(db.query_int("SELECT count(*) FROM {s}.deferred") == 0);
    // Only jobs that a killed worker had claimed run again: no worker got a job that it cannot read.
    CHECK(db.query_int("SELECT max(attempt) FROM {s}.seen") <= 6);
    CHECK(db.query_int("SELECT count(DISTINCT version) FROM {s}.seen") == 5);
    for (auto& w : workers) {
        w.send(SIGTERM);
        CHECK(w.wait() == 0);
    }
}

}  // namespace scenarios_rolling_deploy
