#include <pgq/backoff/none.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/config.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/executor/timeout.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#if PGQ_HAS_COROUTINES
#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace unit_executor_timeout {

#endif

using namespace std::chrono_literals;
using pgq::lane_counts;
using pgq::executor::grace, pgq::executor::retrying, pgq::executor::thread_pool, pgq::executor::timeout,
    pgq::executor::tries;
using test::eventually;
using test::letter, test::note;

namespace {

// Records the handlers that do not end.
class recorder {
public:
    using policy_category = pgq::observer_tag;
    struct overrun {
        std::string entrypoint{};
        int attempt = 0;
        pgq::duration run_time{};
    };
    void on(const pgq::event::handler_exceeded_timeout& e) {
        const std::lock_guard lock{seen_->mutex};
        seen_->all.push_back({std::string{e.entrypoint}, e.attempt, e.run_time});
    }
    std::vector<overrun> all() const {
        const std::lock_guard lock{seen_->mutex};
        return seen_->all;
    }

private:
    struct seen {
        std::mutex mutex;
        std::vector<overrun> all;
    };
    std::shared_ptr<seen> seen_ = std::make_shared<seen>();
};

struct an_hour {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int) const noexcept { return 1h; }
};

template <class... OfEntrypoint>
using queue_with =
    pgq::queue<pgq::job<note, OfEntrypoint...>, pgq::driver::memory, pgq::serializer::json, recorder, thread_pool>;

// Only letters have a time limit. Other jobs take as long as the machine needs for them.
template <class Executor, class... OfLetters>
using queue_beside = pgq::queue<pgq::job<letter, OfLetters...>, pgq::job<note>, pgq::driver::memory,
                                pgq::serializer::json, recorder, Executor>;

// Blocks handlers until the test opens it; it ignores stop tokens.
class barrier {
public:
    void wait() {
        std::unique_lock lock{mutex_};
        ++waiting_;
        changed_.wait(lock, [this] { return open_; });
    }
    void open() {
        {
            const std::lock_guard lock{mutex_};
            open_ = true;
        }
        changed_.notify_all();
    }
    int waiting() {
        const std::lock_guard lock{mutex_};
        return waiting_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int waiting_ = 0;
    bool open_ = false;
};

template <class Job = note, class Queue>
std::string reason_of_the_one_held(Queue& jobs) {
    const auto held = jobs.template held<Job>().value();
    return held.size() == 1 ? held[0].reason : std::to_string(held.size()) + " held";
}

}  // namespace

TEST_CASE("the stop token of a handler fires at the end of its time, and its later result is ignored",
          "[executor][timeout]") {
    queue_with<timeout<30ms>> jobs;
    jobs.enqueue(note{}).value();
    test::gate never;
    const auto enqueued = std::chrono::steady_clock::now();
    const auto handler = [&](const note&, pgq::context& c) {
        const auto began = std::chrono::steady_clock::now();
        REQUIRE(c.must_end_by());
        CHECK(*c.must_end_by() - enqueued >= 30ms);
        CHECK(*c.must_end_by() - began <= 30ms);
        CHECK_FALSE(c.deadline());
        CHECK_FALSE(never.pass(c));
        CHECK(std::chrono::steady_clock::now() >= *c.must_end_by());
    };
    test::run_until_empty(jobs, {.max_attempts = 1}, handler);
    CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 30 ms");
    CHECK(jobs.observer().all().empty());
}

TEST_CASE("an exception or outcome of a handler after its time is a timeout too", "[executor][timeout]") {
    queue_with<timeout<10ms>> jobs;
    jobs.enqueue(note{}).value();
    test::gate never;
    std::string reason;
    SECTION("an exception adds its text") {
        test::run_until_empty(jobs, {.max_attempts = 1}, [&](const note&, pgq::context& c) {
            (void)never.pass(c);
            throw std::runtime_error{"interrupted"};
        });
        reason = ": interrupted";
    }
    SECTION("discard") {
        test::run_until_empty(jobs, {.max_attempts = 1}, [&](const note&, pgq::context& c) -> pgq::outcome {
            (void)never.pass(c);
            return pgq::discard{"not wanted"};
        });
    }
    CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 10 ms" + reason);
}

TEST_CASE("a timeout does not affect a handler that ends in time", "[executor][timeout]") {
    queue_with<timeout<1h>> jobs;
    jobs.enqueue(test::notes(200)).value();
    std::atomic<int> runs{0}, told_to_stop{0};
    test::run_until_empty(jobs, {}, [&](const note&, pgq::context& c) {
        if (c.stop_token().stop_requested()) ++told_to_stop;
        ++runs;
    });
    CHECK(runs == 200);
    CHECK(told_to_stop == 0);
    CHECK(jobs.counts<note>().value() == lane_counts{});
}

