#pragma once

#include <pgq/backoff/spec.hpp>
#include <pgq/error/condition.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace pgq::detail {

/// What the caller of `supervision` does next.
enum class supervision_do : std::uint8_t {
    start,    // run `part` in a thread of its own; ended() when it has returned
    stop,     // ask all parts to stop
    end_now,  // end the process at once
    finish,   // nothing runs: return outcome()
    wait,     // until an event, or `until`
};

struct supervision_action {
    supervision_do what = supervision_do::wait;
    std::size_t part = 0;
    steady_time until = steady_time::max();
};

/// Decides when the parts of a program (its workers) start, start again, and stop. No thread, no signal, no clock.
///
///     [waiting] -- its time --> start --> [running] -- ended without an error --------------> [done]
///         ^                                   |------- transient or contention, not stopping --+
///         |                                   |                                                |
///         +----- after the back-off ----------+------- another error --> all parts stop        |
///         +------------------------------------------------------------------------------------+
///
///     the first signal, a stop request --> stop, and finish when nothing runs
///     the second signal -----------------> end_now
///
/// A part that was ready for at least as long as its last pause starts over with the first pause.
class supervision {
public:
    supervision(std::size_t parts, const backoff::spec& pauses) : pauses_{pauses}, parts_(parts) {}

    supervision_action next(steady_time now) noexcept {
        if (signals_ > 1) return {.what = supervision_do::end_now};
        if (stopping_ && !std::exchange(told_, true)) return {.what = supervision_do::stop};
        bool any_left = false;
        steady_time until = steady_time::max();
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            auto& p = parts_[i];
            if (p.state == phase::waiting && !stopping_) {
                if (now >= p.start_at) {
                    p.state = phase::running;
                    return {.what = supervision_do::start, .part = i};
                }
                until = std::min(until, p.start_at);
                any_left = true;
            }
            any_left = any_left || p.state == phase::running;
        }
        if (!any_left) return {.what = supervision_do::finish};
        return {.what = supervision_do::wait, .until = until};
    }

    void became_ready(std::size_t part, steady_time now) noexcept {
        if (!parts_[part].ready_since) parts_[part].ready_since = now;
    }
    /// Its run has returned. Returns the pause before it starts again; empty if it does not.
    std::optional<duration> ended(std::size_t part, const result<void>& how, steady_time now) {
        auto& p = parts_[part];
        const auto ready_since = std::exchange(p.ready_since, std::nullopt);
        p.state = phase::done;
        if (how) return std::nullopt;
        const bool passes = how.error() == condition::transient || how.error() == condition::contention;
        if (!passes) {
            if (outcome_) outcome_ = how;
            stopping_ = true;
        }
        if (stopping_) return std::nullopt;
        if (ready_since && now - *ready_since >= p.pause) p.failures = 0;
        if (p.failures != std::numeric_limits<int>::max()) ++p.failures;
        p.pause = pauses_.delay(p.failures);
        p.start_at = p.pause < steady_time::max() - now ? now + p.pause : steady_time::max();
        p.state = phase::waiting;
        return p.pause;
    }
    void stop_requested() noexcept { stopping_ = true; }
    void signalled() noexcept {
        stopping_ = true;
        if (signals_ < 2) ++signals_;
    }

    bool stopping() const noexcept { return stopping_; }
    bool runs(std::size_t part) const noexcept { return parts_[part].state == phase::running; }
    bool is_done(std::size_t part) const noexcept { return parts_[part].state == phase::done; }
    /// The error that stopped all parts, if there was one.
    const result<void>& outcome() const noexcept { return outcome_; }

private:
    enum class phase : std::uint8_t { waiting, running, done };
    struct progress {
        phase state = phase::waiting;
        int failures = 0;
        duration pause{};
        steady_time start_at = steady_time::min();
        std::optional<steady_time> ready_since{};
    };

    backoff::spec pauses_;
    std::vector<progress> parts_;
    result<void> outcome_{};
    int signals_ = 0;
    bool stopping_ = false;
    bool told_ = false;
};

}  // namespace pgq::detail
