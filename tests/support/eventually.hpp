#pragma once

#include <poll.h>

#include <chrono>

namespace test {

/// How long a test waits for something that must happen. It is much longer than needed, so that no test fails on a busy
/// machine.
inline constexpr std::chrono::seconds test_timeout{60};

/// Checks `condition()` every few milliseconds until it is true. Returns false after the time limit.
template <class Condition>
bool eventually(std::chrono::steady_clock::duration within, Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        ::poll(nullptr, 0, 5);
    }
    return true;
}

template <class Condition>
bool eventually(Condition condition) {
    return eventually(test_timeout, condition);
}

/// Returns whether `condition()` stays true for the whole time. For something that must not happen; it always takes the
/// full time.
template <class Condition>
bool always(std::chrono::steady_clock::duration during, Condition condition) {
    return !eventually(during, [&] { return !condition(); });
}

}  // namespace test
