#include <pgq/driver/memory.hpp>
#include <pgq/job/filter.hpp>
#include <pgq/limiter/global_concurrency.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace scenarios_poll {

using namespace std::chrono_literals;
using test::database;
using test::note;

namespace {

/// A delay so long that the test can see it.
struct an_hour {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int) const noexcept { return 1h; }
};

template <class Driver>
using queue_of = pgq::queue<note, Driver, pgq::serializer::json, test::event_counts, an_hour>;
using note_queue = queue_of<pgq::driver::libpq>;

struct oops : std::runtime_error {
    oops() : std::runtime_error{"oops"} {}
};

pgq::poll_options brief() { return {.timeout = 50ms}; }

/// Returns the only job that there is.
template <class Poller>
auto only(Poller& p) {
    auto job = p.next().value();
    REQUIRE(job);
    return std::move(*job);
}
int attempts_of(const database& db, const char* table) {
    return static_cast<int>(db.query_int(std::string{"SELECT attempts FROM {s}."} + table));
}

}  // namespace

TEST_CASE("an acknowledged job is gone from the database, and a poller returns jobs in order, whatever its prefetch",
          "[scenario][poll][pj4][pj5][pj19]") {
    database db;
    note_queue jobs{db.driver()};
    const std::uint32_t prefetch = GENERATE(1u, 2u, 10u);
    (void)jobs.enqueue(test::notes(25)).value();
    std::int64_t n = 0;
    for (auto& job : jobs.poll<note>({.timeout = 50ms, .prefetch = prefetch})) {
        CHECK(job->n == n++);
        CHECK(job.attempts() == 1);
        job.ack().value();
    }
    CHECK(n == 25);
    CHECK(db.is_empty());
    CHECK(db.rows("worker") == 1);  // the one that waits for all pollers of the queue
}

TEST_CASE(
    "an exception that leaves the loop reaches the caller, and the job runs again after its entrypoint's back-off",
    "[scenario][poll][pj6]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    CHECK_THROWS_AS(
        [&] {
            for (auto& job : jobs.poll<note>(brief())) {
                CHECK(job->n == 1);
                throw oops{};
            }
        }(),
        oops);
    REQUIRE(db.rows("deferred") == 1);
    CHECK(attempts_of(db, "deferred") == 1);
    CHECK(db.query_int("SELECT count(*) FROM {s}.deferred WHERE kind = 'r' AND run_at > now() + interval '50 min'") ==
          1);
    CHECK(db.query_text("SELECT reason FROM {s}.deferred") == "an exception ended its scope");
}

TEST_CASE("a retried job comes again, and its attempt counts", "[scenario][poll][pj6]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    auto p = jobs.poll<note>(brief());
    only(p).retry(0s, "not yet").value();
    auto again = only(p);
    CHECK(again.attempts() == 2);
    again.ack().value();
    CHECK(db.is_empty());
}

TEST_CASE("a job that goes out of scope unanswered is ready at once, and its attempt does not count",
          "[scenario][poll][pj7]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    auto p = jobs.poll<note>(brief());
    { const auto dropped = only(p); }
    CHECK(db.rows("ready") == 1);
    CHECK(attempts_of(db, "ready") == 0);
    CHECK(only(p).attempts() == 1);
}

TEST_CASE("a poller that closes gives its prefetched jobs back, and their attempts do not count",
          "[scenario][poll][pj8]") {
    database db;
    note_queue jobs{db.driver()}, other{db.driver()};
    (void)jobs.enqueue(test::notes(5)).value();
    for (auto& job : jobs.poll<note>({.prefetch = 5})) {
        CHECK(db.leased() == 5);
        job.ack().value();
        break;
    }
    CHECK(db.rows("lease") == 0);
    CHECK(db.rows("ready") == 4);
    CHECK(db.query_int("SELECT max(attempts) FROM {s}.ready") == 0);
    CHECK((*other.get<note>({.timeout = 0s}).value())->n == 1);
}

