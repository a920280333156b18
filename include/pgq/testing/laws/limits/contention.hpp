#pragma once

#include <pgq/testing/laws/limits/fixture.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace pgq::laws {

/// Several sessions claim and finish at the same time, with random pauses. The running jobs never exceed the limits.
template <class Driver, class Make>
void check_limits_under_contention(Make make, int rounds = 40) {
    SECTION("limits are never exceeded while claims and ends overlap") {
        limited_fixture<Driver> w{
            make(), {{.kind = limit_kind::running, .amount = 3}, {.kind = limit_kind::running_by_key, .amount = 1}}};
        std::atomic<int> running{0}, most{0}, twice{0}, failed{0};
        std::mutex mutex;
        std::multiset<std::string> keys;
        const int jobs = rounds * 4;
        strings texts, names;
        for (int i = 0; i < jobs; ++i) texts.push_back(std::to_string(i % 5)), names.push_back(texts.back());
        w.enqueue_keyed(texts, names);
        std::vector<test_worker<typename Driver::session>> parties;
        for (int i = 0; i < 6; ++i) parties.push_back(w.w.worker({w.lane}));
        std::atomic<int> left{jobs};
        const auto deadline = std::chrono::steady_clock::now() + law_timeout * (2 + rounds / 100);
        const auto work = [&](test_worker<typename Driver::session>& p, unsigned seed) {
            std::mt19937 random{seed};
            const limited_lane wanted{.lane = w.lane, .most = 2, .max_attempts = 5};
            sync_reply got, ended;
            while (left > 0 && std::chrono::steady_clock::now() < deadline) {
                if (!p.try_exchange({.limited = {&wanted, 1}, .limited_capacity = 2}, got)) ++failed;
                const auto n = static_cast<int>(got.claimed());
                if (n == 0) {
                    std::this_thread::yield();
                    continue;
                }
                const int now = running += n;
                for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
                {
                    const std::lock_guard lock{mutex};
                    for (const auto& j : in_order(got))
                        twice += keys.contains(std::string{j.body}) ? 1 : 0, keys.emplace(j.body);
                }
                for (auto pause = random() % 200; pause > 0; --pause) std::this_thread::yield();
                {
                    const std::lock_guard lock{mutex};
                    for (const auto& j : in_order(got)) keys.erase(keys.find(std::string{j.body}));
                }
                running -= n;
                const auto refs = leases_of(got);
                if (!p.try_exchange({.finished = refs}, ended)) ++failed;
                left -= n;
            }
        };
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < parties.size(); ++i)
                threads.emplace_back([&, i] { work(parties[i], static_cast<unsigned>(i)); });
        }
        CHECK(left == 0);
        CHECK(most <= 3);
        CHECK(twice == 0);
        CHECK(failed == 0);
    }
}

}  // namespace pgq::laws
