#include <pgq/concept/backoff.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace scenarios_retry {

using namespace std::chrono_literals;
using test::claiming_session;
using test::database;
using test::enqueuing_session;
using test::note;
using steady = std::chrono::steady_clock;

namespace {

/// Starts at 100 ms, doubles, and stops at 300 ms.
struct brisk {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int attempt) const noexcept {
        return std::min<pgq::duration>(100ms * (1 << (attempt - 1)), 300ms);
    }
};
struct at_once {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int) const noexcept { return {}; }
};

}  // namespace

TEST_CASE("a retry without a delay starts at once in idle workers, as the same job", "[scenario][s27][direct]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    (void)jobs.lanes().value();
    test::run_log seen;
    const auto handler = [&](const note& n, const pgq::context& c) -> pgq::outcome {
        if (seen.add(n.n, c, n.text).attempt == 1) return pgq::retry_after{0s, "once more"};
        return pgq::done{};
    };
    const pgq::worker_options lazy{.poll_interval = 10min};
    test::running_worker one{jobs, lazy, handler};
    test::running_worker two{jobs, lazy, handler};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 2; }));

    const std::array headers{pgq::header{"trace", "abc"}};
    const auto id = jobs.enqueue(note{.n = 3, .text = "text"}, {.priority = 4, .headers = headers}).value();
    REQUIRE(test::eventually([&] { return seen.size() == 2; }));
    const auto runs = seen.all();
    CHECK(runs[1].at - runs[0].at < 20s);
    for (const auto& r : runs) {
        CHECK(r.id == id);
        CHECK(r.text == "text");
        CHECK(r.priority == 4);
        CHECK(r.headers == std::vector<std::pair<std::string, std::string>>{{"trace", "abc"}});
    }
    CHECK(runs[0].attempt == 1);
    CHECK(runs[1].attempt == 2);
    CHECK(test::eventually([&] { return db.is_empty(); }));
}

TEST_CASE("no worker can claim a delayed retry before its time, and any worker can afterwards", "[scenario][s28]") {
    database db;
    enqueuing_session s{db.options()};
    const auto lane = s.lanes({"again"});
    const auto id = s.enqueue(lane[0], {"payload"}, {.priority = 3});
    claiming_session one{db, lane}, two{db, lane};

    const auto before = steady::now();
    (void)one.settle(one.claim(1), {.kind = pgq::settle_kind::retry, .delay = 1s, .reason = "busy"});
    const auto early = two.promote_and_claim(1);
    if (steady::now() - before < 1s) CHECK(early.claimed() == 0);

    pgq::sync_reply got;
    REQUIRE(test::eventually([&] { return (got = two.promote_and_claim(1)).claimed() == 1; }));
    CHECK(steady::now() - before >= 1s);
    const auto& j = got.leases[0].jobs[0];
    CHECK(j.id == id[0]);
    CHECK(j.attempt == 2);
    CHECK(j.body == "payload");
    CHECK(j.rank.priority() == 3);
}

TEST_CASE("a worker starts a delayed retry on time, although nobody wakes it", "[scenario][s28][s29]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    const bool counts = GENERATE(true, false);
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) -> pgq::outcome {
                               seen.add(n.n, c);
                               if (seen.size() == 2) return pgq::done{};
                               if (counts) return pgq::retry_after{200ms};
                               return pgq::snooze{200ms};
                           }};
    (void)jobs.enqueue(note{.n = 1}).value();

    REQUIRE(test::eventually(20s, [&] { return seen.size() == 2; }));
    const auto runs = seen.all();
    CHECK(runs[1].attempt == (counts ? 2 : 1));
    CHECK(runs[1].at - runs[0].at >= 200ms);
    CHECK(test::eventually([&] { return db.is_empty(); }));
}

TEST_CASE("a job that always fails runs max_attempts times, after the delays of the back-off, and is then held",
          "[scenario][s29][s32][undisturbed]") {
    database db;
    test::note_queue<brisk> jobs{db.driver()};
    test::run_log seen;
    const auto id = jobs.enqueue(note{.n = 1}).value();
    test::running_worker w{jobs, pgq::worker_options{.max_attempts = 4, .poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) {
                               seen.add(n.n, c);
                               throw std::runtime_error{"no luck"};
                           }};
    REQUIRE(test::eventually([&] { return db.query_int("SELECT count(*) FROM {s}.deferred WHERE kind = 'h'") == 1; }));
    (void)w.stop();

    const auto runs = seen.all();
    REQUIRE(runs.size() == 4);
    const pgq::duration delays[] = {100ms, 200ms, 300ms};
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(runs[i + 1].attempt == runs[i].attempt + 1);
        CHECK(runs[i + 1].at - runs[i].at >= delays[i]);
        CHECK(runs[i + 1].at - runs[i].at < delays[i] + 10s);
    }
    const auto held = jobs.held<note>().value();
    REQUIRE(held.size() == 1);
    CHECK(held[0].id == id);
    CHECK(held[0].attempts == 4);
    CHECK(held[0].reason == "attempt 4 of 4 failed: no luck");
}

