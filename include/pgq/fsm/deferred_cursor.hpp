#pragma once

#include <pgq/protocol/deferred_position.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace pgq::fsm {

/// Where a session begins to read deferred jobs in the order of their times (the cursor), and when it reads them from
/// the start (a full scan). All times are of the database's clock.
///
/// While a transaction holds an old snapshot, the entries of promoted jobs stay in the index, before those of the jobs
/// that wait. A promotion or a peek behind the cursor does not walk over them. The cursor is never after the first job
/// that the latest peek saw, nor after the time of that peek. So the cursor hides a job only if its transaction
/// committed after the job's own time, or if the clock was set back. A full scan finds these jobs.
///
/// A full scan that is quick costs nothing, and each peek is one. Slow scans are rationed: the scans of all workers
/// take no more than a twentieth of the time. Scans are slow if three in a row are: one may have waited for a CPU.
///
/// It does the same for the times at which tracked jobs expire.
class deferred_cursor {
public:
    const deferred_position& position() const noexcept { return position_; }

    /// A promotion without a peek.
    void promoted() noexcept { promotions_ = std::min(promotions_ + 1, peek_after); }
    /// A caller that only promotes should peek, too: otherwise the cursor stays where it is.
    bool should_peek() const noexcept { return is_slow() || promotions_ == peek_after; }

    /// Returns when the next job is due, `due` from now. If the peek did not read from the start, a hidden job may be
    /// due when the next full scan is.
    std::optional<duration> peeked(const deferred_peek& p, std::optional<duration> due, std::int64_t workers) noexcept {
        promotions_ = 0;
        position_.run_at = p.run_at - margin;
        position_.expires_at = p.expires_at - margin;
        if (p.scanned) {
            position_.valid_from = p.now;
            std::rotate(took_.begin(), took_.begin() + 1, took_.end());
            took_.back() = p.took;
            position_.scan_at = p.now + interval(*std::min_element(took_.begin(), took_.end()), workers);
            return due;
        }
        const duration until_scan = std::max<duration>(position_.scan_at - p.now, duration{});
        return due ? std::min(*due, until_scan) : until_scan;
    }

private:
    static constexpr int peek_after = 64;
    // The time of some 20 000 dead entries. A busy machine makes a shorter scan look slow.
    static constexpr duration quick = std::chrono::milliseconds{2};
    static constexpr duration longest_interval = std::chrono::seconds{30};
    // A transaction that enqueues or settles takes some time, too.
    static constexpr std::chrono::milliseconds margin{50};

    bool is_slow() const noexcept { return position_.scan_at != position_.valid_from; }

    // A promotion and the peek after it each scan once.
    static std::chrono::microseconds interval(duration took, std::int64_t workers) noexcept {
        if (took < quick) return {};
        const duration each = std::min<duration>(took, longest_interval) * 40;
        return std::chrono::duration_cast<std::chrono::microseconds>(
            std::min<duration>(each * std::clamp<std::int64_t>(workers, 1, 400), longest_interval));
    }

    deferred_position position_{};
    int promotions_ = 0;              // since the latest peek
    std::array<duration, 3> took_{};  // the latest full scans
};

}  // namespace pgq::fsm
