#pragma once

#include <pgq/protocol/sync.hpp>
#include <pgq/time/clock.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

struct held_lease;

/// How one job ended, as the database has to record it.
struct job_result {
    bool gone = true;        ///< done or discarded: nothing but its bit in the mask, unless the job is tracked
    bool tracked = false;    ///< somebody waits for its end
    bool exhausted = false;  ///< held because it was the last attempt: not if it was to stop
    /// The handler has ended the lease itself: there is nothing to acknowledge. `gone`: the job has ended, as `kind`.
    bool settled_by_handler = false;
    settle_kind kind = settle_kind::done;
    duration delay{};
    duration ran{-1};  ///< how long its handler took; negative: it was not called
    std::string reason{};
    std::optional<std::string> result{};
};

/// Whether the job is claimable again at once.
inline bool goes_back(const job_result& r) noexcept {
    return !r.gone && r.delay <= duration{} && r.kind != settle_kind::hold;
}

struct completion {
    // A constructor, so that emplace_back moves the result once.
    completion(held_lease* of, std::uint32_t at, job_result&& how) noexcept
        : slot{of}, position{at}, what{std::move(how)} {}

    held_lease* slot;
    std::uint32_t position;
    job_result what;
};

/// Where handlers' threads put finished jobs for the worker's own thread. Both sides keep their memory.
class completion_queue {
public:
    /// `now`: when the job finished. True when the worker should be woken: for the first since it last took, for the
    /// one it waits for, and for whatever is not simply done.
    bool put(held_lease* slot, std::uint32_t position, job_result&& what, steady_time now) {
        const bool urgent = !what.gone || what.tracked;
        const std::lock_guard lock{mutex_};
        completions_.emplace_back(slot, position, std::move(what));
        last_ = now;
        return urgent || completions_.size() == 1 ||
               completions_.size() == wake_threshold_.load(std::memory_order_relaxed);
    }
    /// The worker wants to be woken when there are `n`.
    void wake_at(std::uint32_t n) noexcept { wake_threshold_.store(n, std::memory_order_relaxed); }

    /// Takes all; `into` must be empty and gets its memory back the next time. Returns when the last of them finished.
    steady_time take(std::vector<completion>& into) {
        const std::lock_guard lock{mutex_};
        completions_.swap(into);
        return last_;
    }

private:
    std::mutex mutex_;
    std::vector<completion> completions_;
    steady_time last_{};
    std::atomic<std::uint32_t> wake_threshold_{1};
};

}  // namespace pgq::detail
