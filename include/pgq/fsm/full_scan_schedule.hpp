#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace pgq::fsm {

/// When a worker claims from the start of its lanes (a full scan), and when behind its cursors.
///
/// The start has jobs that cursors hide: those enqueued late with a better rank, and those that went back. A full scan
/// is slow where an old snapshot keeps dead entries there.
///
///     due():        cursors are trusted for `every`, and longer where scans are slow or workers are many
///     affordable(): a scan now costs no more than a twentieth of the worker's time
///     postponed():  a claim behind the cursors came back short, and a scan was not affordable
class full_scan_schedule {
public:
    /// `every`: how long cursors are trusted.
    explicit full_scan_schedule(duration every) noexcept : every_{every} {}

    void set_worker_count(std::int64_t workers) noexcept { workers_ = std::clamp<std::int64_t>(workers, 1, 400); }

    /// A full scan took so long. One that found nothing shows what scanning alone costs.
    void scanned(duration took, bool found, steady_time now) noexcept {
        scanned_ = last_ = now;
        took_ = took;
        postponed_until_.reset();
        if (!found) cost_ = took;
    }
    /// There may be jobs that the cursors hide: a scan is due.
    void invalidate() noexcept {
        scanned_ = {};
        postponed_until_.reset();
    }
    /// Cursors have to do until a scan is affordable.
    void postpone() noexcept { postponed_until_ = affordable_at(); }

    /// All workers together spend no more time on full scans than one worker would: what one finds it finds for all.
    bool due(steady_time now) const noexcept { return now >= due_at(); }
    steady_time due_at() const noexcept {
        const duration rationed = std::min(std::min(20 * took_, longest) * workers_, longest_of_many);
        return scanned_ + std::max<duration>(every_ * std::max<std::int64_t>(workers_ / 4, 1), rationed);
    }

    bool affordable(steady_time now) const noexcept { return now >= affordable_at(); }
    std::optional<steady_time> postponed_until() const noexcept { return postponed_until_; }

private:
    static constexpr duration longest = std::chrono::seconds{5};
    static constexpr duration longest_of_many = std::chrono::seconds{30};
    static constexpr duration longest_postponed = std::chrono::seconds{1};

    steady_time affordable_at() const noexcept { return last_ + std::min<duration>(20 * cost_, longest_postponed); }

    duration every_;
    steady_time scanned_{};  // the beginning of time when cursors are not trusted
    steady_time last_{};
    duration took_{};
    duration cost_{};
    std::int64_t workers_ = 1;
    std::optional<steady_time> postponed_until_;
};

}  // namespace pgq::fsm