TEST_CASE("after its last attempt a job is held or dropped, as the worker's options say", "[scenario][s30]") {
    database db;
    test::note_queue<at_once> jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto failing = [](const note&) { throw std::runtime_error{"broken"}; };

    SECTION("held: no worker can claim it, a later program neither, and its reason can be read") {
        test::run_until_empty(jobs, {.max_attempts = 1}, failing);
        test::note_queue<at_once> later{db.driver()};
        test::run_log seen;
        test::run_until_empty(later, {.until = pgq::run_until::drained},
                              [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
        CHECK(seen.size() == 0);
        const auto held = later.held<note>().value();
        REQUIRE(held.size() == 1);
        CHECK(held[0].reason.find("broken") != std::string::npos);
    }
    SECTION("dropped: it is gone from the database") {
        test::run_until_empty(jobs, {.max_attempts = 1, .on_exhausted = pgq::exhausted::drop}, failing);
        CHECK(db.is_empty());
    }
}

TEST_CASE("a requeued job has all attempts again, and wakes a sleeping worker", "[scenario][s31][direct]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    const auto held = jobs.enqueue(note{.n = 1}).value();
    test::run_until_empty(jobs, {}, [](const note&) -> pgq::outcome { return pgq::hold{"look at this"}; });
    REQUIRE(jobs.held<note>().value().size() == 1);

    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    CHECK(jobs.requeue(held).value() == 1);
    REQUIRE(test::eventually([&] { return seen.size() == 1; }));
    CHECK(seen.all()[0].id == held);
    CHECK(seen.all()[0].attempt == 1);
    CHECK(test::eventually([&] { return db.is_empty(); }));
}

TEST_CASE("a requeue of a job that is ready, delayed, running or gone changes nothing", "[scenario][s31]") {
    database db;
    enqueuing_session s{db.options()};
    const auto lane = s.lanes({"untouched"});
    claiming_session c{db, lane};
    const auto running = s.enqueue(lane[0], {"running"});
    const auto lease = c.claim(1);
    const auto waiting = s.enqueue(lane[0], {"waiting"});
    const auto delayed = s.enqueue(lane[0], {"delayed"}, {.run_at = pgq::in(1h)});

    const std::array ids{running[0], waiting[0], delayed[0], pgq::job_id{1'000'000}};
    CHECK(s.line().requeue(ids).value() == 0);
    CHECK(s.line().counts(lane[0]).value() == pgq::lane_counts{.ready = 1, .deferred = 1, .leased = 1, .held = 0});
    CHECK(c.finish(lease).lost.empty());
}

TEST_CASE("a job is settled even if its error text cannot be stored unchanged, and so are other jobs of its batch",
          "[scenario][s33]") {
    database db;
    test::note_queue<at_once> jobs{db.driver(), {}, pgq::executor::thread_pool{2}};
    (void)jobs.enqueue(test::notes(12)).value();
    test::run_log seen;
    const std::string giant(10'000'000, 'x');
    test::run_until_empty(jobs, {.max_attempts = 1}, [&](const note& n, const pgq::context& c) -> pgq::outcome {
        seen.add(n.n, c);
        if (n.n == 4) throw std::runtime_error{"bad \xff\xfe\xc3( " + giant};
        if (n.n == 5) return pgq::hold{std::string{"zero \0 inside", 13}};
        if (n.n == 6) return pgq::retry_after{0s, std::string{"\0\xed\xa0\x80", 4} + giant};
        return pgq::done{};
    });

    CHECK(seen.each_ran_once(12));
    CHECK(db.rows("ready") == 0);
    CHECK(db.rows("lease") == 0);
    const auto held = jobs.held<note>().value();
    REQUIRE(held.size() == 3);
    CHECK(held[0].reason.find("bad ") != std::string::npos);
    CHECK(held[1].reason.find("zero ") == 0);
    for (const auto& h : held) CHECK(h.reason.size() < 100'000);
}

TEST_CASE("a job whose payload cannot be read is held with a reason, and other jobs are not affected",
          "[scenario][s33]") {
    database db;
    test::note_queue<> jobs{db.driver()};
    (void)jobs.enqueue(test::notes(10)).value();
    db.exec("INSERT INTO {s}.ready (lane, rank, body) SELECT lane, -1, '\\x7b00ff' FROM {s}.ready LIMIT 1");
    test::run_log seen;
    test::run_until_empty(jobs, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });

    CHECK(seen.each_ran_once(10));
    const auto held = jobs.held<note>().value();
    REQUIRE(held.size() == 1);
    CHECK(held[0].reason.find("payload") != std::string::npos);
}

}  // namespace scenarios_retry
