#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace scenarios_cancel {

using namespace std::chrono_literals;
using pgq::end_kind;
using test::database;
using test::note;
using steady = std::chrono::steady_clock;

TEST_CASE(
    "cancel fires a running job's stop token long before the next heartbeat, its waiter receives \"cancelled\", and "
    "the worker goes on",
    "[scenario][pgjobq23][direct]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    test::gate never;
    std::atomic<int> done{0};
    const auto handler = [&](const note& n, pgq::context& c) {
        if (n.n == 0 && !never.pass(c)) throw std::runtime_error{"interrupted"};
        ++done;
    };
    // The notification must bring it: the next heartbeat is in 20 s.
    test::running_worker w{jobs, {.lease_time = 1min, .poll_interval = 10min}, handler};
    const auto h = jobs.enqueue(note{.n = 0}).value();
    REQUIRE(test::eventually([&] { return never.waiting() == 1; }));
    const auto cancelled_at = steady::now();
    const auto said = h.cancel().value();
    CHECK(said == pgq::cancel_reply{.removed = 0, .stopping = 1});
    REQUIRE(test::eventually([&] { return never.waiting() == 0; }));
    CHECK(steady::now() - cancelled_at < 10s);
    CHECK(test::eventually([&] { return db.is_empty(); }));
    (void)jobs.enqueue(note{.n = 1}).value();
    CHECK(test::eventually([&] { return done == 1; }));
}

TEST_CASE(
    "a cancelled job that still runs keeps its slot and its key, and its waiter receives the end when it has stopped",
    "[scenario][pgjobq23]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    std::atomic<bool> saw{false}, leave{false};
    const auto handler = [&](const note&, pgq::context& c) -> pgq::outcome {
        saw = test::eventually([&] { return c.stop_token().stop_requested(); });
        (void)test::eventually([&] { return leave.load(); });
        return pgq::retry_after{0s, "stopped"};
    };
    test::running_worker w{jobs, {}, handler};
    const auto h = jobs.enqueue(note{}, {.unique_key = "one", .keep_outcome = 1min}).value();
    REQUIRE(test::eventually([&] { return db.rows("lease") == 1; }));
    REQUIRE(h.cancel().value().stopping == 1);
    REQUIRE(test::eventually([&] { return saw.load(); }));
    CHECK_FALSE(jobs.enqueue(note{}, {.unique_key = "one"}).value().is_new());
    CHECK(h.wait(0s).error() == pgq::errc::timeout);
    leave = true;
    CHECK(h.wait(test::test_timeout).value().kind == end_kind::cancelled);
    CHECK(jobs.enqueue(note{}, {.run_at = pgq::in(1h), .unique_key = "one"}).value().is_new());
}

TEST_CASE("a job that is cancelled while it runs and returns done counts as done", "[scenario]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    test::gate go;
    const auto handler = [&](const note&, pgq::context& c) { (void)go.pass(c); };
    test::running_worker w{jobs, {}, handler};
    const auto h = jobs.enqueue(note{}, {.keep_outcome = 1min}).value();
    REQUIRE(test::eventually([&] { return go.waiting() == 1; }));
    REQUIRE(h.cancel().value().stopping == 1);
    CHECK(h.wait(test::test_timeout).value().kind == end_kind::done);
}

