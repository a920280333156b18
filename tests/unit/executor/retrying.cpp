#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/config.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/coroutine.hpp>
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
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#if PGQ_HAS_COROUTINES
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>

namespace unit_executor_retrying {

#endif

using namespace std::chrono_literals;
using pgq::lane_counts;
using pgq::executor::budget, pgq::executor::retrying, pgq::executor::thread_pool, pgq::executor::timeout,
    pgq::executor::tries;
using test::eventually;
using test::note;

namespace {

// Records the failed tries and counts the finished attempts.
class recorder {
public:
    using policy_category = pgq::observer_tag;
    struct seen {
        std::mutex mutex;
        std::vector<std::string> failed;
        std::vector<pgq::duration> pauses;
        int finished = 0;
    };
    void on(const pgq::event::try_failed& e) {
        const std::lock_guard lock{seen_->mutex};
        seen_->failed.push_back(std::string{e.entrypoint} + " " + std::to_string(e.attempt) + "." +
                                std::to_string(e.try_number) + ": " + std::string{e.reason});
        seen_->pauses.push_back(e.pause);
    }
    void on(const pgq::event::job_finished&) {
        const std::lock_guard lock{seen_->mutex};
        ++seen_->finished;
    }
    std::vector<std::string> failed() const {
        const std::lock_guard lock{seen_->mutex};
        return seen_->failed;
    }
    std::vector<pgq::duration> pauses() const {
        const std::lock_guard lock{seen_->mutex};
        return seen_->pauses;
    }
    int finished() const {
        const std::lock_guard lock{seen_->mutex};
        return seen_->finished;
    }

private:
    std::shared_ptr<seen> seen_ = std::make_shared<seen>();
};

struct soon {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int attempt) const noexcept { return attempt * 1ms; }
};
struct late {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int) const noexcept { return 1h; }
};

template <class... OfEntrypoint>
using queue_with = pgq::queue<pgq::job<note, OfEntrypoint...>, pgq::driver::memory, pgq::serializer::json, recorder>;

// The order of the arguments does not matter.
static_assert(std::is_same_v<retrying<soon, tries<5>, timeout<1s>>, retrying<timeout<1s>, soon, tries<5>>>);
static_assert(std::is_same_v<retrying<soon>, retrying<budget<10s>, tries<3>, soon>>);
static_assert(!std::is_same_v<retrying<soon>, retrying<soon, tries<4>>>);

}  // namespace

TEST_CASE("a handler that throws is called again without a new attempt", "[executor][retrying]") {
    queue_with<retrying<soon>> jobs;
    jobs.enqueue(note{}).value();
    std::vector<std::string> calls;
    test::run_until_empty(jobs, {}, [&](const note&, pgq::context& c) {
        calls.push_back(std::to_string(c.attempt()) + "." + std::to_string(c.try_number()));
        if (c.try_number() < 3) throw std::runtime_error{"not yet"};
    });
    CHECK(calls == std::vector<std::string>{"1.1", "1.2", "1.3"});
    CHECK(jobs.counts<note>().value() == lane_counts{});
    CHECK(jobs.observer().failed() == std::vector<std::string>{"note 1.1: not yet", "note 1.2: not yet"});
    CHECK(jobs.observer().pauses() == std::vector<pgq::duration>{1ms, 2ms});
    CHECK(jobs.observer().finished() == 1);
}

TEST_CASE("after the last try the attempt fails as it does without retrying", "[executor][retrying]") {
    queue_with<retrying<pgq::backoff::none, tries<4>>, pgq::backoff::none> jobs;
    jobs.enqueue(note{}).value();
    std::atomic<int> calls{0};
    test::run_until_empty(jobs, {.max_attempts = 2}, [&](const note&, pgq::context& c) {
        CHECK(c.attempt() == calls / 4 + 1);
        CHECK(c.try_number() == calls % 4 + 1);
        ++calls;
        throw std::runtime_error{"never"};
    });
    CHECK(calls == 8);
    const auto held = jobs.held<note>().value();
    REQUIRE(held.size() == 1);
    CHECK(held[0].reason == "attempt 2 of 2 failed: never");
}