TEST_CASE("a job that runs longer than the lease time is delivered once while its poller lives",
          "[scenario][poll][pj9][pj10]") {
    database db;
    note_queue jobs{db.driver()}, other{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    auto p = jobs.poll<note>({.lease_time = 500ms});
    auto job = only(p);
    auto q = other.poll<note>({.timeout = 2s, .lease_time = 500ms});  // this poller sends heartbeats and rescues, too
    CHECK_FALSE(q.next().value());
    job.ack().value();
    CHECK(db.is_empty());
}

TEST_CASE("another poller gets the job of a poller that was taken for dead, whose own answer is refused",
          "[scenario][poll][pj33]") {
    database db;
    note_queue jobs{db.driver()}, other{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    auto p = jobs.poll<note>(brief());
    auto stale = only(p);
    db.exec("DELETE FROM {s}.worker");
    test::claiming_session rescuer{db, jobs.lanes().value()};
    CHECK(rescuer.line().rescue().value().returned == 1);
    auto q = other.poll<note>(brief());
    auto current = only(q);
    CHECK(current.attempts() == 2);
    CHECK(stale.ack().error() == pgq::errc::lease_lost);
    CHECK(stale.hold("whatever").error() == pgq::errc::lease_lost);
    CHECK(db.leased() == 1);
    current.ack().value();
    CHECK(db.is_empty());

    (void)jobs.enqueue(note{.n = 2}).value();
    only(p).ack().value();  // the poller has registered again
    CHECK(db.is_empty());
}

TEST_CASE("answers after a lost lease, after another answer, and after the poller's end are three different errors",
          "[scenario][poll][pj12]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(test::notes(2)).value();
    std::optional<pgq::polled_job<note>> late;
    {
        auto p = jobs.poll<note>(brief());
        auto twice = only(p);
        twice.ack().value();
        for (const auto& again : {twice.ack(), twice.retry(), twice.snooze(1s), twice.hold(""), twice.release()})
            CHECK(again.error() == pgq::errc::already_settled);
        late.emplace(only(p));
    }
    CHECK(late->ack().error() == pgq::errc::closed);
    CHECK(late->ack(pgq::within(db.connection())).error() == pgq::errc::closed);
    late.reset();
    CHECK(db.rows("ready") == 1);
    CHECK(attempts_of(db, "ready") == 0);
}

TEST_CASE("ten threads acknowledge fifteen polled jobs, and all of them are done", "[scenario][poll][pj13]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(test::notes(15)).value();
    auto p = jobs.poll<note>({.timeout = 200ms, .prefetch = 15});
    std::vector<pgq::polled_job<note>> all;
    while (auto job = p.next().value()) all.push_back(std::move(*job));
    REQUIRE(all.size() == 15);
    std::atomic<std::size_t> next{0};
    std::atomic<int> acked{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 10; ++i)
            threads.emplace_back([&] {
                for (auto mine = next++; mine < all.size(); mine = next++) acked += all[mine].ack() ? 1 : 0;
            });
    }
    CHECK(acked == 15);
    CHECK(db.is_empty());
}

TEMPLATE_TEST_CASE("each answer has its effect", "[scenario][poll]", pgq::driver::libpq, pgq::driver::memory) {
    database db;
    const auto driver = [&] {
        if constexpr (std::is_same_v<TestType, pgq::driver::libpq>) return db.driver();
        else return TestType{};
    }();
    queue_of<TestType> jobs{driver};
    (void)jobs.enqueue(note{.n = 1}).value();
    auto p = jobs.template poll<note>({.timeout = 50ms, .max_attempts = 2});
    const auto counts = [&] { return jobs.template counts<note>().value(); };
    SECTION("snooze delays the job, for 100 ms at least, and counts no attempt") {
        const auto snoozed_at = std::chrono::steady_clock::now();
        only(p).snooze(0ms).value();
        CHECK_FALSE(counts().leased);
        std::optional<pgq::polled_job<note>> again;
        REQUIRE(test::eventually([&] {
            if (auto job = p.next().value()) again.emplace(std::move(*job));
            return again.has_value();
        }));
        CHECK(again->attempts() == 1);
        CHECK(std::chrono::steady_clock::now() - snoozed_at >= 100ms);
    }
    SECTION("hold keeps the job with the reason") {
        only(p).hold(std::string{"why \0 \xff", 7}).value();
        const auto held = jobs.template held<note>().value();
        REQUIRE(held.size() == 1);
        CHECK(held[0].reason == "why \xE2\x90\x80 \xEF\xBF\xBD");
    }
    SECTION("discard deletes the job") {
        only(p).discard().value();
        CHECK(counts() == pgq::lane_counts{});
    }
    SECTION("retry without a delay uses the back-off of the entrypoint") {
        only(p).retry("no").value();
        CHECK(counts() == pgq::lane_counts{.deferred = 1});
    }
    SECTION("retry after the last attempt holds the job") {
        only(p).retry(0s, "first").value();
        only(p).retry(0s, "second").value();
        const auto held = jobs.template held<note>().value();
        REQUIRE(held.size() == 1);
        CHECK(held[0].reason == "second");
        CHECK(held[0].attempts == 2);
    }
    SECTION("release makes the job ready at once") {
        only(p).release().value();
        CHECK(only(p).attempts() == 1);
    }
}

TEMPLATE_TEST_CASE("a poller with a filter returns only matching jobs, and is woken by them",
                   "[scenario][poll][pj18][pj29][direct]", pgq::driver::libpq, pgq::driver::memory) {
    database db;
    const auto driver = [&] {
        if constexpr (std::is_same_v<TestType, pgq::driver::libpq>) return db.driver();
        else return TestType{};
    }();
    queue_of<TestType> jobs{driver}, other{driver};
    const std::array<pgq::header, 1> good{{{"foo", "GOOD one"}}}, bad{{{"foo", "BAD"}}};
    (void)jobs.enqueue(note{.n = 1}, {.headers = bad}).value();
    std::optional<std::int64_t> got;
    std::jthread taker{[&] {
        auto p = jobs.template poll<note>(
            {.timeout = 60s, .where = pgq::header_of("foo").like("GOOD%"), .poll_interval = 60s});
        auto job = p.next().value();
        if (job && job->ack()) got = (*job)->n;
    }};
    if constexpr (std::is_same_v<TestType, pgq::driver::libpq>)
        REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    const auto begun = std::chrono::steady_clock::now();
    (void)other.enqueue(note{.n = 2}, {.headers = bad}).value();
    (void)other.enqueue(note{.n = 3}, {.headers = good}).value();
    taker.join();
    CHECK(got == 3);
    CHECK(std::chrono::steady_clock::now() - begun < 10s);
    CHECK(jobs.template counts<note>().value() == pgq::lane_counts{.ready = 2});
}

TEST_CASE("when two threads poll, each job goes to one of them", "[scenario][poll]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(test::notes(200)).value();
    std::mutex mutex;
    std::multiset<std::int64_t> seen;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 2; ++i)
            threads.emplace_back([&] {
                for (auto& job : jobs.poll<note>({.timeout = 300ms, .prefetch = 7})) {
                    if (!job.ack()) continue;
                    const std::lock_guard lock{mutex};
                    seen.insert(job->n);
                }
            });
    }
    CHECK(seen.size() == 200);
    CHECK(std::set<std::int64_t>(seen.begin(), seen.end()).size() == 200);
    CHECK(db.is_empty());
}

