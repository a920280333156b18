// Promises of pq's documents that no other file here tests. The numbers are those of docs/design/scenarios.md: [pq-N]
// is the scenario, [pq-bug-N] the defect.

#include <pgq/backoff/none.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace scenarios_pq {

using namespace std::chrono_literals;
using test::claiming_session;
using test::database;
using test::enqueuing_session;
using test::letter;
using test::note;
using steady = std::chrono::steady_clock;

namespace {

using one_by_one =
    pgq::queue<note, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place, pgq::backoff::none>;

std::vector<std::int64_t> numbers(const test::run_log& seen) {
    std::vector<std::int64_t> all;
    for (const auto& s : seen.all()) all.push_back(s.n);
    return all;
}

pgq::time_point from_now(std::chrono::microseconds d) {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()) + d;
}

std::int64_t due(const database& db) {
    return db.query_int("SELECT count(*) FROM {s}.deferred WHERE run_at <= clock_timestamp()");
}

/// The median time of one claim.
class stopwatch {
public:
    template <class Claim>
    void time(Claim claim) {
        const auto before = steady::now();
        claim();
        all_.push_back(steady::now() - before);
    }
    steady::duration median() {
        std::nth_element(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(all_.size() / 2), all_.end());
        return all_[all_.size() / 2];
    }

private:
    std::vector<steady::duration> all_;
};

}  // namespace

TEST_CASE("ids rise by one with each job, and the handler gets the id that enqueue returned",
          "[scenario][pq-1][pq-2]") {
    const database db;
    one_by_one jobs{db.driver()};
    std::vector<std::int64_t> ids;
    for (std::int64_t n = 0; n < 10; ++n) {
        if (n % 3 == 0) (void)jobs.lanes().value();
        if (n % 2 == 0) ids.push_back(jobs.enqueue(note{.n = n, .text = "\xc3\xbc \"q\" \\ \n"}).value().value);
        else ids.push_back(jobs.enqueue(note{.n = n}, {.expected_at = pgq::in(1h)}).value().value);
    }
    for (std::size_t i = 1; i < ids.size(); ++i) CHECK(ids[i] == ids[i - 1] + 1);
    test::run_log seen;
    test::run_until_empty(jobs, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c, n.text); });
    CHECK(seen.each_ran_once(10));
    for (const auto& s : seen.all()) {
        CHECK(s.id.value == ids[static_cast<std::size_t>(s.n)]);
        CHECK(s.text == (s.n % 2 == 0 ? "\xc3\xbc \"q\" \\ \n" : ""));
    }
}

TEST_CASE("jobs run in the order of expected_at, those without it last, and no job waits for that time",
          "[scenario][pq-3]") {
    const database db;
    one_by_one jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 6}).value();
    (void)jobs.enqueue(note{.n = 2}, {.expected_at = pgq::in(2h)}).value();
    (void)jobs.enqueue(note{.n = 1}, {.expected_at = pgq::in(1h)}).value();
    (void)jobs.enqueue(note{.n = 5}, {.expected_at = pgq::at(from_now(5h))}).value();
    (void)jobs.enqueue(note{.n = 7}).value();
    (void)jobs.enqueue(note{.n = 4}, {.expected_at = pgq::in(4h)}).value();
    (void)jobs.enqueue(note{.n = 3}, {.expected_at = pgq::at(from_now(3h))}).value();
    CHECK(jobs.counts<note>().value().ready == 7);
    const auto before = steady::now();
    test::run_log seen;
    test::run_until_empty(jobs, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    CHECK(numbers(seen) == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7});
    CHECK(steady::now() - before < 1h);
    CHECK(jobs.counts<note>().value().ready == 0);
}

TEST_CASE("delayed jobs run at their times, in the order of these times", "[scenario][pq-4][pq-5]") {
    const database db;
    one_by_one jobs{db.driver()};
    test::run_log seen;
    const auto start = steady::now();
    (void)jobs.enqueue(note{.n = 3}, {.run_at = pgq::in(900ms)}).value();
    (void)jobs.enqueue(note{.n = 1}, {.run_at = pgq::in(300ms)}).value();
    (void)jobs.enqueue(note{.n = 2}, {.run_at = pgq::in(600ms)}).value();
    (void)jobs.enqueue(note{.n = 0}).value();
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    CHECK(test::eventually([&] { return seen.size() == 4; }));
    CHECK(numbers(seen) == std::vector<std::int64_t>{0, 1, 2, 3});
    for (const auto& s : seen.all()) CHECK(s.at - start >= s.n * 300ms);
}

