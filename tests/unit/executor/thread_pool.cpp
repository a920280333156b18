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

// Lets nobody pass before `expected` have come; gives up at a deadline, so that a pool that is too narrow fails and
// does not hang.
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

// A task that hands in the next one until `left` is used up.
struct chain {
    thread_pool* pool = nullptr;
    std::atomic<int> left{0};

    static void run(void* owner, void*, std::uint32_t) noexcept {
        auto& self = *static_cast<chain*>(owner);
        if (--self.left > 0) self.pool->execute({.function = &run, .owner = owner});
    }
};

}  // namespace

TEST_CASE("a thread pool runs as many tasks at once as it is wide", "[executor][thread_pool]") {
    thread_pool pool{5};
    REQUIRE(pool.width() == 5);
    meeting all{5};
    pool.start();
    for (int i = 0; i < 5; ++i) pool.execute({.function = &meeting::attend, .owner = &all});
    pool.stop();
    CHECK(all.missed == 0);
    CHECK(all.present.count(std::this_thread::get_id()) == 0);
}

TEST_CASE("threads that have gone to sleep are woken for a burst, each of them", "[executor][thread_pool]") {
    thread_pool pool{4};
    std::deque<meeting> meetings;  // they outlive the pool's threads
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

TEST_CASE("a thread pool of no stated width is as wide as the machine", "[executor][thread_pool]") {
    CHECK(thread_pool{}.width() >= 1);
    if (const auto cores = std::thread::hardware_concurrency(); cores != 0) CHECK(thread_pool{}.width() == cores);
}

TEST_CASE("a copy of a thread pool has its width and is not started", "[executor][thread_pool]") {
    thread_pool pool{3};
    pool.start();
    thread_pool copy = pool;
    CHECK(copy.width() == 3);

    SECTION("so each runs its own tasks on its own threads") {
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
    SECTION("and assigning stops and changes the width") {
        pool = thread_pool{2};
        CHECK(pool.width() == 2);
        meeting all{2};
        pool.start();
        for (int i = 0; i < 2; ++i) pool.execute({.function = &meeting::attend, .owner = &all});
        pool.stop();
        CHECK(all.missed == 0);
    }
}

TEST_CASE("starting a started thread pool and stopping a stopped one changes nothing", "[executor][thread_pool]") {
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

TEST_CASE("tasks may hand in further tasks, and stop waits for those as well", "[executor][thread_pool]") {
    thread_pool pool{3};
    chain many{.pool = &pool, .left = 2000};
    pool.start();
    pool.execute({.function = &chain::run, .owner = &many});
    pool.stop();
    CHECK(many.left == 0);
}

TEST_CASE("a thread pool that goes out of scope runs what waits", "[executor][thread_pool]") {
    meeting one{1};
    {
        thread_pool pool{2};
        pool.start();
        pool.execute({.function = &meeting::attend, .owner = &one});
    }
    CHECK(one.present.size() == 1);
}

TEST_CASE("a stand-in makes up for a task that does not end, and one thread less runs when it has ended",
          "[executor][thread_pool]") {
    thread_pool pool{1};
    pool.start();
    for (int round = 0; round < 20; ++round) {
        // Both tasks are there at once, with one thread they could not be.
        meeting two{2};
        pool.execute({.function = &meeting::attend, .owner = &two});
        pool.stand_in();
        pool.execute({.function = &meeting::attend, .owner = &two});
        std::unique_lock lock{two.mutex};
        REQUIRE(two.come.wait_for(lock, 20s, [&two] { return two.left == 2; }));
        CHECK(two.missed == 0);
        lock.unlock();
        pool.stand_down();
        // What is handed in while a thread ends is run all the same.
        meeting one{1};
        pool.execute({.function = &meeting::attend, .owner = &one});
        std::unique_lock one_lock{one.mutex};
        REQUIRE(one.come.wait_for(one_lock, 20s, [&one] { return one.left == 1; }));
    }
    CHECK(pool.width() == 1);
    pool.stop();
}

TEST_CASE("a pool that has stood down runs no more at once than it is wide", "[executor][thread_pool]") {
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
    for (int i = 0; i < 5; ++i) pool.stand_in();
    for (int i = 0; i < 5; ++i) pool.stand_down();
    // The surplus threads end before they take a task.
    for (int i = 0; i < 2000; ++i) pool.execute({.function = &counted::run, .owner = &tasks});
    CHECK(test::eventually([&] { return tasks.ran == 2000; }));
    SECTION("at rest") {}
    SECTION("with threads that are to end when it is told to stop") {
        for (int i = 0; i < 5; ++i) pool.stand_in();
        for (int i = 0; i < 5; ++i) pool.stand_down();
        for (int i = 0; i < 100; ++i) pool.execute({.function = &counted::run, .owner = &tasks});
        expected += 100;
    }
    pool.stop();
    CHECK(tasks.ran == expected);
    CHECK(tasks.most <= 2);
    pool.stand_in();  // it is not started: nothing to make up for
    pool.stand_down();
    pool.start();
    pool.execute({.function = &counted::run, .owner = &tasks});
    pool.stop();
    CHECK(tasks.ran == expected + 1);
}

}  // namespace unit_executor_thread_pool
