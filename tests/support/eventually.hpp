#pragma once

#include <poll.h>

#include <chrono>

namespace test {

/// How long a test waits for what must come: far more than it takes, so that a busy machine fails nothing.
inline constexpr std::chrono::seconds long_enough{60};

/// Asks every few milliseconds until `condition` holds; false when it did not in time.
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
    return eventually(long_enough, condition);
}

/// Whether `condition` holds all the time. For what must not happen: such a watch is as long as it says.
template <class Condition>
bool always(std::chrono::steady_clock::duration during, Condition condition) {
    return !eventually(during, [&] { return !condition(); });
}

}  // namespace test
