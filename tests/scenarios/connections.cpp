#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace scenarios_connections {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

std::int64_t connections(const database& db) { return db.count_sessions(); }

}  // namespace

TEST_CASE("a worker has two connections, and the queue object has one if the program uses it beside the worker",
          "[scenario][connections][direct][undisturbed]") {
    const database db;
    {
        test::note_queue<> other{db.driver()};
        (void)other.enqueue(test::notes(20)).value();
    }
    test::note_queue<> jobs{db.driver()};
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 50ms},
                           [&](const note& n, const pgq::context& c) -> pgq::outcome {
                               if (seen.add(n.n, c).attempt == 1 && n.n % 2 == 0) return pgq::retry_after{1ms};
                               return pgq::done{};
                           }};
    REQUIRE(test::eventually([&] { return db.is_empty() && connections(db) == 2; }));
    CHECK(test::always(500ms, [&] { return connections(db) == 2; }));
    (void)jobs.enqueue(note{.n = 21}).value();
    CHECK(test::eventually([&] { return connections(db) == 3; }));
    CHECK(w.stop().has_value());
    CHECK(test::eventually([&] { return connections(db) == 1; }));
}

}  // namespace scenarios_connections