TEST_CASE("retry_after is retried after its delay or later, other outcomes are not retried", "[executor][retrying]") {
    queue_with<retrying<pgq::backoff::none>> jobs;
    jobs.enqueue(note{}).value();
    int calls = 0;
    SECTION("within the budget") {
        auto first = std::chrono::steady_clock::now();
        test::run_until_empty(jobs, {}, [&](const note&) -> pgq::outcome {
            if (++calls == 1) {
                first = std::chrono::steady_clock::now();
                return pgq::retry_after{30ms, "busy"};
            }
            CHECK(std::chrono::steady_clock::now() - first >= 30ms);
            return pgq::done{};
        });
        CHECK(calls == 2);
    }
    SECTION("not if the delay exceeds the budget") {
        test::run_until_empty(jobs, {}, [&](const note&) -> pgq::outcome {
            ++calls;
            return pgq::retry_after{1h, "busy"};
        });
        CHECK(calls == 1);
        CHECK(jobs.counts<note>().value() == lane_counts{.deferred = 1});
    }
    SECTION("hold") {
        test::run_until_empty(jobs, {}, [&](const note&) -> pgq::outcome { return ++calls, pgq::hold{"a person"}; });
        CHECK(calls == 1);
        CHECK(jobs.counts<note>().value() == lane_counts{.held = 1});
    }
    SECTION("snooze") {
        test::run_until_empty(jobs, {}, [&](const note&) -> pgq::outcome { return ++calls, pgq::snooze{1h}; });
        CHECK(calls == 1);
        CHECK(jobs.counts<note>().value() == lane_counts{.deferred = 1});
    }
}

TEST_CASE("retrying gives up if a pause would end after the budget or after an outer timeout", "[executor][retrying]") {
    const auto one_call = [](auto jobs) {
        jobs.enqueue(note{}).value();
        int calls = 0;
        const auto before = std::chrono::steady_clock::now();
        test::run_until_empty(jobs, {}, [&](const note&, pgq::context&) {
            ++calls;
            throw std::runtime_error{"no"};
        });
        CHECK(calls == 1);
        CHECK(std::chrono::steady_clock::now() - before < 30s);
        CHECK(jobs.template counts<note>().value() == lane_counts{.deferred = 1});
    };
    one_call(queue_with<retrying<late>, late>{});
    one_call(queue_with<timeout<1min, retrying<late, budget<24h>>>, late>{});
}

TEST_CASE("a worker that is asked to stop does not wait for the next try", "[executor][retrying]") {
    queue_with<retrying<late, budget<24h>>, late> jobs;
    jobs.enqueue(note{}).value();
    std::atomic<int> calls{0};
    test::running_worker w{jobs, {.grace = 1h}, [&](const note&) {
                               ++calls;
                               throw std::runtime_error{"no"};
                           }};
    REQUIRE(eventually([&] { return jobs.observer().failed().size() == 1; }));
    const auto before = std::chrono::steady_clock::now();
    w.stop().value();
    CHECK(std::chrono::steady_clock::now() - before < 30s);
    CHECK(calls == 1);
    CHECK(jobs.counts<note>().value() == lane_counts{.deferred = 1});  // the attempt failed; the job's back-off applies
}

TEST_CASE("the executor of a queue may be decorated, with settings at run time", "[executor][retrying]") {
    using executor = retrying<thread_pool, pgq::backoff::fixed>;
    using queue = pgq::queue<note, pgq::driver::memory, pgq::serializer::json, executor, late>;
    queue jobs{{}, {}, executor{{.tries = 7, .backoff = {.every = 1ms}}, thread_pool{2}}};
    CHECK(jobs.executor().width() == 2);
    jobs.enqueue(test::notes(20)).value();
    std::atomic<int> calls{0};
    test::run_until_empty(jobs, {}, [&](const note&, pgq::context& c) {
        ++calls;
        if (c.try_number() < 7) throw std::runtime_error{"no"};
    });
    CHECK(calls == 140);
    CHECK(jobs.counts<note>().value() == lane_counts{});
}

TEST_CASE("the decorators of an entrypoint wrap those of the queue", "[executor][retrying]") {
    using queue = pgq::queue<pgq::job<note, retrying<pgq::backoff::none, tries<2>>>, pgq::driver::memory,
                             pgq::serializer::json, retrying<pgq::backoff::none, tries<3>>, late>;
    queue jobs;
    jobs.enqueue(note{}).value();
    int calls = 0;
    test::run_until_empty(jobs, {}, [&](const note&, pgq::context& c) {
        CHECK(c.try_number() == ++calls);
        throw std::runtime_error{"no"};
    });
    CHECK(calls == 6);
}