TEST_CASE("a job that is acknowledged in the user's transaction is done when that commits", "[scenario][poll]") {
    database db;
    db.exec("CREATE TABLE {s}.written (n int8)");
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(test::notes(3)).value();
    auto p = jobs.poll<note>({.timeout = 50ms, .prefetch = 3, .lease_time = 500ms});
    auto first = only(p), second = only(p), third = only(p);
    db.exec("BEGIN");
    db.exec("INSERT INTO {s}.written VALUES (1)");
    first.ack(pgq::within(db.connection())).value();
    CHECK(first.ack().error() == pgq::errc::already_settled);
    second.ack().value();  // does not wait for the transaction above
    db.exec("COMMIT");
    CHECK(db.rows("lease") == 1);
    CHECK(db.rows("written") == 1);
    third.ack().value();
    CHECK(db.is_empty());
}

TEST_CASE("the outcome of a job that is acknowledged in the user's transaction is stored with that",
          "[scenario][poll]") {
    database db;
    note_queue jobs{db.driver()};
    const auto kept = jobs.enqueue(note{.n = 1}, {.keep_outcome = 1h}).value();
    auto p = jobs.poll<note>(brief());
    auto job = only(p);
    db.exec("BEGIN");
    job.ack(pgq::within(db.connection())).value();
    db.exec("COMMIT");
    CHECK(kept.wait(test::test_timeout).value().kind == pgq::end_kind::done);
}

TEST_CASE("a job that is acknowledged in a transaction that rolls back comes again after its poller's end",
          "[scenario][poll]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    {
        auto p = jobs.poll<note>({.timeout = 50ms, .lease_time = 200ms});
        auto job = only(p);
        db.exec("BEGIN");
        job.ack(pgq::within(db.connection())).value();
        db.exec("ROLLBACK");
    }
    note_queue other{db.driver()};
    auto q = other.poll<note>({.timeout = 30s, .lease_time = 200ms});  // its heartbeat rescues jobs of dead processes
    CHECK(only(q).attempts() == 2);
}

