#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <chrono>
#include <string>

namespace scenarios_half_open {

using namespace std::chrono_literals;
using test::database;
using test::note;

TEST_CASE("a worker sleeps undisturbed although the server still has a session of its half-open connection",
          "[scenario][s47]") {
    database db;
    test::proxy between;
    auto far = between.options(db);
    far.response_timeout = 1s;
    test::note_queue<> near_jobs{db.driver()};
    test::note_queue<> far_jobs{pgq::driver::libpq{far}};
    (void)far_jobs.lanes().value();
    test::run_log seen;
    test::running_worker w{far_jobs, pgq::worker_options{.lease_time = 5min, .poll_interval = 500ms},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    between.freeze();
    (void)near_jobs.enqueue(note{.n = 1}).value();
    REQUIRE(test::eventually([&] { return seen.size() == 1 && db.is_empty(); }));

    // The test waits three response times: no further loss may happen, and no session in the server may wait for a
    // lock.
    CHECK(test::eventually(30s, [&] {
        const int failed = far_jobs.observer()->failed;
        return test::always(3s, [&] { return far_jobs.observer()->failed == failed; });
    }));
    CHECK(db.count_sessions("wait_event_type = 'Lock'") == 0);
}

}  // namespace scenarios_half_open
