#include <pgq/backoff/none.hpp>
#include <pgq/executor/process.hpp>
#include <pgq/executor/thread_pool.hpp>

#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"

#include <chrono>
#include <csignal>
#include <cstdint>

namespace integration_process_executor {

using namespace std::chrono_literals;
using pgq::lane_counts;
using test::eventually;
using test::note;

TEST_CASE("handlers in child processes do not disturb the worker's connections", "[executor][process][undisturbed]") {
    const test::database db;
    using queue = pgq::queue<pgq::job<note, pgq::executor::process>, pgq::driver::libpq, pgq::serializer::json,
                             pgq::executor::thread_pool, pgq::backoff::none, test::event_counts>;
    queue jobs{db.driver(), {}, pgq::executor::thread_pool{3}};
    jobs.enqueue(test::notes(60)).value();  // over a connection that the children have a copy of
    // The handler writes over its own connection.
    const auto handler = [&](const note& job) -> pgq::outcome {
        if (job.n % 10 == 9) (void)std::raise(SIGSEGV);
        test::note_queue<> own{db.driver()};
        if (job.n < 60) own.enqueue(note{.n = job.n + 100}).value();
        return pgq::done{};
    };
    test::running_worker w{jobs, {.max_attempts = 2}, handler};
    // This thread must hold no lock of libpq while the worker forks.
    REQUIRE(eventually([&] { return jobs.observer()->started == 1; }));
    CHECK(eventually([&] { return jobs.counts<note>().value() == lane_counts{.held = 6}; }));
    w.stop().value();
    CHECK(jobs.observer()->failed == 0);
    CHECK(jobs.observer()->lost == 0);
    CHECK(jobs.observer()->errors == 0);
}

}  // namespace integration_process_executor
