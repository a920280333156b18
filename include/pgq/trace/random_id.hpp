#pragma once

#include <pgq/detail/unit_random.hpp>
#include <pgq/trace/id.hpp>

#include <pthread.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace pgq::trace {
namespace detail {

/// Counts the forks that led to this process. A generator that was copied by a fork must not go on with its numbers.
inline const std::atomic<unsigned>& count_forks() noexcept {
    static std::atomic<unsigned> forks{0};
    static const int registered = ::pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1); });
    (void)registered;
    return forks;
}

/// xoshiro256++ of D. Blackman and S. Vigna, with 256 bits of the system's entropy.
class generator {
public:
    std::uint64_t operator()() noexcept {
        if (const unsigned now = forks_.load(std::memory_order_relaxed); now != seeded_in_) seed(now);
        const std::uint64_t out = std::rotl(state_[0] + state_[3], 23) + state_[0];
        const std::uint64_t shifted = state_[1] << 17U;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return out;
    }

private:
    void seed(unsigned now) noexcept {
        for (auto& word : state_) {
            const std::uint64_t high = pgq::detail::random_seed();
            word = high << 32U | pgq::detail::random_seed();
        }
        state_[0] |= 1U;  // all zero is the one state that it never leaves
        seeded_in_ = now;
    }

    const std::atomic<unsigned>& forks_ = count_forks();
    unsigned seeded_in_ = static_cast<unsigned>(-1);
    std::array<std::uint64_t, 4> state_{};
};

}  // namespace detail

/// A random id. Each thread has its own generator; after a fork the new process seeds its own. Any thread may call it.
template <class Id>
Id random_id() noexcept {
    thread_local detail::generator next;
    Id made;
    while (!made.is_set())
        for (std::size_t i = 0; i < made.bytes.size(); i += 8) {
            const std::uint64_t bits = next();
            for (std::size_t k = 0; k < 8; ++k) made.bytes[i + k] = static_cast<std::uint8_t>(bits >> 8 * k);
        }
    return made;
}

}  // namespace pgq::trace
