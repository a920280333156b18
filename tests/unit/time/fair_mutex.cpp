#include <pgq/time/fair_mutex.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace unit_time_fair_mutex {

namespace {

using namespace std::chrono_literals;
using pgq::detail::fair_mutex;
using pgq::detail::lock_until;

std::chrono::steady_clock::time_point in(std::chrono::milliseconds t) { return std::chrono::steady_clock::now() + t; }

}  // namespace

TEST_CASE("a thread that waits gets a fair mutex before the thread that had it asks again", "[time][mutex]") {
    fair_mutex m;
    std::string order;
    m.lock();
    std::jthread other{[&] {
        const std::lock_guard lock{m};
        order += "other ";
    }};
    REQUIRE(test::eventually([&] { return m.has_waiters(); }));
    m.unlock();
    m.lock();
    order += "first";
    m.unlock();
    CHECK(order == "other first");
}

TEST_CASE("a thread that gives up at its deadline does not keep those behind it from a fair mutex", "[time][mutex]") {
    fair_mutex m;
    std::vector<int> order;
    m.lock();
    std::vector<std::jthread> threads;
    const auto wait_for_it = [&](int n) {
        threads.emplace_back([&m, &order, n] {
            const std::lock_guard lock{m};
            order.push_back(n);
        });
    };
    SECTION("the only one") {}
    SECTION("behind another one") { wait_for_it(1); }
    if (!threads.empty()) REQUIRE(test::eventually([&] { return m.has_waiters(); }));
    std::unique_lock late{m, std::defer_lock};
    CHECK_FALSE(lock_until(late, in(20ms)));
    CHECK_FALSE(late.owns_lock());
    CHECK(m.has_waiters() == !threads.empty());
    m.unlock();
    threads.clear();
    CHECK(order.size() <= 1);
    REQUIRE(lock_until(late, in(1min)));
    CHECK(late.owns_lock());
}

TEST_CASE("a fair mutex excludes threads that lock it with and without a deadline", "[time][mutex]") {
    fair_mutex m;
    int n = 0, given_up = 0;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 2000; ++i) {
                std::unique_lock lock{m, std::defer_lock};
                if (lock_until(lock, t % 2 == 0 ? pgq::steady_time::max() : in(1min))) ++n;
            }
        });
    threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i) {
            std::unique_lock lock{m, std::defer_lock};
            if (!lock_until(lock, in(0ms))) ++given_up;
        }
    });
    threads.clear();
    CHECK(n == 8000);
    CHECK(given_up <= 200);
    CHECK_FALSE(m.has_waiters());
}

}  // namespace unit_time_fair_mutex