TEST_CASE("a new job starts at once while other jobs wait for their time", "[scenario][pq-7][pq-bug-4][direct]") {
    const database db;
    one_by_one jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}, {.run_at = pgq::in(65s)}).value();
    (void)jobs.enqueue(note{.n = 2}, {.run_at = pgq::in(1h)}).value();
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    const auto before = steady::now();
    (void)jobs.enqueue(note{.n = 3}).value();
    REQUIRE(test::eventually([&] { return seen.size() == 1; }));
    CHECK(seen.all()[0].n == 3);
    CHECK(seen.all()[0].at - before < 10s);
    CHECK(db.rows("deferred") == 2);
}

TEST_CASE("notifications of other programs neither wake a waiting worker nor make its wait longer",
          "[scenario][pq-8][pq-bug-2][direct]") {
    const database db;
    enqueuing_session s{db.options()};
    const auto lane = s.lanes({"quiet"});
    claiming_session c{db, lane};
    c.subscribe_wakes();
    std::jthread noise{[&](std::stop_token stop) {
        const test::sql_connection mine{test::dsn(), db.schema()};
        while (!stop.stop_requested()) (void)mine.exec("SELECT pg_notify('quiet', 'x'), pg_notify('pgq_jobs', 'y')");
    }};
    const auto before = steady::now();
    CHECK_FALSE(c.receives_wake(700ms));
    const auto took = steady::now() - before;
    CHECK(took >= 700ms);
    CHECK(took < 10s);
}

