// Promises of pgjobq's documents that no other file here tests. The numbers are those of docs/design/scenarios.md:
// [pgjobq-N] is the scenario, [pgjobq-bug-N] the defect.

#include <pgq/backoff/exponential.hpp>
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
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace scenarios_pgjobq {

using namespace std::chrono_literals;
using test::database;
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

std::vector<std::int64_t> count_to(std::int64_t n) {
    std::vector<std::int64_t> all;
    for (std::int64_t i = 0; i < n; ++i) all.push_back(i);
    return all;
}

/// Starts at 200 ms and doubles.
struct doubling {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int attempt) const noexcept {
        return pgq::backoff::exponential{.first = 200ms, .factor = 2, .cap = 10s}.delay(attempt);
    }
};
struct constant_delay {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int attempt) const noexcept {
        return pgq::backoff::exponential{.first = 200ms, .factor = 1, .cap = 10s}.delay(attempt);
    }
};

template <class Backoff>
std::vector<pgq::duration> gaps(const database& db) {
    pgq::queue<note, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place, Backoff> jobs{db.driver()};
    (void)jobs.enqueue(note{}).value();
    test::run_log seen;
    std::vector<steady::time_point> ended;
    test::run_until_empty(jobs, {.max_attempts = 4, .poll_interval = 10min, .until = pgq::run_until::drained},
                          [&](const note& n, const pgq::context& c) {
                              seen.add(n.n, c);
                              ended.push_back(steady::now());
                              throw std::runtime_error{"no"};
                          });
    std::vector<pgq::duration> found;
    const auto runs = seen.all();
    for (std::size_t i = 1; i < runs.size(); ++i) found.push_back(runs[i].at - ended[i - 1]);
    return found;
}

}  // namespace

TEST_CASE("an option out of its range is an error, and no job runs", "[scenario][pgjobq-2]") {
    const database db;
    one_by_one jobs{db.driver()};
    (void)jobs.enqueue(note{}).value();
    const auto o = GENERATE(pgq::worker_options{.max_attempts = 0}, pgq::worker_options{.lease_time = 50ms},
                            pgq::worker_options{.poll_interval = 0ms}, pgq::worker_options{.grace = -1s});
    bool ran = false;
    pgq::worker w{jobs, o, [&](const note&) { ran = true; }};
    CHECK(w.run().error() == pgq::errc::invalid_option);
    CHECK_FALSE(ran);
    CHECK(db.rows("ready") == 1);
    CHECK(db.has_no_worker());
}

