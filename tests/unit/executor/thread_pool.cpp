#include <pgq/executor/thread_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

namespace unit_executor_thread_pool {

using namespace std::chrono_literals;
using pgq::task;
using pgq::executor::thread_pool;

namespace {

// Blocks each task until `expected` tasks run at once. It gives up after 20 s, so that a pool with too few threads
// fails and does not hang.
struct meeting {
    explicit meeting(std::size_t n) : expected{n} {}

    std::size_t expected;
    std::mutex mutex{};
    std::condition_variable come{};
    std::set<std::thread::id> present{};
    std::size_t missed = 0;
    std::size_t left = 0;

    static void attend(void* owner, void*, std::uint32_t) noexcept {
        auto& self = *static_cast<meeting*>(owner);
        std::unique_lock lock{self.mutex};
        self.present.insert(std::this_thread::get_id());
        self.come.notify_all();
        if (!self.come.wait_for(lock, 20s, [&self] { return self.present.size() >= self.expected; })) ++self.missed;
        ++self.left;
        self.come.notify_all();
    }
};

// A task that calls execute again until `left` is zero.
struct chain {
    thread_pool* pool = nullptr;
    std::atomic<int> left{0};

    static void run(void* owner, void*, std::uint32_t) noexcept {
        auto& self = *static_cast<chain*>(owner);
        if (--self.left > 0) self.pool->execute({.function = &run, .owner = owner});
    }
};

}  // namespace

TEST_CASE("a thread pool runs as many tasks at once as its width", "[executor][thread_pool]") {
    thread_pool pool{5};
    REQUIRE(pool.width() == 5);
    meeting all{5};
    pool.start();
    for (int i = 0; i < 5; ++i) pool.execute({.function = &meeting::attend, .owner = &all});
    pool.stop();
    CHECK(all.missed == 0);
    CHECK(all.present.count(std::this_thread::get_id()) == 0);
}

TEST_CASE("a burst of tasks wakes every sleeping thread", "[executor][thread_pool]") {
    thread_pool pool{4};
    std::deque<meeting> meetings;  // must outlive the threads of the pool
    pool.start();
    for (int round = 0; round < 200; ++round) {
        meeting& all = meetings.emplace_back(4);
        for (int i = 0; i < 4; ++i) pool.execute({.function = &meeting::attend, .owner = &all});
        std::unique_lock lock{all.mutex};
        REQUIRE(all.come.wait_for(lock, 20s, [&all] { return all.left == 4; }));
        CHECK(all.missed == 0);
    }
    pool.stop();
}

TEST_CASE("by default a thread pool has one thread for each hardware thread", "[executor][thread_pool]") {
    CHECK(thread_pool{}.width() >= 1);
    if (const auto cores = std::thread::hardware_concurrency(); cores != 0) CHECK(thread_pool{}.width() == cores);
}

TEST_CASE("a copy of a thread pool has the same width and is not started", "[executor][thread_pool]") {
    thread_pool pool{3};
    pool.start();
    thread_pool copy = pool;
    CHECK(copy.width() == 3);

    SECTION("so each pool runs its own tasks on its own threads") {
        copy.start();
        meeting all{6};
        for (int i = 0; i < 3; ++i) {
            pool.execute({.function = &meeting::attend, .owner = &all});
            copy.execute({.function = &meeting::attend, .owner = &all});
        }
        copy.stop();
        pool.stop();
        CHECK(all.missed == 0);
    }
    SECTION("and an assignment stops the pool and changes its width") {
        pool = thread_pool{2};
        CHECK(pool.width() == 2);
        meeting all{2};
        pool.start();
        for (int i = 0; i < 2; ++i) pool.execute({.function = &meeting::attend, .owner = &all});
        pool.stop();
        CHECK(all.missed == 0);
    }
}

TEST_CASE("a second start or a second stop of a thread pool does nothing", "[executor][thread_pool]") {
    thread_pool pool{2};
    pool.stop();
    pool.start();
    pool.start();
    chain once{.pool = &pool, .left = 1};
    pool.execute({.function = &chain::run, .owner = &once});
    pool.stop();
    pool.stop();
    CHECK(once.left == 0);
}

TEST_CASE("tasks may call execute, and stop waits for those tasks too", "[executor][thread_pool]") {
    thread_pool pool{3};
    chain many{.pool = &pool, .left = 2000};
    pool.start();
    pool.execute({.function = &chain::run, .owner = &many});
    pool.stop();
    CHECK(many.left == 0);
}

TEST_CASE("the destructor of a thread pool runs all waiting tasks", "[executor][thread_pool]") {
    meeting one{1};
    {
        thread_pool pool{2};
        pool.start();
        pool.execute({.function = &meeting::attend, .owner = &one});
    }
    CHECK(one.present.size() == 1);
}

TEST_CASE("an additional thread replaces one that is blocked, and ends when it is not needed any more",
          "[executor][thread_pool]") {
    thread_pool pool{1};
    pool.start();
    for (int round = 0; round < 20; ++round) {
        // Both tasks must run at once, which one thread could not do.
        meeting two{2};
        pool.execute({.function = &meeting::attend, .owner = &two});
        pool.add_spare_thread();
        pool.execute({.function = &meeting::attend, .owner = &two});
        std::unique_lock lock{two.mutex};
        REQUIRE(two.come.wait_for(lock, 20s, [&two] { return two.left == 2; }));
        CHECK(two.missed == 0);
        lock.unlock();
        pool.remove_spare_thread();
        // A task that arrives while a thread ends must run too.
        meeting one{1};
        pool.execute({.function = &meeting::attend, .owner = &one});
        std::unique_lock one_lock{one.mutex};
        REQUIRE(one.come.wait_for(one_lock, 20s, [&one] { return one.left == 1; }));
    }
    CHECK(pool.width() == 1);
    pool.stop();
}

TEST_CASE("a pool without additional threads runs at most as many tasks at once as its width",
          "[executor][thread_pool]") {
    struct counted {
        std::atomic<int> inside{0}, most{0}, ran{0};
        static void run(void* owner, void*, std::uint32_t) noexcept {
            auto& self = *static_cast<counted*>(owner);
            const int now = ++self.inside;
            for (int seen = self.most; seen < now && !self.most.compare_exchange_weak(seen, now);) {}
            std::this_thread::yield();
            --self.inside;
            ++self.ran;
        }
    } tasks;
    int expected = 2000;
    thread_pool pool{2};
    pool.start();
    for (int i = 0; i < 5; ++i) pool.add_spare_thread();
    for (int i = 0; i < 5; ++i) pool.remove_spare_thread();
    // The surplus threads must end before they take a task.
    for (int i = 0; i < 2000; ++i) pool.execute({.function = &counted::run, .owner = &tasks});
    CHECK(test::eventually([&] { return tasks.ran == 2000; }));
    SECTION("at rest") {}
    SECTION("with surplus threads that have not ended when stop is called") {
        for (int i = 0; i < 5; ++i) pool.add_spare_thread();
        for (int i = 0; i < 5; ++i) pool.remove_spare_thread();
        for (int i = 0; i < 100; ++i) pool.execute({.function = &counted::run, .owner = &tasks});
        expected += 100;
    }
    pool.stop();
    CHECK(tasks.ran == expected);
    CHECK(tasks.most <= 2);
    pool.add_spare_thread();  // does nothing, because the pool is not started
    pool.remove_spare_thread();
    pool.start();
    pool.execute({.function = &counted::run, .owner = &tasks});
    pool.stop();
    CHECK(tasks.ran == expected + 1);
}

}  // namespace unit_executor_thread_pool
