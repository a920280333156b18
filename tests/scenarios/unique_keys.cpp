#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <pgq/driver/pq/session/caller_transaction.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace scenarios_unique_keys {

using namespace std::chrono_literals;
using pgq::unique;
using test::database;
using test::letter;
using test::note;

namespace {

using queue = pgq::queue<note, letter, pgq::driver::libpq, pgq::serializer::json>;

}  // namespace

TEST_CASE("if a call has one key twice, the first job wins, the second gets its id, and jobs without keys are enqueued",
          "[scenario][unique][pgq5][pgq7]") {
    const database db;
    queue jobs{db.driver()};
    const auto all =
        jobs.enqueue(test::notes(4),
                     [](const note& n) {
                         return pgq::enqueue_options{.unique_key = n.n % 2 == 0 ? unique{"even"} : unique{}};
                     })
            .value();
    CHECK(all[2] == all[0]);
    CHECK(all.is_new(0));
    CHECK(all.is_new(1));
    CHECK_FALSE(all.is_new(2));
    CHECK(all.is_new(3));
    CHECK(db.rows("ready") == 3);
}

TEST_CASE("of ten producers with one key exactly one enqueues a new job, and with or_fail exactly one succeeds",
          "[scenario][unique][pgq6]") {
    const database db;
    for (const bool fail : {false, true}) {
        std::atomic<int> fresh{0}, refused{0};
        std::vector<std::jthread> producers;
        for (int i = 0; i < 10; ++i)
            producers.emplace_back([&] {
                queue jobs{db.driver()};
                const unique key{fail ? "loud" : "quiet"};
                const auto put = jobs.enqueue(note{}, {.unique_key = fail ? key.or_fail() : key});
                if (put && put->is_new()) ++fresh;
                if (!put && put.error() == pgq::errc::duplicate_key) ++refused;
            });
        producers.clear();
        CHECK(fresh == 1);
        CHECK(refused == (fail ? 9 : 0));
    }
    CHECK(db.rows("ready") == 2);
}

TEST_CASE("with or_fail a call enqueues nothing, and the error names the key and the job that has it",
          "[scenario][unique]") {
    const database db;
    queue jobs{db.driver()};
    const auto first = jobs.enqueue(note{}, {.unique_key = "naïve \"key\""}).value();
    const auto put = jobs.enqueue(test::notes(3), [](const note& n) {
        return pgq::enqueue_options{.unique_key = n.n == 1 ? unique{"naïve \"key\""}.or_fail() : unique{}};
    });
    REQUIRE(put.error() == pgq::errc::duplicate_key);
    CHECK(put.error().message.find("naïve \"key\"") != std::string::npos);
    CHECK(put.error().detail.find(std::to_string(first.value)) != std::string::npos);
    CHECK(db.rows("ready") == 1);
}

TEST_CASE("a key belongs to one queue and one entrypoint", "[scenario][unique]") {
    const database db;
    queue jobs{db.driver()}, others{db.driver(), {.name = "others"}};
    CHECK(jobs.enqueue(note{}, {.unique_key = "k"}).value().is_new());
    CHECK(jobs.enqueue(letter{}, {.unique_key = "k"}).value().is_new());
    CHECK(others.enqueue(note{}, {.unique_key = "k"}).value().is_new());
    CHECK_FALSE(jobs.enqueue(note{}, {.unique_key = "k"}).value().is_new());
}

