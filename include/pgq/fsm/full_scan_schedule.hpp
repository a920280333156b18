#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace pgq::fsm {

/// When a worker claims from the start of its lanes (a full scan), and when behind its cursors.
///
/// A claim behind the cursors does not find jobs that were enqueued later with a better rank, and jobs that were given
/// back: these are before the cursors. A full scan finds them, but it is slow if an old snapshot keeps dead rows there.
///
///     due():              a scan was last made `every` ago; longer ago if scans are slow or there are many workers
///     cheap():            the same for scans that claim something, whose own time is not known
///     affordable():       with a scan now, scans take no more than a twentieth of the worker's time
///     postponed_until():  a claim behind the cursors brought too few jobs, and no scan was affordable: when it is
class full_scan_schedule {
public:
    /// `every`: how long a worker may claim behind its cursors without a full scan.
    explicit full_scan_schedule(duration every) noexcept : every_{every} {}

    void set_worker_count(std::int64_t workers) noexcept { workers_ = std::clamp<std::int64_t>(workers, 1, 400); }

    /// A full scan has taken the time `took`. `found`: it claimed jobs; if not, `took` is the cost of scanning alone.
    /// If it did, scanning costs what it took longer than a claim behind the cursors, if that is clearly more;
    /// otherwise less than before.
    void scanned(duration took, bool found, steady_time now) noexcept {
        cursors_valid_since_ = last_scan_at_ = now;
        last_scan_time_ = took;
        postponed_until_.reset();
        if (!found) empty_scan_time_ = took;
        else if (claim_time_ > duration{})
            empty_scan_time_ = took > 2 * claim_time_ ? took - claim_time_ : std::min(empty_scan_time_ / 2, took);
    }
    /// A claim behind the cursors has brought jobs. The longest time of the latest ones counts.
    void claimed(duration took) noexcept { claim_time_ = std::max<duration>(took, claim_time_ - claim_time_ / 8); }
    /// There may be jobs before the cursors: a scan is due.
    void invalidate() noexcept {
        cursors_valid_since_ = {};
        postponed_until_.reset();
    }
    /// Claims go on behind the cursors until a scan is affordable.
    void postpone() noexcept { postponed_until_ = affordable_at(); }

    /// Full scans are rationed: all workers together spend no more time on them than one worker would alone. The jobs
    /// that one scan finds are found for all workers.
    bool due(steady_time now) const noexcept { return now >= due_at(); }
    steady_time due_at() const noexcept {
        const duration rationed =
            std::min(std::min(20 * last_scan_time_, longest_interval) * workers_, longest_interval_of_many);
        return cursors_valid_since_ + std::max<duration>(every_ * std::max<std::int64_t>(workers_ / 4, 1), rationed);
    }

    /// With a scan now, scans and what they claim take no more than a twentieth of the worker's time.
    bool cheap(steady_time now) const noexcept {
        return now >= last_scan_at_ + std::min<duration>(20 * last_scan_time_, longest_interval);
    }
    bool affordable(steady_time now) const noexcept { return now >= affordable_at(); }
    /// Scans are slow, and none is affordable.
    bool must_spare(steady_time now) const noexcept { return empty_scan_time_ >= slow && !affordable(now); }
    std::optional<steady_time> postponed_until() const noexcept { return postponed_until_; }

private:
    static constexpr duration slow = std::chrono::milliseconds{20};
    static constexpr duration longest_interval = std::chrono::seconds{5};           // of one worker
    static constexpr duration longest_interval_of_many = std::chrono::seconds{30};  // of many workers
    static constexpr duration longest_postponement = std::chrono::seconds{1};

    steady_time affordable_at() const noexcept {
        return last_scan_at_ + std::min<duration>(20 * empty_scan_time_, longest_postponement);
    }

    duration every_;
    steady_time cursors_valid_since_{};  // the latest scan; time zero after invalidate(), so that a scan is due
    steady_time last_scan_at_{};
    duration last_scan_time_{};
    duration empty_scan_time_{};  // what the latest scan cost, beyond the claim
    duration claim_time_{};       // of a claim behind the cursors
    std::int64_t workers_ = 1;    // all workers of the schema, not only those of this queue
    std::optional<steady_time> postponed_until_;
};

}  // namespace pgq::fsm
