#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <pgq/backoff/none.hpp>
#include <pgq/driver/pq/session/caller_transaction.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace scenarios_while_running {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

using note_queue = test::note_queue<pgq::backoff::none>;

note_queue watched(const database& db, test::event_counts& seen, std::size_t width = 4) {
    return note_queue{db.driver(), {}, pgq::executor::thread_pool{width}, seen};
}
std::string text_of(std::string_view body) {
    note n;
    pgq::serializer::json{}.read(body, n).value();
    return n.text;
}
std::string stored_text(const database& db) {
    return db.query_text("SELECT convert_from(body, 'UTF8')::jsonb->>'text' FROM {s}.job");
}

}  // namespace

TEST_CASE("a checkpoint is in the database when the call returns, and the next attempt starts from it",
          "[scenario][pq13]") {
    const database db;
    test::event_counts seen;
    auto jobs = watched(db, seen);
    std::string first, stored, second;
    const auto handler = [&](const note& n, pgq::context& c) {
        if (c.attempt() == 2) return void(second = n.text);
        first = n.text;
        c.update(note{.n = n.n, .text = "page 1"}).value();
        stored = stored_text(db);
        throw std::runtime_error{"interrupted"};
    };
    (void)jobs.enqueue(note{.n = 1, .text = "page 0"}).value();
    test::run_until_empty(jobs, {}, handler);
    CHECK(first == "page 0");
    CHECK(stored == "page 1");
    CHECK(second == "page 1");
    CHECK(db.is_empty());
    CHECK(seen->lost == 0);
}

TEST_CASE("a checkpoint after the job is gone is an error, and changes nothing", "[scenario][pq14]") {
    const database db;
    note_queue jobs{db.driver()};
    std::atomic<bool> gone{false}, refused{false};
    const auto handler = [&](const note&, pgq::context& c) {
        db.exec("DELETE FROM {s}.lease");
        gone = true;
        refused = c.update(note{}).error() == pgq::errc::lease_lost && c.progress(1).error() == pgq::errc::lease_lost;
    };
    test::running_worker w{jobs, {}, handler};
    (void)jobs.enqueue(note{}).value();
    CHECK(test::eventually([&] { return gone && refused; }));
    CHECK(w.stop());
    CHECK(db.is_empty());
    CHECK(db.rows("tracked") == 0);
}

TEST_CASE("another worker runs the job of a killed worker from its checkpoint", "[scenario][pq13]") {
    const database db;
    note_queue jobs{db.driver()};
    const auto id = jobs.enqueue(note{.n = 1, .text = "page 0"}).value().id();
    test::claiming_session dead{db, jobs.lanes().value()};
    const auto claimed = dead.claim(1);
    REQUIRE(claimed.claimed() == 1);
    std::string body;
    pgq::serializer::json{}.write(note{.n = 1, .text = "page 9"}, body).value();
    dead.line().revise({.worker = dead.id(), .lease = claimed.leases[0].ref.id, .job = id, .body = body}).value();
    db.exec("UPDATE {s}.worker SET heartbeat_at = now() - interval '1 hour'");
    std::string text;
    std::atomic<bool> ran{false};
    test::running_worker w{jobs, {.lease_time = 1s}, [&](const note& n, pgq::context& c) {
                               text = n.text + ", attempt " + std::to_string(c.attempt());
                               ran = true;
                           }};
    REQUIRE(test::eventually([&] { return ran.load(); }));
    CHECK(text == "page 9, attempt 2");
}

TEST_CASE("a worker whose jobs write checkpoints and progress loses no lease, and runs each job once",
          "[scenario][undisturbed]") {
    const database db;
    test::event_counts seen;
    auto jobs = watched(db, seen, 8);
    test::run_log run_log;
    std::atomic<int> failed{0};
    const auto handler = [&](const note& n, pgq::context& c) {
        run_log.add(n.n, c);
        for (int i = 1; i <= 5; ++i) failed += !c.update(note{.n = n.n, .text = std::to_string(i)});
        failed += !c.progress(0.5, "half") || !c.progress(1, "whole");
    };
    (void)jobs.enqueue(test::notes(100)).value();
    (void)jobs.enqueue(test::notes(100), {.keep_outcome = 1min}).value();
    test::run_until_empty(jobs, {}, handler);
    CHECK(failed == 0);
    CHECK(run_log.size() == 200);
    CHECK(db.is_empty());
    CHECK(db.rows("tracked") == 0);
    CHECK(seen->lost == 0);
    CHECK(seen->errors == 0);
}

