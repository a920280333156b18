#pragma once

#include <pgq/concept/backoff.hpp>
#include <pgq/testing/catch.hpp>

#include <array>
#include <atomic>
#include <climits>
#include <cstddef>
#include <thread>
#include <vector>

namespace pgq::laws {

/// The laws of every back-off. `make()` returns one.
template <backoff_policy Backoff, class Make>
void check_backoff(Make make) {
    const Backoff backoff = make();
    const std::array late{1'000'000, INT_MAX / 2, INT_MAX - 1, INT_MAX};

    SECTION("no delay is negative") {
        for (int attempt = 1; attempt <= 1000; ++attempt)
            if (backoff.delay(attempt) < duration::zero()) FAIL_CHECK("attempt " << attempt);
        for (const int attempt : late)
            if (backoff.delay(attempt) < duration::zero()) FAIL_CHECK("attempt " << attempt);
    }
    SECTION("several threads may ask for attempts in any order") {
        std::atomic<std::size_t> negative{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&backoff, &negative, t] {
                for (int i = 0; i < 2000; ++i)
                    if (backoff.delay(1 + (i * 7919 + t) % 500) < duration::zero()) ++negative;
            });
        for (auto& thread : threads) thread.join();
        CHECK(negative == 0);
    }
    SECTION("a copy keeps the laws too") {
        const Backoff copy = backoff;
        for (const int attempt : late) CHECK(copy.delay(attempt) >= duration::zero());
    }
}

}  // namespace pgq::laws
