#pragma once

#include <pgq/fsm/full_scan_schedule.hpp>
#include <pgq/fsm/worker_action.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace pgq::fsm {

/// Whether there may be something to claim, and whether to claim it by a full scan.
///
///     [may find more] -- less than asked, a full scan --------------------------------> [drained]
///          ^   |         less than asked, behind cursors, no full scan affordable ----->    |
///          |   +-------- less than asked, behind cursors --> a full scan is next            |
///          +------- notified, poll time, jobs requeued, a deferred job is due, scan time ---+
class claim_schedule {
public:
    explicit claim_schedule(const worker_options& o) noexcept
        : scans_{o.scan_every}, poll_interval_{o.poll_interval}, until_{o.until} {}

    void set_worker_count(std::int64_t workers) noexcept { scans_.set_worker_count(workers); }

    /// A claim brought `n` jobs; `all`: as many as it asked for. `urgent`: the worker was woken for it.
    void claimed(bool from_start, std::uint32_t n, bool all, bool urgent, duration took, steady_time now) noexcept {
        if (from_start && std::exchange(scans_for_wake_, false)) wakes_mislead_ = n == 0;
        if (from_start) scans_.scanned(took, n != 0, now);
        else if (n != 0) scans_.claimed(took);
        if (all) {
            drained_ = false;
        } else if (from_start) {
            drained(now);
        } else if (ends_when_drained() || scans_.affordable(now) ||
                   (n == 0 && urgent && !wakes_mislead_ && !scans_.must_spare(now))) {
            scans_for_wake_ = n == 0 && urgent;
            scans_.invalidate();
        } else {
            drained(now);
            scans_.postpone();
        }
    }
    /// Jobs before the cursors may be claimable: only a full scan finds them.
    void scan_again() noexcept {
        drained_ = ran_since_drained_ = false;
        scans_.invalidate();
    }
    /// Jobs behind the cursors may be claimable.
    void claim_again() noexcept { drained_ = false; }
    /// All jobs in hand have run. Their handlers may have enqueued jobs, so a worker that ends when it is drained scans
    /// once more. `got_limited`: the latest sync claimed jobs of limited lanes. These come few at a time, so the worker
    /// does not scan after each of them.
    void all_ran(bool got_limited) noexcept {
        if (!ends_when_drained()) return;
        if (got_limited) ran_since_drained_ = true;
        else scan_again();
    }
    /// `deferred_due`: the next sync promotes. What it promotes may be before the cursors. If scans are slow, the claim
    /// after that finds these jobs: the cursors then move back.
    void update(bool deferred_due, steady_time now) noexcept {
        const auto postponed = scans_.postponed_until();
        if (deferred_due && !scans_.cheap(now)) claim_again();
        if ((deferred_due && scans_.cheap(now)) || (postponed && now >= *postponed) ||
            (ran_since_drained_ && scans_.due(now)))
            scan_again();
    }
    void polled(steady_time now) noexcept { polled_ = now; }

    bool is_drained() const noexcept { return drained_; }
    /// Jobs have run since the worker was drained, and a full scan must follow when it is due.
    bool ran_since_drained() const noexcept { return ran_since_drained_; }
    bool ends_when_drained() const noexcept { return until_ != run_until::stopped; }
    bool must_poll(steady_time now) const noexcept { return drained_ && now - polled_ >= poll_interval_; }
    bool scan_due(bool asleep, steady_time now) const noexcept {
        return (asleep && scans_.affordable(now)) || scans_.due(now);
    }
    bool scan_postponed() const noexcept { return scans_.postponed_until().has_value(); }
    /// Whether the claim before a sleep is a full scan: not shortly after another one that was slow.
    bool scans_before_sleep(steady_time now) const noexcept { return !scan_postponed() && !scans_.must_spare(now); }

    /// How long until one of these answers can change, at most `left`.
    duration until(duration left, steady_time now) const noexcept {
        if (drained_) left = std::min<duration>(left, polled_ + poll_interval_ - now);
        if (const auto at = scans_.postponed_until()) left = std::min<duration>(left, *at - now);
        if (ran_since_drained_) left = std::min<duration>(left, scans_.due_at() - now);
        return left;
    }

private:
    void drained(steady_time now) noexcept {
        drained_ = true;
        polled_ = now;
    }

    full_scan_schedule scans_;
    duration poll_interval_;
    run_until until_;
    bool drained_ = false;
    bool ran_since_drained_ = false;
    bool scans_for_wake_ = false;  // the next full scan looks for the jobs of a wake-up
    bool wakes_mislead_ =
        false;  // the latest one found none: the wake-up was for a deferred job, or for another worker
    steady_time polled_{};
};

}  // namespace pgq::fsm