TEST_CASE("jobs of one lease may write checkpoints at once while their worker writes the same row, and none is undone",
          "[scenario]") {
    const database db;
    note_queue jobs{db.driver()};
    const auto ids = jobs.enqueue(test::notes(8)).value();
    test::claiming_session c{db, jobs.lanes().value()};
    const auto claimed = c.claim(8);
    REQUIRE(claimed.leases.size() == 1);
    const auto lease = claimed.leases[0].ref.id;
    std::atomic<int> failed{0};
    {
        std::vector<std::jthread> writers;
        for (std::size_t i = 0; i < 8; ++i)
            writers.emplace_back([&, i] {
                auto line =
                    pgq::driver::libpq{database::unbroken(db.options())}.connect(pgq::session_role::client).value();
                for (int k = 1; k <= 50; ++k) {
                    std::string body;
                    pgq::serializer::json{}.write(note{.text = std::to_string(k)}, body).value();
                    pgq::revision r{.worker = c.id(), .lease = lease, .job = ids[i], .body = body};
                    if (k % 5 == 0) r.progress = "0.5";
                    failed += !line.revise(r);
                }
            });
    }
    CHECK(failed == 0);
    CHECK(db.query_int("SELECT count(*) FROM {s}.tracked WHERE progress = '0.5'") == 8);
    const auto now = c.line().lease_updates(c.id()).value();
    REQUIRE(now.size() == 1);
    CHECK(now[0].flags == std::vector<std::int16_t>(8, pgq::flag_tracked));
    c.line().give_back(std::vector{now[0].ref}).value();
    const auto again = c.claim(8);
    for (const auto& j : again.leases.at(0).jobs) CHECK(text_of(j.body) == "50");
}

TEST_CASE("a checkpoint above the size limit is refused, and the old payload stays", "[scenario]") {
    const database db;
    auto options = db.options();
    options.max_payload = 100;
    note_queue jobs{pgq::driver::libpq{options}};
    (void)jobs.enqueue(note{.text = "old"}).value();
    std::string stored;
    std::atomic<bool> refused{false};
    test::run_until_empty(jobs, {}, [&](const note&, pgq::context& c) {
        refused = c.update(note{.text = std::string(200, 'x')}).error() == pgq::errc::payload_too_large;
        stored = stored_text(db);
    });
    CHECK(refused);
    CHECK(stored == "old");
}

TEST_CASE("another program sees the progress through the library and through SQL, and the progress ends with the job",
          "[scenario]") {
    const database db;
    note_queue jobs{db.driver()}, elsewhere{db.driver()};
    test::gate go;
    const auto h = jobs.enqueue(note{}, {.keep_outcome = 1min}).value();
    test::running_worker w{jobs, {}, [&](const note&, pgq::context& c) {
                               c.progress(0.25, "page 1 of 4").value();
                               (void)go.pass(c);
                           }};
    REQUIRE(test::eventually([&] { return go.waiting() == 1; }));
    CHECK(elsewhere.progress(h).value() == pgq::job_progress{.fraction = 0.25, .text = "page 1 of 4"});
    CHECK(db.query_text("SELECT progress FROM {s}.tracked") == "0.25 page 1 of 4");
    go.open();
    CHECK(h.wait(test::test_timeout).value().kind == pgq::end_kind::done);
    CHECK(elsewhere.progress(h).value() == std::nullopt);
}

TEST_CASE("a polled job keeps its checkpoint when it comes again, and can still be acknowledged",
          "[scenario][poll][pq13]") {
    const database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.text = "0"}).value();
    auto poller = jobs.poll<note>({.timeout = 50ms});
    {
        auto job = poller.next().value();
        REQUIRE(job);
        (*job)->text = "1";
        job->update(**job).value();
        CHECK(stored_text(db) == "1");
        job->update(note{.text = "2"}).value();
        job->release().value();
        CHECK(job->update(note{}).error() == pgq::errc::already_settled);
    }
    auto again = poller.next().value();
    REQUIRE(again);
    CHECK((*again)->text == "2");
    again->update(note{.text = "3"}).value();
    again->ack().value();
    CHECK(db.is_empty());
}

TEST_CASE("a checkpoint of a polled job that is gone is an error that says so", "[scenario][poll][pq14]") {
    const database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{}).value();
    auto poller = jobs.poll<note>({.timeout = 50ms});
    auto job = poller.next().value();
    REQUIRE(job);
    db.exec("DELETE FROM {s}.lease");
    CHECK(job->update(note{}).error() == pgq::errc::lease_lost);
    CHECK(job->ack().error() == pgq::errc::lease_lost);
    CHECK(db.is_empty());
}

TEST_CASE("a polled job with a checkpoint can be acknowledged in the caller's transaction", "[scenario][poll]") {
    const database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{}).value();
    auto poller = jobs.poll<note>({.timeout = 50ms});
    auto job = poller.next().value();
    REQUIRE(job);
    job->update(note{.text = "1"}).value();
    db.exec("BEGIN");
    job->ack(pgq::within(db.connection())).value();
    db.exec("COMMIT");
    CHECK(db.is_empty());
}

}  // namespace scenarios_while_running