TEST_CASE("jobs that are enqueued one by one run in that order, whatever the prefetch",
          "[scenario][pgjobq-5][pgjobq-bug-1]") {
    const database db;
    one_by_one jobs{db.driver()};
    for (const auto& n : test::notes(100)) (void)jobs.enqueue(n).value();
    test::run_log seen;
    const std::uint32_t prefetch = GENERATE(0u, 1u, 10u, 1000u);
    test::run_until_empty(jobs, {.max_prefetch = prefetch},
                          [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    CHECK(numbers(seen) == count_to(100));
}

TEST_CASE("jobs run in the order of their enqueues while a worker waits for them",
          "[scenario][pgjobq-5][pgjobq-bug-1]") {
    const database db;
    one_by_one jobs{db.driver()};
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    for (const auto& n : test::notes(100)) (void)jobs.enqueue(n).value();
    CHECK(test::eventually([&] { return seen.size() == 100; }));
    CHECK(numbers(seen) == count_to(100));
}

TEST_CASE("the observer gets the text of a handler's exception, and the job runs again as its second attempt",
          "[scenario][pgjobq-6]") {
    struct listener {
        using policy_category = pgq::observer_tag;
        std::vector<std::string>* reasons = nullptr;
        void on(const pgq::event::job_finished& e) { reasons->emplace_back(e.reason); }
    };
    const database db;
    using queue = pgq::queue<note, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place,
                             pgq::backoff::none, listener>;
    std::vector<std::string> reasons;
    queue jobs{db.driver(), {}, {}, listener{&reasons}};
    const auto id = jobs.enqueue(note{.n = 5}).value();
    test::run_log seen;
    test::run_until_empty(jobs, {}, [&](const note& n, const pgq::context& c) {
        if (seen.add(n.n, c).attempt == 1) throw std::runtime_error{"the printer is on fire"};
    });
    REQUIRE(seen.size() == 2);
    CHECK(seen.all()[1].attempt == 2);
    CHECK(seen.all()[1].id == id);
    REQUIRE(reasons.size() == 2);
    CHECK(reasons[0] == "the printer is on fire");
    CHECK(reasons[1].empty());
}

TEST_CASE("run_at means the same moment in sessions of every time zone",
          "[scenario][pgjobq-14][pgjobq-bug-17][pq-23][direct]") {
    const database db;
    const auto in_zone = [&](const std::string& zone) {
        auto o = db.options();
        o.conninfo = database::settings_of(o.conninfo, "options", "-c TimeZone=" + zone);
        return o;
    };
    const auto [producer, consumer] = GENERATE(std::pair{"UTC", "America/New_York"}, std::pair{"Asia/Kolkata", "UTC"},
                                               std::pair{"America/New_York", "Pacific/Kiritimati"});
    one_by_one here{pgq::driver::libpq{in_zone(producer)}}, there{pgq::driver::libpq{in_zone(consumer)}};
    const auto noon = std::chrono::sys_days{std::chrono::year{2024} / 2 / 29} + 12h;
    const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    (void)here.enqueue(note{.n = 1}, {.run_at = pgq::at(noon)}).value();
    (void)here.enqueue(note{.n = 2}, {.run_at = pgq::at(now + 1h)}).value();
    (void)here.enqueue(note{.n = 3}, {.run_at = pgq::in(300ms), .expected_at = pgq::at(noon)}).value();
    const auto before = steady::now();
    test::run_log seen;
    std::optional<pgq::time_point> deadline;
    test::running_worker w{there, pgq::worker_options{.poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) {
                               if (n.n == 3) deadline = c.deadline();
                               seen.add(n.n, c);
                           }};
    CHECK(test::eventually([&] { return seen.size() == 2; }));
    CHECK(steady::now() - before < 10s);
    CHECK(numbers(seen) == std::vector<std::int64_t>{1, 3});
    CHECK(w.stop().has_value());
    CHECK(deadline == noon);
    CHECK(db.query_int("SELECT extract(epoch FROM run_at) * 1000000 FROM {s}.deferred") ==
          (now + 1h).time_since_epoch().count());
}

TEST_CASE("a waiting worker starts a new job at once, even with a poll interval of a minute",
          "[scenario][pgjobq-18][direct]") {
    const database db;
    one_by_one jobs{db.driver()};
    test::run_log seen;
    test::running_worker w{jobs, pgq::worker_options{.poll_interval = 1min},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    std::vector<pgq::duration> took;
    for (int i = 0; i < 5; ++i) {
        REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
        const auto before = steady::now();
        (void)jobs.enqueue(note{.n = i}).value();
        REQUIRE(test::eventually([&] { return seen.size() == static_cast<std::size_t>(i) + 1; }));
        took.push_back(seen.all().back().at - before);
    }
    std::sort(took.begin(), took.end());
    CHECK(took[2] < 10s);
}

TEST_CASE("batches that do not divide the number of jobs leave no job behind", "[scenario][pgjobq-19]") {
    const database db;
    one_by_one jobs{db.driver()};
    const std::int64_t count = GENERATE(1, 4, 5, 17);
    (void)jobs.enqueue(test::notes(count)).value();
    test::run_log seen;
    test::run_until_empty(jobs, {.max_prefetch = 1}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    CHECK(numbers(seen) == count_to(count));
    CHECK(db.is_empty());
}

TEST_CASE(
    "a worker may start before the first enqueue into its queue, and without an installation both calls return an "
    "error",
    "[scenario][pgjobq-20][direct]") {
    const database db;
    test::run_log seen;
    one_by_one later{db.driver(), {.name = "nobody knows it yet"}};
    test::running_worker w{later, pgq::worker_options{.poll_interval = 10min},
                           [&](const note& n, const pgq::context& c) { seen.add(n.n, c); }};
    REQUIRE(test::eventually([&] { return db.subscribed_workers() == 1; }));
    one_by_one producer{db.driver(), {.name = "nobody knows it yet"}};
    (void)producer.enqueue(note{.n = 1}).value();
    CHECK(test::eventually([&] { return seen.size() == 1; }));
    CHECK(w.stop().has_value());

    auto nowhere = db.options();
    nowhere.schema += "_not_here";
    one_by_one lost{pgq::driver::libpq{nowhere}};
    CHECK(lost.enqueue(note{}).error() == pgq::errc::schema_missing);
    CHECK(lost.counts<note>().error() == pgq::errc::schema_missing);
    pgq::worker idle{lost, [](const note&) {}};
    CHECK(idle.run().error() == pgq::errc::schema_missing);
}

TEST_CASE("counts include a job that failed and will run again, and exclude a finished one",
          "[scenario][pgjobq-21][pgjobq-bug-14][pgjobq-bug-21]") {
    const database db;
    pgq::queue<note, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place, doubling> jobs{db.driver()};
    const auto all = [&] {
        const auto c = jobs.template counts<note>().value();
        return std::array{c.ready, c.leased, c.deferred, c.held};
    };
    using counted = std::array<std::int64_t, 4>;
    CHECK(all() == counted{0, 0, 0, 0});
    (void)jobs.enqueue(note{.n = 1}).value();
    (void)jobs.enqueue(note{.n = 2}).value();
    CHECK(all() == counted{2, 0, 0, 0});
    counted during{};
    test::run_until_empty(jobs, {.max_attempts = 2, .max_prefetch = 0}, [&](const note& n) {
        if (n.n == 2) throw std::runtime_error{"no"};
        during = all();
    });
    CHECK(during == counted{1, 1, 0, 0});
    CHECK(all() == counted{0, 0, 1, 0});
    test::run_until_empty(jobs, {.max_attempts = 2, .until = pgq::run_until::drained},
                          [](const note&) { throw std::runtime_error{"no"}; });
    CHECK(all() == counted{0, 0, 0, 1});
    CHECK(jobs.cancel(jobs.held<note>().value().at(0).id).value().removed == 1);
    CHECK(all() == counted{0, 0, 0, 0});
}

TEST_CASE(
    "a job whose attempts are used up is held with payload, headers and priority, and other queues are not affected",
    "[scenario][pgjobq-26][pgjobq-bug-7][pgjobq-bug-8]") {
    const database db;
    using queue = pgq::queue<note, letter, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place,
                             pgq::backoff::none>;
    queue red{db.driver(), {.name = "red"}}, blue{db.driver(), {.name = "blue"}}, green{db.driver(), {.name = "green"}};
    const std::array headers{pgq::header{"foo", "bar"}, pgq::header{"n", "1"}};
    const auto id = red.enqueue(note{.n = 1, .text = "body"}, {.priority = 7, .headers = headers}).value();
    (void)blue.enqueue(note{.n = 2}).value();
    (void)green.enqueue(letter{.n = 3}).value();
    const auto refuse = [](const auto&) { throw std::runtime_error{"no"}; };
    for (auto* q : {&red, &blue, &green})
        test::run_until_empty(
            *q, {.max_attempts = 1}, [&](const note& n) { refuse(n); }, [&](const letter& l) { refuse(l); });
    REQUIRE(red.held<note>().value().size() == 1);
    CHECK(blue.held<note>().value().size() == 1);
    CHECK(green.held<letter>().value().size() == 1);
    const auto held = red.held<note>().value()[0];
    CHECK(held.id == id);
    CHECK(held.attempts == 1);
    CHECK(held.body == "{\"n\":1,\"text\":\"body\"}");
    CHECK(red.requeue(id).value() == 1);
    test::run_log seen;
    test::run_until_empty(
        red, {}, [&](const note& n, const pgq::context& c) { seen.add(n.n, c, n.text); }, [](const letter&) {});
    REQUIRE(seen.size() == 1);
    const auto again = seen.all()[0];
    CHECK(again.text == "body");
    CHECK(again.priority == 7);
    CHECK(again.headers == std::vector<std::pair<std::string, std::string>>{{"n", "1"}, {"foo", "bar"}});
    CHECK(blue.held<note>().value().size() == 1);
}

TEST_CASE("the delay after a failure grows by the factor, and starts at the failure", "[scenario][pgjobq-32]") {
    const database db;
    const auto same = gaps<constant_delay>(db);
    REQUIRE(same.size() == 3);
    for (const auto g : same) CHECK(g >= 200ms);
    CHECK(*std::min_element(same.begin(), same.end()) < 390ms);
    const auto grown = gaps<doubling>(db);
    REQUIRE(grown.size() == 3);
    CHECK(grown[0] >= 200ms);
    CHECK(grown[1] >= 400ms);
    CHECK(grown[2] >= 800ms);
}

TEST_CASE("an exponential back-off accepts the factor 1.5", "[scenario][pgjobq-bug-20]") {
    const pgq::backoff::exponential b{.first = 1s, .factor = 1.5, .cap = 1h};
    CHECK(b.delay(1) == 1s);
    CHECK(b.delay(2) == 1500ms);
    CHECK(b.delay(3) == 2250ms);
}

TEST_CASE("thousands of short jobs with a short lease time harm neither the worker's connection nor its heartbeat",
          "[scenario][pgjobq-bug-5][undisturbed]") {
    const database db;
    test::note_queue<> jobs{db.driver()};
    test::event_counts seen = jobs.observer();
    std::atomic<std::int64_t> ran{0};
    test::running_worker w{jobs, pgq::worker_options{.lease_time = 500ms}, [&](const note&) { ++ran; }};
    const auto until = steady::now() + 2s;
    std::int64_t sent = 0;
    while (steady::now() < until || sent < 2000) {
        (void)jobs.enqueue(note{.n = sent++}).value();
        if (sent % 2 == 0) (void)jobs.enqueue(note{.n = sent++}).value();
    }
    CHECK(test::eventually([&] { return db.is_empty(); }));
    CHECK(w.stop().has_value());
    CHECK(ran >= sent);
    CHECK(seen->failed == 0);
    CHECK(seen->restored == 0);
}

}  // namespace scenarios_pgjobq