TEST_CASE("many concurrent jobs that sometimes fail are all done", "[executor][retrying]") {
    queue_with<retrying<soon, tries<5>>> jobs{{}, {}, thread_pool{4}};
    jobs.enqueue(test::notes(300)).value();
    test::run_log run_log;
    std::atomic<int> failures{0};
    test::run_until_empty(jobs, {}, [&](const note& job, pgq::context& c) {
        if (c.try_number() <= job.n % 5) {
            ++failures;
            throw std::runtime_error{"again"};
        }
        run_log.add(job.n, c);
    });
    CHECK(run_log.each_ran_once(300));
    CHECK(failures == 600);
    CHECK(jobs.observer().finished() == 300);
}

#if PGQ_HAS_COROUTINES

namespace {

using pgq::executor::coroutine;

template <class... OfEntrypoint>
using coroutines_with =
    pgq::queue<pgq::job<note, OfEntrypoint...>, pgq::driver::memory, pgq::serializer::json, recorder, coroutine>;

asio::awaitable<void> a_moment() {
    asio::steady_timer timer{co_await asio::this_coro::executor, 1ms};
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

TEST_CASE("a failed coroutine is called again, and its pause uses no thread", "[executor][retrying]") {
    // More coroutines pause at once than there are threads.
    coroutines_with<retrying<pgq::backoff::fixed, tries<4>, budget<24h>>, late> patient{{}, {}, coroutine{50, 1}};
    coroutines_with<retrying<soon, tries<4>>> brisk{{}, {}, coroutine{50, 2}};
    brisk.enqueue(test::notes(100)).value();
    std::atomic<int> done{0};
    test::run_until_empty(brisk, {}, [&](const note& job, pgq::context& c) -> asio::awaitable<void> {
        co_await a_moment();
        if (c.try_number() <= job.n % 4) throw std::runtime_error{"again"};
        ++done;
    });
    CHECK(done == 100);
    CHECK(brisk.observer().failed().size() == 150);
    CHECK(brisk.counts<note>().value() == lane_counts{});

    patient.enqueue(test::notes(20)).value();
    std::atomic<int> calls{0};
    test::running_worker w{patient, {.grace = 1h}, [&](const note&) -> asio::awaitable<pgq::outcome> {
                               ++calls;
                               co_return pgq::retry_after{0s, "no"};
                           }};
    CHECK(eventually([&] { return patient.observer().failed().size() == 20; }));
    const auto before = std::chrono::steady_clock::now();
    w.stop().value();
    CHECK(std::chrono::steady_clock::now() - before < 9s);  // the pause is 10 s
    CHECK(calls == 20);
    CHECK(patient.counts<note>().value() == lane_counts{.ready = 20});  // the handler returned a delay of zero
}

TEST_CASE("failed coroutines are called again on an executor of the program", "[executor][retrying]") {
    asio::thread_pool users{4};
    {
        coroutines_with<retrying<soon, tries<3>>> jobs{{}, {}, coroutine{users.get_executor(), 30}};
        jobs.enqueue(test::notes(200)).value();
        std::atomic<int> done{0};
        test::run_until_empty(jobs, {}, [&](const note&, pgq::context& c) -> asio::awaitable<void> {
            co_await a_moment();
            if (c.try_number() < 3) throw std::runtime_error{"again"};
            ++done;
        });
        CHECK(done == 200);
    }
    users.join();
}

TEST_CASE("a decorated executor runs coroutines if its inner executor does", "[executor][retrying]") {
    using executor = retrying<coroutine, soon>;
    static_assert(pgq::coroutine_executor<executor> && !pgq::coroutine_executor<retrying<soon>>);
    pgq::queue<note, pgq::driver::memory, pgq::serializer::json, executor> jobs;
    jobs.enqueue(note{}).value();
    int calls = 0;
    test::run_until_empty(jobs, {}, [&](const note&) -> asio::awaitable<void> {
        if (++calls < 3) throw std::runtime_error{"again"};
        co_await a_moment();
    });
    CHECK(calls == 3);
}

#endif

}  // namespace unit_executor_retrying
