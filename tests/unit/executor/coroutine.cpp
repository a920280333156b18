#include <pgq/executor/coroutine.hpp>
#include <pgq/executor/decorator.hpp>
#include <pgq/executor/thread_pool.hpp>

#if PGQ_HAS_COROUTINES

#include "support/catch.hpp"

#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace unit_executor_coroutine {

using namespace std::chrono_literals;
using pgq::executor::coroutine;

namespace {

// Jobs that suspend many times; counts how many of them are in progress at once.
struct subscribed_workers {
    explicit subscribed_workers(coroutine& e) : executor{&e} {}

    coroutine* executor;
    std::atomic<std::size_t> under_way{0};
    std::atomic<std::size_t> most{0};
    std::atomic<std::size_t> finished{0};

    asio::awaitable<int> job() {
        const std::size_t now = ++under_way;
        for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {}
        for (int i = 0; i < 20; ++i) co_await asio::post(executor->executor(), asio::use_awaitable);
        --under_way;
        ++finished;
        co_return 1;
    }
    static void run(void* owner, void*, std::uint32_t) noexcept {
        auto& self = *static_cast<subscribed_workers*>(owner);
        self.executor->spawn(self.job());
    }
};

void check_that_all_finish(coroutine& e, std::size_t jobs, std::size_t expected_at_once) {
    subscribed_workers s{e};
    e.start();
    for (std::size_t i = 0; i < jobs; ++i) e.execute({.function = &subscribed_workers::run, .owner = &s});
    e.stop();
    CHECK(s.finished == jobs);
    CHECK(s.under_way == 0);
    CHECK(s.most <= expected_at_once);
    CHECK(s.most >= 1);
}

}  // namespace

TEST_CASE("stop waits for coroutines that tasks have started", "[executor][coroutine]") {
    SECTION("on its own threads") {
        coroutine e{8, 2};
        check_that_all_finish(e, 500, 8);
        check_that_all_finish(e, 500, 8);
    }
    SECTION("on an executor of the program") {
        asio::thread_pool users{3};
        {
            coroutine e{users.get_executor(), 8};
            check_that_all_finish(e, 500, 8);
        }
        users.join();
    }
}

TEST_CASE("a suspended coroutine keeps its slot", "[executor][coroutine]") {
    coroutine e{3, 1};
    check_that_all_finish(e, 100, 3);
    coroutine one{1, 2};
    check_that_all_finish(one, 100, 1);
}

TEST_CASE("more coroutines than threads are in progress at once", "[executor][coroutine]") {
    coroutine e{16, 1};
    subscribed_workers s{e};
    // The first task blocks the only thread until all tasks are in the queue, so that they start together.
    std::atomic<bool> all_in{false};
    const auto hold = [](void* owner, void*, std::uint32_t) noexcept {
        static_cast<std::atomic<bool>*>(owner)->wait(false);
    };
    e.start();
    e.execute({.function = hold, .owner = &all_in});
    for (int i = 0; i < 15; ++i) e.execute({.function = &subscribed_workers::run, .owner = &s});
    all_in = true;
    all_in.notify_all();
    e.stop();
    CHECK(s.most == 15);
    CHECK(s.finished == 15);
}

TEST_CASE("stop waits for a coroutine that was spawned without a task", "[executor][coroutine]") {
    coroutine e{1, 1};
    subscribed_workers s{e};
    e.start();
    for (int i = 0; i < 10; ++i) e.spawn(s.job());
    for (int i = 0; i < 10; ++i) e.execute({.function = &subscribed_workers::run, .owner = &s});
    e.stop();
    CHECK(s.finished == 20);
}

TEST_CASE("a task may call execute although the executor is full", "[executor][coroutine]") {
    coroutine e{1, 1};
    struct chain {
        coroutine* executor;
        std::atomic<int> left;
        static void run(void* owner, void*, std::uint32_t) noexcept {
            auto& self = *static_cast<chain*>(owner);
            if (--self.left > 0) self.executor->execute({.function = &run, .owner = owner});
        }
    } many{&e, 1000};
    e.start();
    e.execute({.function = &chain::run, .owner = &many});
    e.stop();
    CHECK(many.left == 0);
}

TEST_CASE("the objects of a coroutine are destroyed when stop returns", "[executor][coroutine]") {
    const auto held = std::make_shared<int>(1);
    const auto hold = [](coroutine& e, std::shared_ptr<int> mine) -> asio::awaitable<void> {
        co_await asio::post(e.executor(), asio::use_awaitable);
        ++*mine;
    };
    asio::thread_pool users{2};
    coroutine e{users.get_executor()};
    e.start();
    e.spawn(hold(e, held));
    e.stop();
    CHECK(*held == 2);
    CHECK(held.use_count() == 1);
    users.join();
}

TEST_CASE("stop does not wait for other work on the executor's own context", "[executor][coroutine]") {
    coroutine e{4, 1};
    asio::steady_timer in_an_hour{e.executor(), 1h};
    std::atomic<bool> fired{false};
    in_an_hour.async_wait([&fired](std::error_code) { fired = true; });
    check_that_all_finish(e, 10, 4);
    CHECK_FALSE(fired);
}

TEST_CASE("a copy of a coroutine executor has the same settings and its own context", "[executor][coroutine]") {
    coroutine e{5, 2};
    e.start();
    coroutine copy = e;
    CHECK(copy.width() == 5);
    CHECK(copy.executor() != e.executor());
    check_that_all_finish(copy, 20, 5);

    asio::thread_pool users{1};
    coroutine on_users{users.get_executor(), 7};
    coroutine second = on_users;
    CHECK(second.width() == 7);
    CHECK(second.executor() == on_users.executor());

    e = on_users;
    CHECK(e.width() == 7);
    CHECK(e.executor() == on_users.executor());
    check_that_all_finish(e, 20, 7);
    on_users = copy;
    CHECK(on_users.executor() != copy.executor());
    check_that_all_finish(on_users, 20, 5);
    users.join();
}

TEST_CASE("a coroutine executor has a width of at least one", "[executor][coroutine]") {
    coroutine e{0, 0};
    CHECK(e.width() == 1);
    CHECK(coroutine{}.width() == 64);
    check_that_all_finish(e, 5, 1);
}

TEST_CASE("an executor on the program's only thread reports when it runs nothing, and stop() does not block then",
          "[executor][coroutine]") {
    asio::io_context context;
    coroutine e{context.get_executor(), 2};
    subscribed_workers s{e};
    int idle = 0;
    e.start();
    e.when_idle([&] { ++idle; });
    CHECK(idle == 1);
    for (int i = 0; i < 5; ++i) e.execute({.function = &subscribed_workers::run, .owner = &s});
    std::size_t finished = 0;
    e.when_idle([&] {
        ++idle;
        finished = s.finished;
    });
    CHECK(idle == 1);
    context.run();
    CHECK(idle == 2);
    CHECK(finished == 5);
    e.stop();
}

// Decorators report it as the executor that they wrap does.
static_assert(pgq::can_report_idle<pgq::executor::decorator<coroutine>>);
static_assert(!pgq::can_report_idle<pgq::executor::decorator<pgq::executor::thread_pool>>);

#endif

}  // namespace unit_executor_coroutine
