#include <pgq/backoff/none.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace scenarios_dead_letters {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

using queue = test::note_queue<pgq::backoff::none>;
using all_headers = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE(
    "a job that does not start in time ends as expired or is held, as its options say, and its waiter receives that at "
    "once",
    "[scenario][pgjobq27]") {
    const database db;
    queue jobs{db.driver()};
    const std::array headers{pgq::header{"foo", "bar"}};
    const auto dropped =
        jobs.enqueue(note{.n = 1}, {.unique_key = "k", .expires_at = pgq::in(1s), .keep_outcome = 1h}).value();
    const auto kept =
        jobs.enqueue(
                note{.n = 2},
                {.headers = headers, .expires_at = pgq::in(1s), .if_expired = pgq::on_expiry::hold, .keep_outcome = 1h})
            .value();
    (void)jobs.enqueue(note{.n = 3}, {.expires_at = pgq::in(1h)}).value();

    const std::array<pgq::job_id, 2> both{dropped, kept};
    const auto begun = std::chrono::steady_clock::now();
    const auto ends = jobs.wait_for(both, test::test_timeout).value();
    CHECK(std::chrono::steady_clock::now() - begun < 20s);
    CHECK(ends[0].kind == pgq::end_kind::expired);
    CHECK(ends[1].kind == pgq::end_kind::held);
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.ready = 1, .held = 1});
    CHECK(jobs.enqueue(note{.n = 4}, {.unique_key = "k"}).value().is_new());

    // A requeued job has all that it had, and does not expire again.
    CHECK(jobs.requeue(kept).value() == 1);
    test::run_log seen;
    test::run_until_empty(jobs, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    REQUIRE(seen.size() == 3);
    for (const auto& s : seen.all()) {
        CHECK(s.n != 1);
        if (s.n == 2) CHECK(s.headers == all_headers{{"foo", "bar"}});
    }
}

TEST_CASE("a job does not expire while it runs", "[scenario][pgjobq27]") {
    const database db;
    queue jobs{db.driver()};
    const auto id = jobs.enqueue(note{.n = 1}, {.expires_at = pgq::in(1s), .keep_outcome = 1h}).value();
    test::gate gate;
    std::atomic<bool> passed{false};
    test::running_worker w{jobs, pgq::worker_options{},
                           [&](const note&, const pgq::context& c) { passed = gate.pass(c); }};
    REQUIRE(test::eventually([&] { return gate.waiting() == 1; }));
    // Either the time has passed, or the worker's own monitor has seen that and deleted the expiry.
    REQUIRE(test::eventually(
        [&] { return db.query_int("SELECT count(*) FROM {s}.tracked WHERE expires_at > now()") == 0; }));
    auto monitor = db.driver().connect(pgq::session_role::monitor).value();
    CHECK(monitor.expire_and_purge().value().expired == 0);
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{.leased = 1});
    gate.open();
    CHECK(jobs.wait_for(id, test::test_timeout).value().kind == pgq::end_kind::done);
    CHECK(passed);
}

TEST_CASE(
    "the waiter of a job whose last attempt fails receives that it is held and why, and other queues are not affected",
    "[scenario][pgjobq26]") {
    const database db;
    queue red{db.driver(), {.name = "red"}}, blue{db.driver(), {.name = "blue"}};
    const std::array headers{pgq::header{"foo", "bar"}};
    const auto mine = red.enqueue(note{.n = 1}, {.headers = headers, .keep_outcome = 1h}).value();
    const auto theirs = blue.enqueue(note{.n = 1}, {.keep_outcome = 1h}).value();
    const pgq::worker_options once{.max_attempts = 1};
    test::run_until_empty(red, once, [](const note&) { throw std::runtime_error{"no good"}; });
    const auto end = red.wait_for(mine, test::test_timeout).value();
    CHECK(end.kind == pgq::end_kind::held);
    CHECK(end.attempts == 1);
    CHECK(end.reason == "attempt 1 of 1 failed: no good");
    CHECK(blue.wait_for(theirs, 0s).error() == pgq::errc::timeout);
    CHECK(blue.held<note>().value().empty());

    CHECK(red.requeue(mine).value() == 1);
    test::run_log seen;
    test::run_until_empty(red, once, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    REQUIRE(seen.size() == 1);
    CHECK(seen.all()[0].headers == all_headers{{"foo", "bar"}});
    CHECK(red.wait_for(mine, test::test_timeout).value().kind == pgq::end_kind::done);
}

}  // namespace scenarios_dead_letters
