#include <pgq/backoff/none.hpp>
#include <pgq/config.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/executor/strand_by.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"

#include <boost/hana/adapt_struct.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#if PGQ_HAS_COROUTINES
#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace unit_executor_strand_by {

#endif

namespace strand_jobs {

struct change {
    static constexpr std::string_view entrypoint = "change";
    std::string account{};
    std::int64_t n = 0;
    std::string all_of_it() const { return account; }
};

struct half {
    int value = 0;
    friend auto operator<=>(const half&, const half&) = default;  // and no std::hash
};
struct move_half {
    static constexpr std::string_view entrypoint = "move_half";
    int which = 0;
    half key() const { return {which / 2}; }
};

}  // namespace strand_jobs

}  // namespace unit_executor_strand_by

BOOST_HANA_ADAPT_STRUCT(unit_executor_strand_by::strand_jobs::change, account, n);
BOOST_HANA_ADAPT_STRUCT(unit_executor_strand_by::strand_jobs::move_half, which);

namespace unit_executor_strand_by {

using namespace std::chrono_literals;
using pgq::lane_counts;
using pgq::executor::retrying, pgq::executor::strand_by, pgq::executor::thread_pool;
using strand_jobs::change, strand_jobs::move_half;
using test::eventually;

namespace {

template <class Executor, class Own = strand_by<&change::account>>
using queue_of =
    pgq::queue<pgq::job<change, Own>, pgq::driver::memory, pgq::serializer::json, pgq::backoff::none, Executor>;

constexpr std::size_t accounts = 5;

// Makes `each` changes for each account; neighbours in the list belong to different accounts.
std::vector<change> changes(std::int64_t each) {
    std::vector<change> made;
    for (std::int64_t n = 0; n < each; ++n)
        for (std::size_t a = 0; a < accounts; ++a) made.push_back({.account = std::string(1, char('a' + a)), .n = n});
    return made;
}

// Records for each account how many handlers run at once and in which order the changes come.
struct ledger {
    std::array<std::atomic<int>, accounts> inside{};
    std::array<std::vector<std::int64_t>, accounts> order{};  // no lock: two handlers at once would be a data race
    std::atomic<int> together{0}, collisions{0}, running{0}, most{0};

