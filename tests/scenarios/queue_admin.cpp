#include <pgq/backoff/none.hpp>
#include <pgq/job/filter.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace scenarios_queue_admin {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

using queue = test::note_queue<pgq::backoff::none>;

}  // namespace

TEST_CASE("cancel_all by a header ends only the matching jobs, and a worker runs the others", "[scenario][pgjobq25]") {
    const database db;
    queue jobs{db.driver()};
    const std::array one{pgq::header{"foo", "1"}}, two{pgq::header{"foo", "2"}};
    const auto gone = jobs.enqueue(note{.n = 1}, {.headers = one, .keep_outcome = 1h}).value();
    const auto later = jobs.enqueue(note{.n = 2}, {.run_at = pgq::in(1h), .headers = one, .keep_outcome = 1h}).value();
    (void)jobs.enqueue(note{.n = 3}, {.headers = two}).value();
    (void)jobs.enqueue(note{.n = 4}).value();
    CHECK(jobs.cancel_all<note>(pgq::header_of("foo") == 1).value().removed == 2);
    const std::array<pgq::job_id, 2> both{gone, later};
    for (const auto& end : jobs.wait_for(both, test::test_timeout).value()) CHECK(end.kind == pgq::end_kind::cancelled);
    test::run_log seen;
    test::run_until_empty(jobs, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    CHECK(seen.runs() == std::map<std::int64_t, int>{{3, 1}, {4, 1}});
}

TEST_CASE("a dead letter wakes the worker of the dead-letter queue, which gets it with payload and headers",
          "[scenario][pgjobq26][direct]") {
    const database db;
    queue jobs{db.driver()}, others{db.driver(), {.name = "others"}}, dead{db.driver(), {.name = "dead"}};
    (void)others.lanes().value();
    jobs.dead_letters<note>("dead").value();
    test::run_log seen;
    test::running_worker dead_letter_worker{dead, pgq::worker_options{.poll_interval = 10min},
                                            [&](const note& n, const pgq::context& c) { seen.add(n.n, c, n.text); }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));

    const std::array headers{pgq::header{"foo", "bar"}};
    const auto id = jobs.enqueue(note{.n = 1, .text = "body"}, {.headers = headers, .keep_outcome = 1h}).value();
    test::run_until_empty(jobs, {.max_attempts = 1}, [](const note&) { throw std::runtime_error{"no"}; });
    REQUIRE(test::eventually([&] { return seen.size() == 1; }));
    const auto letter = seen.all()[0];
    CHECK(letter.id == id);
    CHECK(letter.text == "body");
    CHECK(std::count(letter.headers.begin(), letter.headers.end(), std::pair<std::string, std::string>{"foo", "bar"}) ==
          1);
    const auto end = jobs.wait_for(id, test::test_timeout).value();
    CHECK(end.kind == pgq::end_kind::held);
    CHECK(end.reason == "attempt 1 of 1 failed: no");
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(db.query_int("SELECT count(*) FROM {s}.outcome WHERE keep_until = 'infinity'") == 0);
    CHECK(db.rows("tracked") == 0);
}

TEST_CASE("a caller that waits for room goes on when a job has ended, also if others enqueue meanwhile",
          "[scenario][pgjobq31]") {
    const database db;
    queue jobs{db.driver()}, others{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    CHECK(jobs.wait_for_room<note>(1, 0s).error() == pgq::errc::lane_full);
    CHECK(jobs.wait_for_room<note>(2, 0s).has_value());
    pgq::result<void> room = pgq::errc::timeout;
    {
        std::jthread waits{[&] { room = jobs.wait_for_room<note>(1, test::test_timeout); }};
        (void)others.enqueue(note{.n = 2}).value();
        test::run_until_empty(others, {}, [](const note&) {});
    }
    CHECK(room.has_value());
}

}  // namespace scenarios_queue_admin
