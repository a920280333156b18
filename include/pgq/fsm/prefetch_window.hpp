#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace pgq::fsm {

struct window_options {
    std::uint32_t slots = 1;                          ///< how many jobs run at once; at least 1
    std::uint32_t max_prefetch = 1000;                ///< how many more may be held; 0: none, ever
    duration target = std::chrono::milliseconds{20};  ///< how long the prefetched jobs should keep the worker busy
    std::size_t max_bytes = std::size_t{16} << 20;    ///< bytes that the payloads of all held jobs may have together
};

/// How many jobs a worker should hold: those that run, and as many more (the prefetch) as keep it busy for about
/// `target`. It measures rounds: a round begins with a claim and ends when as many jobs have finished as the claim
/// brought.
///
///                    claimed()                    as many finished as the claim brought
///     [nothing measured] ------> [measuring a round] ------> time per job = time of the round / jobs finished
///             ^                          |                                 |
///             |  no job finished for 5 x target: prefetch 0                |
///             +--------------------------+------------- prefetch ----------+
///                                            x 2  if the claim was full and twice the prefetch lasts up to `target`
///                                            / 2  if the prefetch lasts longer than 5 x target
///                                             0   if one job takes longer than 5 x target: an idle worker could run
///                                                 at once the jobs that would wait here
///
/// A failed claim (`halve()`) and large payloads (`claimed_bytes()`) set upper bounds on target(). If the worker
/// holds more jobs than target(), it may give back jobs that have not started (`dropped()`).
///
/// `finished()` takes the time at which the last job finished, not the time at which the worker receives the result.
/// Otherwise the time in which the worker waits for a slow server would count as run time of its jobs. `finished(0,
/// now)` only reports the time.
class prefetch_window {
public:
    explicit prefetch_window(window_options options = {}) noexcept
        : slots_{std::max<std::uint32_t>(options.slots, 1)},
          max_prefetch_{std::min(options.max_prefetch, std::numeric_limits<std::uint32_t>::max() - slots_)},
          target_{static_cast<double>(std::max<duration>(options.target, std::chrono::microseconds{1}).count())},
          max_bytes_{static_cast<double>(options.max_bytes)},
          prefetch_{std::min(slots_, max_prefetch_)},
          bound_{slots_ + max_prefetch_} {}

    /// How many jobs to hold, running ones included; at least 1.
    std::uint32_t target() const noexcept {
        const std::uint32_t wanted = std::min(slots_ + prefetch_, bound_);
        const double fitting = mean_bytes_ > 0 ? max_bytes_ / mean_bytes_ : static_cast<double>(wanted);
        return fitting < wanted ? std::max(1u, static_cast<std::uint32_t>(fitting)) : wanted;
    }
    std::uint32_t in_hand() const noexcept { return in_hand_; }
    /// Whether jobs take long and the worker holds more of them than it can run at once. It should give the others
    /// back, so that an idle worker runs them. Not before holds_too_many_at(): jobs of the latest claim may begin, and
    /// a worker that gave them back at once would claim them again.
    bool holds_too_many(steady_time now) const noexcept {
        return prefetch_ == 0 && in_hand_ > slots_ && now >= holds_too_many_at();
    }
    /// When holds_too_many() becomes true if no job finishes before and none is claimed.
    steady_time holds_too_many_at() const noexcept {
        return quiet_since_ + duration{static_cast<duration::rep>(longest())} + duration{1};
    }
    /// How many jobs will finish within `d`, if they go on as the latest ones; 0 if that is unknown.
    std::uint32_t within(duration d) const noexcept {
        if (time_between_ends_ < 0) return 0;
        return static_cast<std::uint32_t>(std::min<double>(max_prefetch_, nanoseconds(d) / time_between_ends_));
    }
    /// How many to claim now.
    std::uint32_t room() const noexcept { return target() - std::min(target(), in_hand_); }

    /// A claim of at most `limit` jobs brought `n`.
    void claimed(std::uint32_t n, std::uint32_t limit, steady_time now) noexcept {
        if (n == 0) return;
        claimed_limited(n, now);
        if (round_size_ != 0) return;
        round_size_ = n;
        round_done_ = 0;
        round_full_ = n >= limit;
        round_running_ = std::min(slots_, in_hand_);
        round_began_ = now;
    }