    static std::size_t of(const change& c) { return static_cast<std::size_t>(c.account[0] - 'a'); }
    void come(const change& c) {
        if (++inside[of(c)] != 1) ++collisions;
        const int now = ++running;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
        order[of(c)].push_back(c.n);
    }
    void leave(const change& c) {
        --running;
        --inside[of(c)];
    }
    bool in_order(std::int64_t each) const {
        for (const auto& one : order) {
            if (one.size() != static_cast<std::size_t>(each)) return false;
            for (std::int64_t n = 0; n < each; ++n)
                if (one[static_cast<std::size_t>(n)] != n) return false;
        }
        return true;
    }
};

}  // namespace

TEST_CASE("jobs with an equal member run one at a time and in order, other jobs run at the same time",
          "[executor][strand_by]") {
    queue_of<thread_pool> jobs{{}, {}, thread_pool{4}};
    jobs.enqueue(changes(200)).value();
    ledger seen;
    std::atomic<int> met{0};
    test::run_until_empty(jobs, {}, [&](const change& c) {
        seen.come(c);
        // The first jobs of the first two accounts wait for each other, so they must run at the same time.
        if (c.n == 0 && ledger::of(c) < 2) {
            ++met;
            if (!eventually([&] { return met == 2; })) met = -100;
        }
        std::this_thread::yield();
        seen.leave(c);
    });
    CHECK(met == 2);
    CHECK(seen.collisions == 0);
    CHECK(seen.most >= 2);
    CHECK(seen.in_order(200));
    CHECK(jobs.counts<change>().value() == lane_counts{});
}

TEST_CASE("a job that waits for its turn uses no thread", "[executor][strand_by]") {
    queue_of<thread_pool> jobs{{}, {}, thread_pool{2}};
    test::gate slow;
    std::atomic<int> others{0};
    std::vector<change> made(4, change{.account = "slow"});
    made.push_back({.account = "quick", .n = 1});
    jobs.enqueue(made).value();
    // The prefetch is large enough that the worker has claimed the fast job too.
    test::running_worker w{jobs, {.max_prefetch = 10}, [&](const change& c, pgq::context& ctx) {
                               if (c.account == "slow") return void(slow.pass(ctx));
                               ++others;
                           }};
    REQUIRE(eventually([&] { return slow.waiting() == 1; }));
    CHECK(eventually([&] { return others == 1; }));
    CHECK(slow.waiting() == 1);
    slow.open();
    CHECK(eventually([&] { return jobs.counts<change>().value() == lane_counts{}; }));
    w.stop().value();
}

TEST_CASE("a job keeps its turn during retrying, but not when it goes back to the database", "[executor][strand_by]") {
    const auto check = [](auto jobs) {
        jobs.enqueue(std::vector<change>{{"a", 0}, {"a", 1}, {"a", 2}}).value();
        std::vector<std::string> calls;
        test::run_until_empty(jobs, {}, [&](const change& c, pgq::context& ctx) {
            calls.push_back(std::to_string(c.n) + "." + std::to_string(ctx.try_number()));
            if (c.n == 0 && ctx.try_number() < 3) throw std::runtime_error{"again"};
        });
        CHECK(calls == std::vector<std::string>{"0.1", "0.2", "0.3", "1.1", "2.1"});
    };
    check(queue_of<thread_pool, retrying<pgq::backoff::none, strand_by<&change::account>>>{{}, {}, thread_pool{3}});
    check(queue_of<thread_pool, strand_by<&change::account, retrying<pgq::backoff::none>>>{{}, {}, thread_pool{3}});

    queue_of<thread_pool> once{{}, {}, thread_pool{3}};
    once.enqueue(std::vector<change>{{"a", 0}, {"a", 1}}).value();
    std::vector<std::int64_t> order;
    test::run_until_empty(once, {}, [&](const change& c, pgq::context& ctx) {
        order.push_back(c.n);
        if (c.n == 0 && ctx.attempt() == 1) throw std::runtime_error{"again"};
    });
    CHECK(order == std::vector<std::int64_t>{0, 1, 0});
}

TEST_CASE("a worker that is asked to stop gives back the jobs that wait for their turn", "[executor][strand_by]") {
    queue_of<thread_pool> jobs{{}, {}, thread_pool{3}};
    jobs.enqueue(std::vector<change>(3, change{.account = "a"})).value();
    test::gate running;
    std::atomic<int> runs{0};
    {
        test::running_worker w{jobs, {}, [&](const change&, pgq::context& c) {
                                   (void)running.pass(c);
                                   ++runs;
                               }};
        REQUIRE(eventually([&] { return running.waiting() == 1; }));
        w.request_stop();
        CHECK(eventually([&] { return jobs.counts<change>().value() == lane_counts{.ready = 2, .leased = 1}; }));
        running.open();
        w.stop().value();
    }
    CHECK(runs == 1);
    test::run_until_empty(jobs, {}, [&](const change&, pgq::context& c) {
        CHECK(c.attempt() == 1);
        ++runs;
    });
    CHECK(runs == 3);
}

TEST_CASE("a job with an unreadable payload is held, and no job waits for it", "[executor][strand_by]") {
    const pgq::driver::memory store;
    queue_of<thread_pool> jobs{store, {}, thread_pool{2}};
    auto session = store.connect(pgq::session_role::client).value();
    pgq::bodies broken;
    broken.bytes() += "{\"account\": 7}";
    broken.close();
    std::vector<pgq::job_id> ids;
    const std::vector<pgq::enqueue_options> options(1);
    const auto lanes = jobs.lanes().value();
    session.enqueue({lanes[0], &broken, options}, ids).value();
    jobs.enqueue(change{.account = "a"}).value();
    int runs = 0;
    test::run_until_empty(jobs, {}, [&](const change&) { ++runs; });
    CHECK(runs == 1);
    CHECK(jobs.counts<change>().value() == lane_counts{.held = 1});
}

TEST_CASE("strand_by takes a type with an order but no hash, and a member function", "[executor][strand_by]") {
    pgq::queue<pgq::job<move_half, strand_by<&move_half::key>>, pgq::driver::memory, pgq::serializer::json> jobs{
        {}, {}, thread_pool{4}};
    std::vector<move_half> made;
    for (int i = 0; i < 300; ++i) made.push_back({.which = i % 4});
    jobs.enqueue(made).value();
    std::array<std::atomic<int>, 2> inside{};
    std::atomic<int> collisions{0}, runs{0};
    test::run_until_empty(jobs, {}, [&](const move_half& m) {
        auto& here = inside[static_cast<std::size_t>(m.which / 2)];
        if (++here != 1) ++collisions;
        std::this_thread::yield();
        --here;
        ++runs;
    });
    CHECK(collisions == 0);
    CHECK(runs == 300);
}

TEST_CASE("strand_by works with jobs that run in the worker's thread", "[executor][strand_by]") {
    queue_of<pgq::executor::in_place> jobs;
    jobs.enqueue(changes(50)).value();
    ledger seen;
    test::run_until_empty(jobs, {}, [&](const change& c) {
        seen.come(c);
        seen.leave(c);
    });
    CHECK(seen.in_order(50));
}

#if PGQ_HAS_COROUTINES

TEST_CASE("coroutines of one strand run one at a time, also while they are suspended", "[executor][strand_by]") {
    using pgq::executor::coroutine;
    const std::size_t threads = GENERATE(as<std::size_t>{}, 1, 3);
    queue_of<coroutine> jobs{{}, {}, coroutine{64, threads}};
    jobs.enqueue(changes(300)).value();
    ledger seen;
    test::run_until_empty(jobs, {}, [&](const change& c, pgq::context& ctx) -> asio::awaitable<void> {
        if (ctx.attempt() == 2) co_return;
        seen.come(c);
        const auto here = co_await asio::this_coro::executor;
        if (c.n % 2 == 0)
            for (int i = 0; i < 3; ++i) co_await asio::post(here, asio::use_awaitable);
        seen.leave(c);
        if (c.n % 7 == 3) throw pgq::failure{pgq::errc::invalid_option};
    });
    CHECK(seen.collisions == 0);
    CHECK(seen.most >= 2);
    CHECK(seen.in_order(300));
    CHECK(jobs.counts<change>().value() == lane_counts{});
}

TEST_CASE("a worker that is asked to stop gives back the coroutines that wait for their turn",
          "[executor][strand_by]") {
    using pgq::executor::coroutine;
    queue_of<coroutine> jobs{{}, {}, coroutine{8, 1}};
    jobs.enqueue(std::vector<change>(4, change{.account = "a"})).value();
    std::atomic<bool> open{false}, began{false};
    std::atomic<int> runs{0};
    test::running_worker w{jobs, {}, [&](const change&) -> asio::awaitable<void> {
                               began = true;
                               const auto here = co_await asio::this_coro::executor;
                               while (!open) co_await asio::post(here, asio::use_awaitable);
                               ++runs;
                           }};
    REQUIRE(eventually([&] { return began.load(); }));
    w.request_stop();
    CHECK(eventually([&] { return jobs.counts<change>().value() == lane_counts{.ready = 3, .leased = 1}; }));
    open = true;
    w.stop().value();
    CHECK(runs == 1);
    CHECK(jobs.counts<change>().value() == lane_counts{.ready = 3});
}

#endif

}  // namespace unit_executor_strand_by
