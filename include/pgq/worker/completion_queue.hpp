#pragma once

#include <pgq/job/exchange.hpp>
#include <pgq/time/clock.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

struct held_lease;

/// What became of one job, as it has to be written down.
struct job_result {
    bool gone = true;        ///< done or discarded: nothing but its bit in the mask, when nobody wants to know more
    bool told = false;       ///< somebody does
    bool exhausted = false;  ///< held because it was the last attempt: not if it was to stop
    bool aside = false;      ///< the handler has ended the lease itself: there is nothing to tell
    settle_kind kind = settle_kind::done;
    duration delay{};
    std::string reason{};
    std::optional<std::string> result{};
};

struct completion {
    held_lease* slot = nullptr;
    std::uint32_t position = 0;
    job_result what{};
};

/// Where handlers' threads leave finished jobs for the worker's own thread. Both sides keep their memory.
class completion_queue {
public:
    /// True when the worker should be woken: for the first since it last looked, for the one it waits for, and for whatever
    /// is not simply done.
    bool put(held_lease* slot, std::uint32_t position, job_result&& what) {
        const bool urgent = !what.gone || what.told;
        const std::lock_guard lock{mutex_};
        notes_.push_back({slot, position, std::move(what)});
        last_ = std::chrono::steady_clock::now();
        return urgent || notes_.size() == 1 || notes_.size() == enough_.load(std::memory_order_relaxed);
    }
    /// With so many the worker wants to know.
    void expect(std::uint32_t enough) noexcept { enough_.store(enough, std::memory_order_relaxed); }

    /// Takes all; `into` must be empty and gets its memory back the next time. When the last of them was put here.
    steady_time take(std::vector<completion>& into) {
        const std::lock_guard lock{mutex_};
        notes_.swap(into);
        return last_;
    }

private:
    std::mutex mutex_;
    std::vector<completion> notes_;
    steady_time last_{};
    std::atomic<std::uint32_t> enough_{1};
};

}  // namespace pgq::detail
