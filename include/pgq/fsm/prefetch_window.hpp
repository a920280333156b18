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
    duration target = std::chrono::milliseconds{20};  ///< how long prefetched jobs should last, 5 x at most
    std::size_t max_bytes = std::size_t{16} << 20;    ///< how large the bodies of all jobs held may be together
};

/// How many jobs a worker should hold: those that run, and as many more as keep it busy for about `target`.
///
///                    claimed()                    as many finished as the claim brought
///     [nothing measured] ------> [measuring a round] ------> what a job cost = time / jobs finished
///             ^                          |                                 |
///             |  no job finished for 5 x target: prefetch 0                |
///             +--------------------------+------------- prefetch ----------+
///                                            x 2  when the claim was full and that much would last up to `target`
///                                            / 2  when what is prefetched lasts longer than 5 x target
///                                             0   when single jobs take longer than 5 x target: an idle worker
///                                                 could do at once what would wait here
///
/// A failed claim (`halve()`) and large bodies (`claimed_bytes()`) set upper bounds on all of this. When the target
/// falls below what is in hand, jobs that have not started may be given back (`dropped()`).
///
/// `finished()` takes the time at which the last job finished, not the time at which the worker learns of it: a worker
/// that waited for a slow server would take its jobs for slow, too. `finished(0, now)` says that time has passed.
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
    /// More than run at once although single jobs take long: the rest should go to an idle worker.
    bool holds_too_many() const noexcept { return prefetch_ == 0 && in_hand_ > slots_; }
    /// When it will, unless a job finishes before.
    steady_time holds_too_many_at() const noexcept {
        return quiet_since_ + duration{static_cast<duration::rep>(longest())} + duration{1};
    }
    /// How many more will have run within `d`, at the pace of the latest ones; none when that is unknown.
    std::uint32_t within(duration d) const noexcept {
        return pace_ < 0 ? 0 : static_cast<std::uint32_t>(std::min<double>(max_prefetch_, nanoseconds(d) / pace_));
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

    /// `n` more from limited lanes: their limits, not this window, say how many.
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
        if (in_hand_ != 0 && n != 0) update_pace(nanoseconds(now - last_finish_) / n);
        in_hand_ -= std::min(n, in_hand_);
        if (n != 0) last_finish_ = now, quiet_since_ = std::max(quiet_since_, now);
        if (stalled) {
            prefetch_ = 0;
            round_size_ = 0;
            pace_ = -1;
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

    /// `n` of the jobs in hand take no slot.
    void set_extra_slots(std::uint32_t n) noexcept {
        slots_ = slots_ - extra_ + n;
        bound_ = std::max(1u, bound_ + n - std::min(bound_ + n, extra_));
        extra_ = n;
    }

    /// A claim failed, perhaps because its answer was too large: hold half as many. Full rounds raise the bound slowly.
    void halve() noexcept { bound_ = std::max(1u, target() / 2); }

private:
    static double nanoseconds(duration d) noexcept {
        return static_cast<double>(std::max(d, duration::zero()).count());
    }
    void update_pace(double each) noexcept {
        each = std::max(each, 1.0);
        pace_ = pace_ < 0 ? each : pace_ + (each - pace_) / 4;
    }
    double longest() const noexcept { return 5 * target_; }

    void end_round(steady_time now) noexcept {
        round_size_ = 0;
        const double each = nanoseconds(now - round_began_) / round_done_;
        if (each * round_running_ > longest()) {
            prefetch_ = 0;
        } else if (each * prefetch_ > longest()) {
            prefetch_ /= 2;
        } else if (round_full_) {
            const std::uint32_t more = prefetch_ == 0 ? 1 : prefetch_ + std::min(prefetch_, max_prefetch_ - prefetch_);
            if (each * more <= target_) prefetch_ = std::min(more, max_prefetch_);
            bound_ += std::min(1 + bound_ / 8, slots_ + max_prefetch_ - bound_);
        }
    }

    std::uint32_t slots_;
    std::uint32_t extra_ = 0;  // of the slots
    std::uint32_t max_prefetch_;
    double target_;  // in nanoseconds
    double max_bytes_;
    std::uint32_t prefetch_;
    std::uint32_t bound_;
    double mean_bytes_ = -1;  // of a body, the latest claims counting most; negative before the first
    double pace_ = -1;        // nanoseconds from one end of a job to the next; negative when unknown
    std::uint32_t in_hand_ = 0;
    std::uint32_t round_size_ = 0;  // 0: none is being measured
    std::uint32_t round_done_ = 0;
    std::uint32_t round_running_ = 0;
    bool round_full_ = false;
    steady_time round_began_{};
    steady_time last_finish_{};
    steady_time quiet_since_{};  // neither a job finished nor one was claimed
};

}  // namespace pgq::fsm