    /// A claim brought `n` jobs of limited lanes: their limits, not this window, say how many. They begin no round.
    void claimed_limited(std::uint32_t n, steady_time now) noexcept {
        if (in_hand_ == 0) last_finish_ = now;
        quiet_since_ = now;
        in_hand_ += n;
    }

    /// The bodies of the `n` jobs of a claim have so many bytes together.
    void claimed_bytes(std::size_t bytes, std::uint32_t n) noexcept {
        if (n == 0) return;
        const double mean = static_cast<double>(bytes) / n;
        mean_bytes_ = mean_bytes_ < 0 ? mean : mean_bytes_ + (mean - mean_bytes_) / 4;
    }

    /// `n` jobs have finished since the last call, the last of them at `now`.
    void finished(std::uint32_t n, steady_time now) noexcept {
        const bool stalled = in_hand_ != 0 && nanoseconds(now - quiet_since_) > longest() * std::max(n, 1u);
        if (in_hand_ != 0 && n != 0) update_time_between_ends(nanoseconds(now - last_finish_) / n);
        in_hand_ -= std::min(n, in_hand_);
        if (n != 0) last_finish_ = now, quiet_since_ = std::max(quiet_since_, now);
        if (stalled) {
            prefetch_ = 0;
            round_size_ = 0;
            time_between_ends_ = -1;
        } else if (round_size_ != 0) {
            round_done_ += n;
            if (round_done_ >= round_size_) end_round(now);
        }
    }

    /// `n` jobs have left without having run: given back, or lost with their lease.
    void dropped(std::uint32_t n) noexcept {
        if (n == 0) return;
        in_hand_ -= std::min(n, in_hand_);
        round_size_ = 0;
    }

    /// `n` of the jobs in hand occupy no thread: the worker may hold `n` jobs more.
    void set_extra_slots(std::uint32_t n) noexcept {
        slots_ = slots_ - extra_slots_ + n;
        bound_ = std::max(1u, bound_ + n - std::min(bound_ + n, extra_slots_));
        extra_slots_ = n;
    }

    /// A claim failed, perhaps because its answer was too large: from now on target() is at most half of what it was.
    /// Each round with a full claim raises this bound by an eighth.
    void halve() noexcept { bound_ = std::max(1u, target() / 2); }

private:
    static double nanoseconds(duration d) noexcept {
        return static_cast<double>(std::max(d, duration::zero()).count());
    }
    // A moving average: the latest value counts a quarter.
    void update_time_between_ends(double latest) noexcept {
        latest = std::max(latest, 1.0);
        time_between_ends_ = time_between_ends_ < 0 ? latest : time_between_ends_ + (latest - time_between_ends_) / 4;
    }
    double longest() const noexcept { return 5 * target_; }

    void end_round(steady_time now) noexcept {
        round_size_ = 0;
        const double time_per_job = nanoseconds(now - round_began_) / round_done_;
        if (time_per_job * round_running_ > longest()) {  // how long one job takes: several run at once
            prefetch_ = 0;
        } else if (time_per_job * prefetch_ > longest()) {
            prefetch_ /= 2;
        } else if (round_full_) {
            const std::uint32_t more = prefetch_ == 0 ? 1 : prefetch_ + std::min(prefetch_, max_prefetch_ - prefetch_);
            if (time_per_job * more <= target_) prefetch_ = std::min(more, max_prefetch_);
            bound_ += std::min(1 + bound_ / 8, slots_ + max_prefetch_ - bound_);
        }
    }

    std::uint32_t slots_;            // jobs that run at once, and the extra slots
    std::uint32_t extra_slots_ = 0;  // part of slots_
    std::uint32_t max_prefetch_;
    double target_;  // in nanoseconds
    double max_bytes_;
    std::uint32_t prefetch_;
    std::uint32_t bound_;            // upper bound of target()
    double mean_bytes_ = -1;         // moving average of a payload; negative before the first claim
    double time_between_ends_ = -1;  // moving average, in nanoseconds, of two jobs that finish; negative: unknown
    std::uint32_t in_hand_ = 0;
    std::uint32_t round_size_ = 0;     // jobs that the claim brought; 0: no round is being measured
    std::uint32_t round_done_ = 0;     // of these, how many have finished
    std::uint32_t round_running_ = 0;  // jobs that run at once in the round
    bool round_full_ = false;          // the claim brought as many jobs as it asked for
    steady_time round_began_{};
    steady_time last_finish_{};
    steady_time quiet_since_{};  // since then no job has finished, and none was claimed
};

}  // namespace pgq::fsm