TEST_CASE("a job that timed out runs again after its back-off", "[executor][timeout]") {
    queue_with<timeout<5ms>, an_hour> jobs;
    jobs.enqueue(note{}).value();
    test::gate never;
    test::run_until_empty(jobs, {}, [&](const note&, pgq::context& c) { (void)never.pass(c); });
    CHECK(jobs.counts<note>().value() == lane_counts{.deferred = 1});
}

TEST_CASE("the stop token of a handler with a timeout also fires when the worker stops", "[executor][timeout]") {
    queue_with<timeout<1h>> jobs;
    jobs.enqueue(note{}).value();
    test::gate never;
    test::running_worker w{jobs, {.grace = 0s}, [&](const note&, pgq::context& c) -> pgq::outcome {
                               (void)never.pass(c);
                               return pgq::release{};
                           }};
    REQUIRE(eventually([&] { return never.waiting() == 1; }));
    w.stop().value();
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 1});
}

TEST_CASE("a timeout inside retrying limits each try, a timeout around it limits all tries", "[executor][timeout]") {
    test::gate never;
    std::atomic<int> calls{0};
    const auto handler = [&](const note&, pgq::context& c) {
        ++calls;
        (void)never.pass(c);
    };
    SECTION("inside") {
        queue_with<retrying<timeout<10ms>, pgq::backoff::none>> jobs;
        jobs.enqueue(note{}).value();
        test::run_until_empty(jobs, {.max_attempts = 1}, handler);
        CHECK(calls == 3);
        CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 10 ms");
    }
    SECTION("around") {
        queue_with<timeout<10ms, retrying<pgq::backoff::none>>> jobs;
        jobs.enqueue(note{}).value();
        test::run_until_empty(jobs, {.max_attempts = 1}, handler);
        CHECK(calls == 1);
    }
    SECTION("the earlier of two timeouts counts") {
        queue_with<timeout<10ms, timeout<1h>>> jobs;
        jobs.enqueue(note{}).value();
        test::run_until_empty(jobs, {.max_attempts = 1}, handler);
        CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 10 ms");
    }
}

TEST_CASE("a handler that ignores its stop token is reported and does not slow down other jobs",
          "[executor][timeout]") {
    const std::size_t threads = GENERATE(as<std::size_t>{}, 1, 2);
    queue_beside<thread_pool, timeout<20ms, grace<10ms>>> jobs{{}, {}, thread_pool{threads}};
    barrier deaf;
    std::atomic<int> runs{0};
    jobs.enqueue(letter{}).value();
    test::running_worker w{jobs,
                           {.max_attempts = 1, .poll_interval = 1h, .max_prefetch = GENERATE(0u, 1000u)},
                           [&](const letter&, pgq::context&) { deaf.wait(); },
                           [&](const note&) { ++runs; }};
    REQUIRE(eventually([&] { return jobs.observer().all().size() == 1; }));
    const auto overrun = jobs.observer().all()[0];
    CHECK(overrun.entrypoint == "letter");
    CHECK(overrun.attempt == 1);
    CHECK(overrun.run_time >= 30ms);

    // The pool has its full width although one thread is blocked.
    jobs.enqueue(test::notes(100)).value();
    CHECK(eventually([&] { return runs == 100; }));
    CHECK(eventually([&] { return jobs.counts<note>().value() == lane_counts{}; }));
    CHECK(jobs.counts<letter>().value() == lane_counts{.leased = 1});

    deaf.open();
    CHECK(eventually([&] { return jobs.counts<letter>().value() == lane_counts{.held = 1}; }));
    CHECK(reason_of_the_one_held<letter>(jobs) == "attempt 1 of 1 failed: timed out after 20 ms");
    jobs.enqueue(test::notes(100)).value();
    CHECK(eventually([&] { return runs == 200; }));
    w.stop().value();
}

TEST_CASE("while handlers hang, as many other jobs run at once as the width of the pool", "[executor][timeout]") {
    queue_beside<thread_pool, timeout<20ms, grace<1ms>>> jobs{{}, {}, thread_pool{2}};
    barrier deaf;
    std::atomic<int> inside{0}, met{0};
    jobs.enqueue(std::vector<letter>(3)).value();
    test::running_worker w{jobs,
                           {.max_attempts = 1, .poll_interval = 1h},
                           [&](const letter&, pgq::context&) { deaf.wait(); },
                           [&](const note&, pgq::context& c) {
                               ++inside;
                               // Two of these handlers must run at once.
                               while (inside < 2 && !c.stop_token().stop_requested()) std::this_thread::yield();
                               if (inside >= 2) ++met;
                           }};
    REQUIRE(eventually([&] { return jobs.observer().all().size() == 3; }));
    jobs.enqueue(test::notes(2)).value();
    CHECK(eventually([&] { return met == 2; }));
    deaf.open();
    CHECK(eventually([&] { return jobs.counts<letter>().value() == lane_counts{.held = 3}; }));
    w.stop().value();
}