TEST_CASE("counts tell jobs that are due from jobs that are not, and a job becomes due without a call",
          "[scenario][pq-15]") {
    const database db;
    one_by_one jobs{db.driver()};
    const auto due_now = [&] { return jobs.counts<note>().value().ready; };
    CHECK(due_now() == 0);
    (void)jobs.enqueue(note{.n = 1}).value();
    CHECK(due_now() == 1);
    (void)jobs.enqueue(note{.n = 2}, {.run_at = pgq::in(500ms)}).value();
    CHECK(jobs.counts<note>().value().deferred == 1);
    (void)jobs.enqueue(note{.n = 3}).value();
    CHECK(due_now() == 2);
    test::run_log seen;
    test::run_until_empty(jobs, {.until = pgq::run_until::drained},
                          [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    CHECK(seen.each_ran_once(3));
    CHECK(due_now() == 0);
}

TEST_CASE("no table has a row of a finished job", "[scenario][pq-15][pq-bug-14]") {
    const database db;
    one_by_one jobs{db.driver()};
    const std::array headers{pgq::header{"a", "b"}};
    (void)jobs.enqueue(test::notes(300), {.headers = headers}).value();
    test::run_until_empty(jobs, {}, [](const note&) {});
    for (const char* table : {"ready", "deferred", "lease", "worker"}) CHECK(db.rows(table) == 0);
    CHECK(db.rows("job") == 0);
}

TEST_CASE("four consumers take each job of eight producers exactly once", "[scenario][pq-16]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    test::run_log seen;
    const auto handler = [&](const note& n, const pgq::context& c) { seen.add(n.n, c); };
    using consumer = test::running_worker<test::note_queue<>, decltype(handler)>;
    std::vector<std::unique_ptr<consumer>> consumers;
    for (int i = 0; i < 4; ++i) consumers.push_back(std::make_unique<consumer>(jobs, pgq::worker_options{}, handler));
    {
        std::vector<std::jthread> producers;
        for (std::int64_t p = 0; p < 8; ++p)
            producers.emplace_back([&db, p] {
                test::note_queue<> mine{db.driver()};
                for (std::int64_t n = 0; n < 100; ++n) (void)mine.enqueue(note{.n = p * 100 + n}).value();
            });
    }
    CHECK(test::eventually([&] { return seen.size() >= 800 && db.is_empty(); }));
    for (auto& c : consumers) CHECK(c->stop().has_value());
    CHECK(seen.each_ran_once(800));
}

TEST_CASE("a delayed job that is due runs by its deadline, before jobs without one", "[scenario][pq-28][pq-bug-9]") {
    const database db;
    enqueuing_session s{db.options()};
    const auto lane = s.lanes({"mixed"});
    (void)s.enqueue(lane[0], {"unexpected"});
    (void)s.enqueue(lane[0], {"later"}, {.expected_at = pgq::in(2h)});
    // The time is in the past: the job is due at once, and has both values.
    (void)s.enqueue(lane[0], {"soon"}, {.run_at = pgq::in(-1h), .expected_at = pgq::in(1h)});
    (void)s.enqueue(lane[0], {"first"}, {.run_at = pgq::in(200ms), .expected_at = pgq::in(1min)});
    CHECK(s.ready(lane[0]) == 3);
    REQUIRE(test::eventually([&] { return due(db) == 1; }));
    claiming_session c{db, lane};
    const auto got = c.promote_and_claim(10);
    REQUIRE(got.leases.size() == 1);
    std::vector<std::string> order;
    for (const auto& j : got.leases[0].jobs) order.emplace_back(j.body);
    CHECK(order == std::vector<std::string>{"first", "soon", "later", "unexpected"});
}

TEST_CASE("a worker that stops when the queue is empty runs jobs that are already due", "[scenario][pq-5]") {
    const database db;
    one_by_one jobs{db.driver()};
    (void)jobs.enqueue(note{.n = 1}, {.run_at = pgq::in(100ms)}).value();
    REQUIRE(test::eventually([&] { return due(db) == 1; }));
    test::run_log seen;
    test::run_until_empty(jobs, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    CHECK(seen.size() == 1);
}

TEST_CASE("a delayed job starts by its priority even if its worker is never idle", "[scenario][pq-5][pq-bug-9]") {
    const database db;
    one_by_one jobs{db.driver()};
    (void)jobs.enqueue(test::notes(4000)).value();
    (void)jobs.enqueue(note{.n = 9999}, {.priority = 1, .run_at = pgq::in(200ms)}).value();
    std::size_t before = 0, ran = 0;
    bool met = false;
    test::running_worker w{jobs, pgq::worker_options{}, [&](const note& n, const pgq::context& c) {
                               if (n.n == 9999) before = ran, met = true;
                               ++ran;
                               if (!met) (void)test::always(1ms, [&] { return !c.stop_token().stop_requested(); });
                           }};
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(w.stop().has_value());
    CHECK(ran == 4001);
    CHECK(before < 2000);
}

TEST_CASE("a failing job delays no other, and with two retries it runs three times with its id, priority and deadline",
          "[scenario][pq-27][pq-bug-10]") {
    const database db;
    one_by_one jobs{db.driver()};
    const std::array headers{pgq::header{"trace", "abc"}};
    const auto deadline = from_now(1h);
    const auto id =
        jobs.enqueue(note{.n = 1}, {.priority = 3, .expected_at = pgq::at(deadline), .headers = headers}).value();
    const auto rank = [&](const char* table) {
        return db.query_int(std::string{"SELECT rank FROM {s}."} + table + " WHERE id = " + std::to_string(id.value));
    };
    const auto before = rank("ready");
    (void)jobs.enqueue(note{.n = 2}).value();
    test::run_log seen;
    std::vector<std::optional<pgq::time_point>> deadlines;
    test::run_until_empty(jobs, {.max_attempts = 3}, [&](const note& n, const pgq::context& c) {
        seen.add(n.n, c);
        if (n.n != 1) return;
        deadlines.push_back(c.deadline());
        throw std::runtime_error{"no"};
    });
    CHECK(seen.runs() == std::map<std::int64_t, int>{{1, 3}, {2, 1}});
    for (const auto& s : seen.all()) {
        if (s.n != 1) continue;
        CHECK(s.id == id);
        CHECK(s.priority == 3);
        CHECK(s.headers.size() == 1);
    }
    for (const auto& d : deadlines) CHECK(d == std::chrono::floor<std::chrono::milliseconds>(deadline));
    CHECK(rank("deferred") == before);
}

TEST_CASE("a job of an entrypoint that a worker does not know waits for a worker that does", "[scenario][pq-26]") {
    const database db;
    pgq::queue<note, letter, pgq::driver::libpq, pgq::serializer::json> producer{db.driver()};
    one_by_one old{db.driver()};
    (void)producer.enqueue(letter{.n = 1}).value();
    (void)producer.enqueue(note{.n = 2}).value();
    test::run_log seen;
    test::run_until_empty(old, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    CHECK(numbers(seen) == std::vector<std::int64_t>{2});
    CHECK(producer.counts<letter>().value().ready == 1);
    CHECK(db.query_int("SELECT attempts FROM {s}.ready") == 0);
}

TEST_CASE("a claim from a lane of a hundred thousand jobs takes at most twice the time of one from a short lane",
          "[scenario][slow][pq-29][pq-bug-13]") {
    const database db;
    enqueuing_session s{db.options()};
    const auto lanes = s.lanes({"short", "long"});
    for (int i = 0; i < 100; ++i) (void)s.enqueue(lanes[1], std::vector<std::string>(1000, "a body of a usual length"));
    (void)s.enqueue(lanes[0], std::vector<std::string>(250, "a body of a usual length"));
    claiming_session few{db, {lanes[0]}}, many{db, {lanes[1]}};
    const auto take = [](claiming_session& c) { (void)c.finish(c.claim(1)); };
    for (int i = 0; i < 20; ++i) take(few), take(many);
    stopwatch of_few, of_many;
    for (int i = 0; i < 200; ++i) {
        of_few.time([&] { take(few); });
        of_many.time([&] { take(many); });
    }
    const auto once = of_few.median(), long_lane = of_many.median();
    WARN("a claim and its acknowledgement: " << once / 1us << " us of a short lane, " << long_lane / 1us
                                             << " us of a long one");
    CHECK(long_lane <= 2 * once);
}

}  // namespace scenarios_pq
