#pragma once

#include <pgq/fsm/worker_action.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace pgq::fsm {

/// The end of a worker.
///
///     [running] -- begin() --> [finishing] -- grace is over --> interrupt
///                                  |                               |
///                    nothing runs  |               [interrupted] --+-- 1 s --> abandon
///                                  v                    |
///                                stop  <----------------+  nothing runs, or abandoned
///
/// A database that accepts no acknowledgements delays no step by more than `last_grace`.
class shutdown {
public:
    /// What handlers and the database get beyond the grace time.
    static constexpr duration last_grace = std::chrono::seconds{1};

    explicit shutdown(duration grace) noexcept : grace_{grace} {}

    void begin(steady_time now) noexcept {
        phase_ = phase::finishing;
        begun_ = now;
        grace_ends_ = now + grace_;
    }
    bool has_begun() const noexcept { return phase_ != phase::running; }

    steady_time grace_ends() const noexcept { return grace_ends_; }
    /// After it nothing is acknowledged any more.
    steady_time last_sync_at() const noexcept { return grace_ends_ + last_grace; }
    /// Then a worker without a connection, which cannot acknowledge anything, has tried for long enough.
    steady_time give_up_at() const noexcept { return has_begun() ? begun_ + grace_ + last_grace : steady_time::max(); }

    /// What follows when there is nothing to acknowledge before `acknowledge_at`.
    worker_action next(std::uint32_t in_hand, steady_time acknowledge_at, steady_time now) noexcept {
        if (in_hand == 0) return phase_ = phase::over, worker_action{.what = worker_do::stop};
        if (now >= grace_ends_ && phase_ == phase::finishing) {
            phase_ = phase::interrupted;
            grace_ends_ = now + last_grace;
            return {.what = worker_do::interrupt};
        }
        if (now >= grace_ends_ && phase_ == phase::interrupted) {
            grace_ends_ = now + last_grace;
            return {.what = worker_do::abandon};
        }
        const duration left = std::min(grace_ends_, acknowledge_at) - now;
        return {.what = worker_do::wait, .timeout = std::max<duration>(left, std::chrono::milliseconds{1})};
    }

private:
    enum class phase : std::uint8_t { running, finishing, interrupted, over };

    duration grace_;
    phase phase_ = phase::running;
    steady_time begun_{};
    steady_time grace_ends_{};
};

}  // namespace pgq::fsm
