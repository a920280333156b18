#include <pgq/backoff/none.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/protocol/own_settings.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/worker_process.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace scenarios_settings {

using namespace std::chrono_literals;
using test::database;
using test::note;
using test::task;

namespace {

struct by_libpq {
    database db{};
    using driver = pgq::driver::libpq;
    driver make() const { return db.driver(); }
};
struct in_memory {
    pgq::driver::memory store{};
    using driver = pgq::driver::memory;
    driver make() const { return store; }
};
template <class Place, class... Policies>
using queue = pgq::queue<typename Place::driver, pgq::serializer::json, pgq::backoff::none, Policies...>;

using headers = std::vector<std::pair<std::string, std::string>>;

const headers both{{"pgq-max-attempts", "3"}, {"pgq-timeout", "1h"}};

headers sorted(headers all) {
    std::ranges::sort(all);
    return all;
}

// Runs the jobs until nothing is left. Each attempt fails at once.
template <class Queue>
test::run_log& fail_all(Queue& jobs, test::run_log& seen, std::int16_t max_attempts) {
    test::run_until_empty(jobs, {.max_attempts = max_attempts}, [&](const note& n, pgq::context& c) {
        seen.add(n.n, c);
        throw std::runtime_error{"no"};
    });
    return seen;
}

}  // namespace

TEMPLATE_TEST_CASE(
    "a job keeps its own attempts and timeout through retries, as a dead letter, and after it is requeued",
    "[scenario][settings]", by_libpq, in_memory) {
    const TestType place;
    const auto id = [&] {
        queue<TestType, note> producer{place.make()};
        return producer.enqueue(note{.n = 1}, {.max_attempts = 3, .timeout = 1h}).value();
    }();
    queue<TestType, note> jobs{place.make()};  // another program
    for (const int round : {1, 2}) {
        CAPTURE(round);
        test::run_log seen;
        const auto runs = fail_all(jobs, seen, 7).all();
        REQUIRE(runs.size() == 3);
        for (const auto& run : runs) CHECK(sorted(run.headers) == both);
        const auto held = jobs.template held<note>().value();
        REQUIRE(held.size() == 1);
        CHECK(held[0].id == id);
        CHECK(held[0].reason == "attempt 3 of 3 failed: no");
        CHECK(jobs.requeue(id).value() == 1);
    }
    queue<TestType, note> dead{place.make(), {.name = "dead"}};
    jobs.template dead_letters<note>("dead").value();
    test::run_log seen;
    CHECK(fail_all(jobs, seen, 7).size() == 3);
    CHECK(fail_all(dead, seen, 7).size() == 6);
}

TEMPLATE_TEST_CASE("each way to enqueue stores the settings of a job", "[scenario][settings]", by_libpq, in_memory) {
    const TestType place;
    queue<TestType, note> jobs{place.make()};
    const pgq::enqueue_options twice{.max_attempts = 2};
    std::vector<note> many;
    for (std::int64_t n = 100; n < 120; ++n) many.push_back({.n = n});
    jobs.enqueue(note{.n = 1}, twice).value();
    jobs.enqueue({note{.n = 2}, note{.n = 3}}, twice).value();
    jobs.enqueue(many, {.max_attempts = 2, .packed = true}).value();
    jobs.enqueue(std::vector{note{.n = 4}, note{.n = 5}},
                 [](const note& n) { return pgq::enqueue_options{.max_attempts = static_cast<int>(n.n) - 2}; })
        .value();
    jobs.chain(note{.n = 6}, twice)
        .then(note{.n = 7}, {.if_parent_fails = pgq::parent_failure::run, .max_attempts = 1})
        .enqueue()
        .value();
    jobs.transaction([&](auto& tx) { return tx.enqueue(note{.n = 8}, twice); }).value();
    test::run_log seen;
    auto runs = fail_all(jobs, seen, 5).runs();
    for (std::int64_t n = 100; n < 120; ++n) CHECK(std::exchange(runs[n], 0) == 2);
    std::erase_if(runs, [](const auto& r) { return r.second == 0; });
    CHECK(runs == std::map<std::int64_t, int>{{1, 2}, {2, 2}, {3, 2}, {4, 2}, {5, 3}, {6, 2}, {7, 1}, {8, 2}});
}

TEMPLATE_TEST_CASE("settings of a type decide when its jobs start and how long their ends are known",
                   "[scenario][settings]", by_libpq, in_memory) {
    const TestType place;
    queue<TestType, pgq::job<note, pgq::delay<1h>, pgq::expires_in<2h>>, pgq::keep_outcome<1h>> jobs{place.make()};
    const auto later = jobs.enqueue(note{.n = 1}).value();
    const auto now = jobs.enqueue(note{.n = 2}, {.run_at = pgq::in(0s)}).value();
    const auto expires = jobs.enqueue(note{.n = 3}, {.run_at = pgq::in(0s), .expires_at = pgq::in(1us)}).value();
    test::run_log seen;
    test::run_until_empty(jobs, {}, [&](const note& n, pgq::context& c) { seen.add(n.n, c); });
    CHECK(seen.runs() == std::map<std::int64_t, int>{{2, 1}});
    CHECK(jobs.template counts<note>().value().deferred == 1);
    CHECK(jobs.wait_for(now.id(), test::test_timeout).value().kind == pgq::end_kind::done);
    CHECK(jobs.wait_for(expires.id(), test::test_timeout).value().kind == pgq::end_kind::expired);
    CHECK(jobs.template find_one<note>(later.id()).value().has_value());
}

TEST_CASE("a stream of jobs has the priority of its type, unless the call names one", "[scenario][settings]") {
    const database db;
    queue<by_libpq, pgq::job<note, pgq::priority<5>>> jobs{db.driver()};
    CHECK(jobs.enqueue_stream(test::notes(2)).value() == 2);
    CHECK(jobs.enqueue_stream(test::notes(1), 0).value() == 1);
    CHECK(db.query_text("SELECT string_agg(priority::text, ' ' ORDER BY id) FROM {s}.job") == "5 5 0");
}

TEST_CASE("a job that kills its workers is held after its own attempts, which another program knows nothing of",
          "[scenario][settings][crash]") {
    const database db;
    test::make_journal(db);
    queue<by_libpq, task> jobs{db.driver()};
    const auto [own, of_worker] = GENERATE(table<int, std::string>({{2, "5"}, {4, "2"}}));
    CAPTURE(own, of_worker);
    const auto id = jobs.enqueue(task{.n = 1, .act = "crash"}, {.max_attempts = own}).value();
    const auto is_held = [&] { return jobs.counts<task>().value().held == 1; };
    int started = 0;
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!is_held() && std::chrono::steady_clock::now() < deadline) {
        auto w = test::start_worker(db, {{"lease", "500"}, {"attempts", of_worker}});
        ++started;
        (void)test::eventually([&] { return w.exited() || is_held(); });
    }
    const auto held = jobs.held<task>().value();
    REQUIRE(held.size() == 1);
    CHECK(held[0].id == id);
    CHECK(held[0].attempts == own);
    CHECK(held[0].reason == "its worker died");
    CHECK(db.query_int("SELECT count(*) FROM {s}.runs") == own);
}

}  // namespace scenarios_settings