TEST_CASE("a transaction that acknowledges a job after its lease was lost cannot commit", "[scenario][poll]") {
    database db;
    db.exec("CREATE TABLE {s}.written (n int8)");
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}).value();
    auto p = jobs.poll<note>(brief());
    auto stale = only(p);
    db.exec("DELETE FROM {s}.worker");
    test::claiming_session rescuer{db, jobs.lanes().value()};
    CHECK(rescuer.line().rescue().value().returned == 1);
    db.exec("BEGIN");
    db.exec("INSERT INTO {s}.written VALUES (1)");
    CHECK(stale.ack(pgq::within(db.connection())).error() == pgq::errc::lease_lost);
    db.exec("COMMIT");
    CHECK(db.rows("written") == 0);
}

TEST_CASE("a poller whose idle connection was closed goes on with its jobs, and no call fails",
          "[scenario][poll][direct]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(test::notes(4)).value();
    auto p = jobs.poll<note>({.timeout = 50ms, .prefetch = 3});
    auto first = only(p), second = only(p);
    (void)db.end_sessions();
    first.ack().value();
    only(p).ack().value();
    second.ack().value();
    CHECK(test::eventually([&] { return jobs.counts<note>().has_value(); }));
    only(p).ack().value();
    CHECK(db.is_empty());
}

TEST_CASE("a poller holds a job that it cannot read, with the reason, and returns the next one",
          "[scenario][poll][undisturbed]") {
    database db;
    note_queue jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}, {.priority = 1}).value();
    db.exec("UPDATE {s}.ready SET body = 'no json'");
    (void)jobs.enqueue(note{.n = 2}).value();
    auto p = jobs.poll<note>(brief());
    CHECK(only(p)->n == 2);
    const auto held = jobs.held<note>().value();
    REQUIRE(held.size() == 1);
    CHECK_THAT(held[0].reason, Catch::StartsWith("the payload cannot be read: "));
    CHECK(jobs.observer()->errors == 1);
}

TEMPLATE_TEST_CASE("global limits count polled jobs, and an answer frees the job's slot", "[scenario][poll][direct]",
                   pgq::driver::libpq, pgq::driver::memory) {
    database db;
    const auto driver = [&] {
        if constexpr (std::is_same_v<TestType, pgq::driver::libpq>) return db.driver();
        else return TestType{};
    }();
    pgq::queue<pgq::job<note, pgq::limiter::global_concurrency<2>>, TestType, pgq::serializer::json> jobs{driver};
    (void)jobs.enqueue(test::notes(4)).value();
    auto p = jobs.template poll<note>({.timeout = 50ms}),
         q = jobs.template poll<note>({.timeout = 60s, .poll_interval = 60s});
    auto first = only(p), second = only(q);
    CHECK_FALSE(p.next().value());
    std::optional<std::int64_t> third;
    std::jthread waiting{[&] {
        if (auto job = q.next().value()) third = (*job)->n;
    }};
    if constexpr (std::is_same_v<TestType, pgq::driver::libpq>)
        REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    const auto begun = std::chrono::steady_clock::now();
    first.ack().value();
    waiting.join();
    CHECK(third == 2);
    CHECK(std::chrono::steady_clock::now() - begun < 10s);
    second.release().value();
    auto filtered = jobs.template poll<note>({.where = pgq::header_of("x").exists()});
    CHECK(filtered.next().error() == pgq::errc::invalid_option);
}

TEST_CASE("poll refuses options that are out of range", "[scenario][poll]") {
    database db;
    note_queue jobs{db.driver()};
    for (const auto& o : {pgq::poll_options{.timeout = -1s}, pgq::poll_options{.prefetch = 0},
                          pgq::poll_options{.where = pgq::header_of("\xff").exists()},
                          pgq::poll_options{.lease_time = 1ms}, pgq::poll_options{.max_attempts = 0}}) {
        auto p = jobs.poll<note>(o);
        CHECK_FALSE(p.next().has_value());
        CHECK_THROWS_AS(p.begin(), pgq::failure);
    }
    CHECK(db.has_no_worker());
}

}  // namespace scenarios_poll