TEST_CASE("one call cancels two thousand or a hundred thousand jobs by id, all of them, in less than five seconds",
          "[scenario][pgjobq24][pgq42]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    const auto few = jobs.enqueue(test::notes(2000), {.keep_outcome = 1min}).value();
    REQUIRE(few.cancel().value() == pgq::cancel_reply{.removed = 2000, .stopping = 0});
    for (const auto& e : few.wait_all(test::test_timeout).value()) CHECK(e.kind == end_kind::cancelled);

    const auto many = jobs.enqueue(test::notes(100'000)).value();
    const auto began = steady::now();
    CHECK(many.cancel().value().removed == 100'000);
    CHECK(steady::now() - began < 20s);
    CHECK(db.is_empty());
}

TEST_CASE("of a hundred cancelled jobs those that check their stop token stop, and the other one ends once",
          "[scenario][pgq41]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    test::gate never;
    std::atomic<int> stopped{0};
    std::atomic<bool> ignores_stop{true};
    const auto handler = [&](const note& n, pgq::context& c) {
        if (n.n == 0) return void(test::eventually([&] { return !ignores_stop; }));
        if (!never.pass(c)) ++stopped;
        throw std::runtime_error{"stopped"};
    };
    auto policies = pgq::executor::thread_pool{100};
    test::note_queue<> wide{db.driver(), {}, policies};
    test::running_worker w{wide, {}, handler};
    const auto all = jobs.enqueue(test::notes(100), {.keep_outcome = 1min}).value();
    REQUIRE(test::eventually([&] { return never.waiting() == 99; }));
    CHECK(all.cancel().value() == pgq::cancel_reply{.removed = 0, .stopping = 100});
    CHECK(test::eventually([&] { return stopped == 99; }));
    ignores_stop = false;
    const auto ends = all.wait_all(test::test_timeout).value();
    CHECK(ends[0].kind == end_kind::done);
    for (std::size_t i = 1; i < ends.size(); ++i) CHECK(ends[i].kind == end_kind::cancelled);
    CHECK(test::eventually([&] { return db.is_empty(); }));
}

TEST_CASE("a claimed job that is cancelled before it starts never starts", "[scenario]") {
    const database db;
    test::note_queue<> jobs{db.driver(), {}, pgq::executor::thread_pool{1}};
    test::gate go;
    test::run_log seen;
    const auto handler = [&](const note& n, pgq::context& c) {
        seen.add(n.n, c);
        (void)go.pass(c);
    };
    const auto all = jobs.enqueue(test::notes(5), {.keep_outcome = 1min}).value();
    test::running_worker w{jobs, {}, handler};
    REQUIRE(test::eventually([&] { return go.waiting() == 1; }));
    const std::array behind{all[1], all[2], all[3], all[4]};
    const auto said = jobs.cancel(behind).value();
    CHECK(said.removed + said.stopping == 4);
    for (const auto& e : jobs.wait_for(behind, test::test_timeout).value()) CHECK(e.kind == end_kind::cancelled);
    go.open();
    CHECK(all(0).wait(test::test_timeout).value().kind == end_kind::done);
    CHECK(seen.size() == 1);
}

TEST_CASE("a cancelled job whose worker dies ends as cancelled", "[scenario]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    const auto h = jobs.enqueue(note{}, {.keep_outcome = 1min}).value();
    test::claiming_session c{db, jobs.lanes().value()};
    REQUIRE(c.claim(1).claimed() == 1);
    CHECK(h.cancel().value().stopping == 1);
    CHECK(h.cancel().value() == pgq::cancel_reply{});  // it has been asked
    db.exec("UPDATE {s}.worker SET heartbeat_at = now() - interval '1 hour'");
    (void)c.line().rescue().value();
    CHECK(h.wait(0s).value().kind == end_kind::cancelled);
    CHECK(db.is_empty());
}

TEST_CASE("cancelling one job of a lease does not change the other jobs of it", "[scenario]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    const auto all = jobs.enqueue(test::notes(10)).value();
    test::claiming_session c{db, jobs.lanes().value()};
    auto claimed = c.claim(10);
    REQUIRE(claimed.leases.size() == 1);
    CHECK(jobs.cancel(all[3]).value().stopping == 1);
    // The lease row has moved, so a worker that uses the old location gets the answer that it is not there ...
    CHECK(c.finish(claimed).lost == std::vector{claimed.leases[0].ref.id});
    // ... and looks it up again.
    const auto now = c.line().lease_updates(c.id()).value();
    REQUIRE(now.size() == 1);
    REQUIRE(now[0].flags.size() == 10);
    for (const auto& j : claimed.leases[0].jobs)
        CHECK(now[0].flags[j.index] == (j.id == all[3] ? pgq::flag_stop : std::int16_t{0}));
    claimed.leases[0].ref = now[0].ref;
    CHECK(c.finish(claimed).lost.empty());
    CHECK(db.is_empty());
}

TEST_CASE("a job that is cancelled in its last attempt and then throws ends as cancelled, not as held", "[scenario]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    test::gate never;
    const auto handler = [&](const note&, pgq::context& c) {
        (void)never.pass(c);
        throw std::runtime_error{"interrupted"};
    };
    test::running_worker w{jobs, {.max_attempts = 1}, handler};
    const auto h = jobs.enqueue(note{}, {.keep_outcome = 1min}).value();
    REQUIRE(test::eventually([&] { return never.waiting() == 1; }));
    REQUIRE(h.cancel().value().stopping == 1);
    CHECK(h.wait(test::test_timeout).value().kind == end_kind::cancelled);
    CHECK(jobs.held<note>().value().empty());
}

}  // namespace scenarios_cancel