TEST_CASE("a handler that hangs in the worker's thread is reported too", "[executor][timeout]") {
    using queue = pgq::queue<pgq::job<note, timeout<5ms, grace<5ms>>>, pgq::driver::memory, pgq::serializer::json,
                             recorder, pgq::executor::in_place>;
    queue jobs;
    jobs.enqueue(note{}).value();
    const bool reported = [&] {
        bool seen = false;
        test::run_until_empty(jobs, {.max_attempts = 1}, [&](const note&, pgq::context&) {
            seen = eventually([&] { return jobs.observer().all().size() == 1; });
        });
        return seen;
    }();
    CHECK(reported);
}

TEST_CASE("a timeout of the whole queue gets its time from the executor object", "[executor][timeout]") {
    using executor = timeout<1h, thread_pool>;
    pgq::queue<note, pgq::driver::memory, pgq::serializer::json, executor> jobs{
        {}, {}, executor{{.limit = 1500us}, thread_pool{1}}};
    jobs.enqueue(note{}).value();
    test::gate never;
    test::run_until_empty(jobs, {.max_attempts = 1}, [&](const note&, pgq::context& c) { (void)never.pass(c); });
    CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 1500 us");
}

TEST_CASE("a handler that goes on after the grace time of a setting is reported, and takes no slot from other jobs",
          "[executor][timeout][settings]") {
    queue_beside<thread_pool, pgq::timeout<10ms, 5ms>> jobs{{}, {}, thread_pool{1}};
    barrier hang;
    std::atomic<int> runs{0};
    jobs.enqueue(letter{}).value();
    test::running_worker w{jobs,
                           {.max_attempts = 1, .poll_interval = 1h},
                           [&](const letter&, pgq::context&) { hang.wait(); },
                           [&](const note&) { ++runs; }};
    REQUIRE(eventually([&] { return jobs.observer().all().size() == 1; }));
    jobs.enqueue(note{.n = 1}).value();
    CHECK(eventually([&] { return runs == 1; }));
    hang.open();
    CHECK(eventually([&] { return jobs.counts<letter>().value().held == 1; }));
    w.stop().value();
    CHECK(jobs.observer().all().front().attempt == 1);
}

#if PGQ_HAS_COROUTINES

namespace {

using pgq::executor::coroutine;

template <class... OfEntrypoint>
using coroutines_with =
    pgq::queue<pgq::job<note, OfEntrypoint...>, pgq::driver::memory, pgq::serializer::json, recorder, coroutine>;

}  // namespace

TEST_CASE("a timeout works for a coroutine as for a function", "[executor][timeout]") {
    coroutines_with<timeout<15ms>> jobs;
    jobs.enqueue(note{}).value();
    test::run_until_empty(jobs, {.max_attempts = 1}, [](const note&, pgq::context& c) -> asio::awaitable<void> {
        asio::steady_timer timer{co_await asio::this_coro::executor};
        while (!c.stop_token().stop_requested()) {
            timer.expires_after(1ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    });
    CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 15 ms");
}

TEST_CASE("a timeout of one job holds for a coroutine", "[executor][timeout][settings]") {
    coroutines_with<> jobs;
    jobs.enqueue(note{}, {.timeout = 15ms}).value();
    test::run_until_empty(jobs, {.max_attempts = 1}, [](const note&, pgq::context& c) -> asio::awaitable<void> {
        asio::steady_timer timer{co_await asio::this_coro::executor};
        while (!c.stop_token().stop_requested()) {
            timer.expires_after(1ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    });
    CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 15 ms");
}

TEST_CASE("a coroutine that hangs takes no slot from other jobs", "[executor][timeout]") {
    queue_beside<coroutine, timeout<10ms, grace<5ms>>> jobs{{}, {}, coroutine{1}};
    std::atomic<bool> open{false};
    std::atomic<int> runs{0};
    jobs.enqueue(letter{}).value();
    test::running_worker w{jobs,
                           {.max_attempts = 1, .poll_interval = 1h},
                           [&](const letter&, pgq::context&) -> asio::awaitable<void> {
                               asio::steady_timer timer{co_await asio::this_coro::executor};
                               while (!open) {
                                   timer.expires_after(1ms);
                                   co_await timer.async_wait(asio::use_awaitable);
                               }
                           },
                           [&](const note&) -> asio::awaitable<void> {
                               ++runs;
                               co_return;
                           }};
    REQUIRE(eventually([&] { return jobs.observer().all().size() == 1; }));
    jobs.enqueue(test::notes(50)).value();
    CHECK(eventually([&] { return runs == 50; }));
    open = true;
    CHECK(eventually([&] { return jobs.counts<letter>().value() == lane_counts{.held = 1}; }));
    w.stop().value();
}

#endif

}  // namespace unit_executor_timeout