TEST_CASE("a key may have any length and any text", "[scenario][unique]") {
    const database db;
    queue jobs{db.driver()};
    std::string long_key(100'000, 'x');
    for (int i = 0; i < 100'000; i += 7) long_key[static_cast<std::size_t>(i)] = static_cast<char>('a' + i % 26);
    const std::vector<std::string> keys{long_key, long_key + "!", "'; DROP TABLE x; --", "日本語\n\"%\\"};
    for (const std::string& key : keys) {
        CHECK(jobs.enqueue(note{}, {.unique_key = key}).value().is_new());
        CHECK_FALSE(jobs.enqueue(note{}, {.unique_key = key}).value().is_new());
    }
}

TEST_CASE("a job keeps its key over retries and rescues until it has finished, and the next job with that key is new",
          "[scenario][unique]") {
    const database db;
    queue jobs{db.driver()};
    const auto fresh = [&] { return jobs.enqueue(note{}, {.unique_key = "k"}).value().is_new(); };
    REQUIRE(fresh());
    test::claiming_session c{db, jobs.lanes().value()};
    auto claimed = c.claim(1);
    CHECK_FALSE(fresh());
    const pgq::settlement again{.kind = pgq::settle_kind::retry, .reason = "again"};
    const auto settle = [&](const pgq::settlement& how) {
        const pgq::lease_progress p{
            .ref = claimed.leases.at(0).ref, .last = true, .mask = "\1", .items = {&how, 1}, .flagged = true};
        CHECK(c.sync({.progressed = {&p, 1}}).lost.empty());
    };
    settle(again);
    CHECK_FALSE(fresh());
    claimed = c.claim(1);
    REQUIRE(claimed.leases.at(0).jobs[0].flags == pgq::flag_tracked);
    settle({.kind = pgq::settle_kind::done});
    CHECK(db.rows("unique_key") == 0);
    CHECK(fresh());
}

TEST_CASE("while_waiting frees the key when the job starts", "[scenario][unique]") {
    const database db;
    queue jobs{db.driver()};
    const auto fresh = [&] {
        return jobs.enqueue(note{}, {.unique_key = unique{"k"}.while_waiting()}).value().is_new();
    };
    REQUIRE(fresh());
    CHECK_FALSE(fresh());
    test::claiming_session c{db, jobs.lanes().value()};
    const auto one = c.claim(1);
    CHECK(fresh());
    CHECK_FALSE(fresh());
    CHECK(db.rows("ready") == 1);
}

TEST_CASE("a job that a transaction finds waiting by its key does not start before that transaction ends",
          "[scenario][unique]") {
    const database db;
    queue jobs{db.driver()};
    (void)jobs.enqueue(note{}, {.unique_key = unique{"k"}.while_waiting()}).value();
    test::sql_connection mine{test::dsn(), db.schema()};
    (void)mine.exec("BEGIN");
    CHECK(jobs.enqueue(pgq::within(mine.get()), note{}, {.unique_key = unique{"k"}.while_waiting()}).has_value());
    test::claiming_session c{db, jobs.lanes().value()};
    CHECK(c.claim(1).claimed() == 0);  // it would not see the rows of this transaction
    (void)mine.exec("COMMIT");
    CHECK(c.claim(1).claimed() == 1);
}

TEST_CASE("a unique period goes on after the job's end, and ends at its time", "[scenario][unique]") {
    const database db;
    queue jobs{db.driver()};
    const auto fresh = [&](pgq::duration d) {
        return jobs.enqueue(note{}, {.unique_key = unique{"k"}.during(d)}).value().is_new();
    };
    const auto period = [&] {
        return db.query_text(
            "SELECT extract(epoch FROM k.until - r.enqueued_at)::int8 FROM {s}.unique_key k"
            " JOIN {s}.ready r ON r.id = k.job_id");
    };
    REQUIRE(fresh(1h));
    CHECK(period() == "3600");
    test::run_until_empty(
        jobs, {}, [](const note&) {}, [](const letter&) {});
    CHECK(db.is_empty());
    CHECK_FALSE(fresh(1h));
    db.exec("UPDATE {s}.unique_key SET until = now()");
    CHECK(fresh(2h));
    CHECK(period() == "7200");
}

TEST_CASE("or_replace changes the payload of a waiting job, and enqueues a new job if the old one runs",
          "[scenario][unique]") {
    const database db;
    queue jobs{db.driver()};
    const auto put = [&](std::int64_t n) {
        return jobs.enqueue(note{.n = n}, {.unique_key = unique{"k"}.or_replace()}).value();
    };
    const auto first = put(1), second = put(2);
    CHECK(second == first);
    CHECK_FALSE(second.is_new());
    test::claiming_session c{db, jobs.lanes().value()};
    const auto claimed = c.claim(1);
    CHECK(claimed.leases.at(0).jobs.at(0).body.find("\"n\":2") != std::string_view::npos);
    const auto third = put(3);
    CHECK(third.is_new());
    CHECK(put(4) == third);
    CHECK(c.claim(1).leases.at(0).jobs.at(0).body.find("\"n\":4") != std::string_view::npos);
}

TEST_CASE("or_debounce also moves the waiting job to the new time", "[scenario][unique]") {
    const database db;
    queue jobs{db.driver()};
    const auto put = [&](pgq::when at, std::int64_t n) {
        return jobs.enqueue(note{.n = n}, {.run_at = at, .unique_key = unique{"k"}.or_debounce()}).value();
    };
    const auto id = put(pgq::in(1min), 1);
    CHECK(put(pgq::in(1h), 2) == id);
    CHECK(db.query_int("SELECT (run_at > now() + interval '30 minutes')::int FROM {s}.deferred") == 1);
    CHECK(put({}, 3) == id);
    CHECK(db.rows("deferred") == 0);
    test::run_log seen;
    test::run_until_empty(
        jobs, {}, [&](const note& n, pgq::context& c) { seen.add(n.n, c); }, [](const letter&) {});
    CHECK(seen.runs() == std::map<std::int64_t, int>{{3, 1}});
}

TEST_CASE("an enqueue waits for a transaction with the same key, and enqueues its job if that rolls back",
          "[scenario][unique]") {
    const database db;
    queue jobs{db.driver()};
    (void)jobs.lanes().value();
    for (const bool commits : {false, true}) {
        const std::string key = commits ? "kept" : "given back";
        test::sql_connection mine{test::dsn(), db.schema()};
        (void)mine.exec("BEGIN");
        REQUIRE(jobs.enqueue(pgq::within(mine.get()), note{}, {.unique_key = key}).has_value());
        auto other = std::async(std::launch::async, [&] {
            queue second{db.driver()};
            return second.enqueue(note{}, {.unique_key = key}).value().is_new();
        });
        CHECK(test::eventually([&] { return db.count_sessions("wait_event_type = 'Lock'") == 1; }));
        (void)mine.exec(commits ? "COMMIT" : "ROLLBACK");
        CHECK(other.get() == !commits);
    }
    CHECK(db.rows("ready") == 2);
    CHECK(db.rows("unique_key") == 2);
}

TEST_CASE("a held job gives up its key, and a requeue takes the key again or leaves the job held",
          "[scenario][unique]") {
    const database db;
    queue jobs{db.driver()};
    const auto first = jobs.enqueue(note{}, {.unique_key = "k"}).value();
    test::run_until_empty(
        jobs, {}, [](const note&) -> pgq::outcome { return pgq::hold{"look"}; }, [](const letter&) {});
    REQUIRE(jobs.held<note>().value().size() == 1);
    const auto second = jobs.enqueue(note{}, {.unique_key = "k"}).value();
    CHECK(second.is_new());
    CHECK(jobs.requeue(first).value() == 0);
    CHECK(jobs.held<note>().value().size() == 1);
    CHECK(jobs.cancel(second).value().removed == 1);
    CHECK(jobs.requeue(first).value() == 1);
    CHECK_FALSE(jobs.enqueue(note{}, {.unique_key = "k"}).value().is_new());
}

}  // namespace scenarios_unique_keys
