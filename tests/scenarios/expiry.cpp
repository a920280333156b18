#include <pgq/driver/libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/limiter/global_concurrency.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace scenarios_expiry {

using namespace std::chrono_literals;
using test::note;

namespace {

struct by_libpq {
    test::database db{};
    using driver = pgq::driver::libpq;
    driver make() const { return db.driver(); }
};
struct in_memory {
    pgq::driver::memory store{};
    using driver = pgq::driver::memory;
    driver make() const { return store; }
};
template <class Place, class... Policies>
using queue =
    pgq::queue<pgq::job<note>, typename Place::driver, pgq::serializer::json, pgq::executor::thread_pool, Policies...>;

// Waits until the time of a job that was enqueued before with this expiry has passed by the database's clock. The job
// may have ended before the wait begins, so its outcome is kept.
template <class Queue>
void pass(Queue& jobs, pgq::duration d) {
    const auto last =
        jobs.enqueue(note{.n = -1}, {.run_at = pgq::in(1h), .expires_at = pgq::in(d), .keep_outcome = 1h}).value();
    REQUIRE(last.wait(test::test_timeout).value().kind == pgq::end_kind::expired);
}

// Makes the jobs that expire_and_purge has not seen: their time is in the past from the beginning.
std::vector<pgq::enqueue_options> late(std::size_t n) {
    return std::vector<pgq::enqueue_options>(
        n, {.expires_at = pgq::at(std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()) - 1h),
            .keep_outcome = 1h});
}

}  // namespace

TEMPLATE_TEST_CASE("no job that has expired starts, however it is taken", "[scenario][expiry]", by_libpq, in_memory) {
    const TestType place;
    queue<TestType> jobs{place.make()};
    for (const auto& o : late(50)) (void)jobs.enqueue(note{.n = 1}, o).value();
    (void)jobs.enqueue(test::notes(10)).value();  // a pack, perhaps
    std::atomic<int> expired{0}, good{0};
    const auto count = [&](const note& n) { ++(n.n == 1 && n.text.empty() ? expired : good); };
    SECTION("a worker that starts") {
        test::run_until_empty(jobs, {}, count);
        CHECK(good == 10);
    }
    SECTION("get") {
        while (const auto got = jobs.template get<note>({.timeout = 0s}).value()) count(**got);
        CHECK(good == 10);
    }
    SECTION("poll") {
        auto poll = jobs.template poll<note>({.timeout = 0s});
        while (auto got = poll.next().value()) count(**got), got->ack().value();
        CHECK(good == 10);
    }
    SECTION("take in a transaction") {
        for (bool more = true; more;) {
            more = jobs.transaction([&](auto& tx) {
                           const auto got = tx.template take<note>();
                           if (got.value()) count(**got.value());
                           return got.value().has_value();
                       })
                       .value();
        }
        CHECK(good == 10);
    }
    CHECK(expired == 0);
}

// In a transaction of the caller nobody looks for what has expired before the take does.
TEST_CASE("a take in the caller's transaction returns a job that had begun before it expired, and none that had not",
          "[scenario][expiry]") {
    const test::database db;
    queue<by_libpq> jobs{db.driver()};
    for (std::int64_t n = 1; n <= 3; ++n) (void)jobs.enqueue(note{.n = n}, {.expires_at = pgq::in(1h)}).value();
    db.exec("UPDATE {s}.tracked SET expires_at = now() - interval '1 second'");
    db.exec("UPDATE {s}.ready SET attempts = 1 WHERE id = (SELECT max(id) FROM {s}.ready)");
    const test::sql_connection mine{test::dsn(), db.schema()};
    (void)mine.exec("BEGIN");
    const auto got = jobs.take<note>(pgq::within(mine.get()), {.timeout = 0s}).value();
    REQUIRE(got.has_value());
    CHECK((**got).n == 3);
    CHECK_FALSE(jobs.take<note>(pgq::within(mine.get()), {.timeout = 0s}).value().has_value());
    (void)mine.exec("COMMIT");
}

TEMPLATE_TEST_CASE("a limited lane starts no job that has expired", "[scenario][expiry]", by_libpq, in_memory) {
    const TestType place;
    queue<TestType, pgq::limiter::global_concurrency<2>> jobs{place.make()};
    for (const auto& o : late(20)) (void)jobs.enqueue(note{.n = 1}, o).value();
    (void)jobs.enqueue(note{.n = 2}).value();
    std::atomic<int> expired{0}, good{0};
    test::run_until_empty(jobs, {}, [&](const note& n) { ++(n.n == 1 ? expired : good); });
    CHECK(expired == 0);
    CHECK(good == 1);
}

TEMPLATE_TEST_CASE("a prefetched job that expires before its turn does not start", "[scenario][expiry]", by_libpq,
                   in_memory) {
    const TestType place;
    queue<TestType> jobs{place.make(), {}, pgq::executor::thread_pool{1}};
    std::vector<pgq::job_id> ids;
    (void)jobs.enqueue(note{.n = 0}).value();
    for (int i = 1; i <= 3; ++i)
        ids.push_back(jobs.enqueue(note{.n = 1}, {.expires_at = pgq::in(60ms), .keep_outcome = 1h}).value());
    std::atomic<int> expired{0};
    test::gate gate;
    test::running_worker w{jobs, pgq::worker_options{}, [&](const note& n, const pgq::context& c) {
                               if (n.n == 0) (void)gate.pass(c);
                               if (n.n == 1) ++expired;
                           }};
    REQUIRE(test::eventually([&] { return gate.waiting() == 1; }));
    pass(jobs, 60ms);
    gate.open();
    for (const auto& end : jobs.wait_for(ids, test::test_timeout).value()) CHECK(end.kind == pgq::end_kind::expired);
    CHECK(expired == 0);
}

}  // namespace scenarios_expiry
