#pragma once

#include <pgq/concept/executor.hpp>
#include <pgq/testing/catch.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace pgq::laws {

/// Counts how often each position ran, without a lock. The thread sanitizer reports a data race if a task runs twice at
/// once, or if `stop()` does not wait for a task.
struct tally {
    explicit tally(std::size_t n) : runs(n) {}

    std::vector<int> runs;
    std::vector<void*> leases = std::vector<void*>(runs.size());
    std::atomic<std::size_t> running{0};
    std::atomic<std::size_t> most_running{0};

    static void run(void* owner, void* lease, std::uint32_t position) noexcept {
        auto& self = *static_cast<tally*>(owner);
        const std::size_t now = ++self.running;
        std::size_t most = self.most_running;
        while (most < now && !self.most_running.compare_exchange_weak(most, now)) {}
        ++self.runs[position];
        self.leases[position] = lease;
        std::this_thread::yield();
        --self.running;
    }
    task at(std::size_t position, void* lease = nullptr) noexcept {
        return {.function = &run, .owner = this, .lease = lease, .position = static_cast<std::uint32_t>(position)};
    }
    bool all_ran_once() const noexcept {
        return std::all_of(runs.begin(), runs.end(), [](int n) { return n == 1; });
    }
};

/// The laws of every executor. `make()` returns one that is not started.
template <executor_policy Executor, class Make>
void check_executor(Make make) {
    Executor executor = make();

    SECTION("its width is at least one and never changes") {
        const std::size_t width = executor.width();
        CHECK(width >= 1);
        executor.start();
        CHECK(executor.width() == width);
        executor.stop();
        CHECK(executor.width() == width);
    }
    SECTION("it starts and stops without work") {
        for (int i = 0; i < 20; ++i) {
            executor.start();
            executor.stop();
        }
    }
    SECTION("when stop returns every task has run exactly once, also tasks that waited") {
        for (const std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{63}, std::size_t{5000}}) {
            tally jobs{n};
            executor.start();
            for (std::size_t i = 0; i < n; ++i) executor.execute(jobs.at(i));
            executor.stop();
            CHECK(jobs.all_ran_once());
            CHECK(jobs.running == 0);
        }
    }
    SECTION("it can be started again any number of times") {
        tally jobs{50 * 40};
        for (std::size_t round = 0; round < 50; ++round) {
            executor.start();
            for (std::size_t i = 0; i < 40; ++i) executor.execute(jobs.at(round * 40 + i));
            executor.stop();
        }
        CHECK(jobs.all_ran_once());
    }
    SECTION("a task that comes after a pause runs although no other task follows") {
        struct counted {
            tally jobs{2000};
            std::atomic<std::uint32_t> finished{0};
        } owner;
        const auto run = [](void* o, void* lease, std::uint32_t position) noexcept {
            auto& [jobs, finished] = *static_cast<counted*>(o);
            tally::run(&jobs, lease, position);
            finished = position + 1;
            finished.notify_one();
        };
        executor.start();
        for (std::uint32_t i = 0; i < 2000; ++i) {
            executor.execute({.function = run, .owner = &owner, .position = i});
            owner.finished.wait(i);
        }
        executor.stop();
        CHECK(owner.jobs.all_ran_once());
    }
    SECTION("at most width() tasks run at once") {
        tally jobs{5000};
        executor.start();
        for (std::size_t i = 0; i < 5000; ++i) executor.execute(jobs.at(i));
        executor.stop();
        CHECK(jobs.most_running <= executor.width());
    }
    SECTION("a task gets its own arguments") {
        tally jobs{500};
        executor.start();
        for (std::size_t i = 0; i < 500; ++i) executor.execute(jobs.at(i, &jobs.runs[i]));
        executor.stop();
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < 500; ++i)
            if (jobs.leases[i] != &jobs.runs[i]) ++wrong;
        CHECK(wrong == 0);
    }
}

}  // namespace pgq::laws
