#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/proxy.hpp>

#include <chrono>

namespace scenarios_lost_answer {

using namespace std::chrono_literals;
using test::database;
using test::note;

TEST_CASE("a lease that the worker acknowledged is not reported as lost if the answer is lost",
          "[scenario][s46][direct]") {
    database db;
    test::proxy between;
    auto far = between.options(db);
    far.response_timeout = 500ms;
    test::note_queue<> jobs{pgq::driver::libpq{far}, {}, pgq::executor::thread_pool{1}};
    (void)jobs.enqueue(note{.n = 1}).value();
    test::gate gate;
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 5min, .poll_interval = 10min},
                           [&](const note&, const pgq::context& c) { gate.pass(c); }};
    REQUIRE(test::eventually([&] { return gate.waiting() == 1; }));
    REQUIRE(between.is_quiet_for(100ms));

    between.mute();
    gate.open();
    REQUIRE(test::eventually([&] { return jobs.observer()->restored == 1; }));
    CHECK(db.is_empty());
    CHECK(jobs.observer()->lost == 0);
}

}  // namespace scenarios_lost_answer
