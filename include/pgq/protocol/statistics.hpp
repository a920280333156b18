#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/histogram.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace pgq {

/// What became of jobs in some time. docs/guides/statistics.md says what counts, and what does not.
struct job_statistics {
    /// Jobs that were enqueued in this time and of which a first attempt has ended since. Jobs that still wait come to
    /// it later.
    std::int64_t enqueued = 0;
    std::int64_t done = 0;
    std::int64_t retried = 0;    ///< attempts that failed and are followed by another one
    std::int64_t held = 0;       ///< jobs that failed for good
    std::int64_t discarded = 0;  ///< jobs that were dropped, without or after a failure
    std::int64_t cancelled = 0;
    std::int64_t expired = 0;
    duration_histogram wait{};  ///< of each job once: from its enqueue to its first claim, by the database's clock
    duration_histogram run{};   ///< of each attempt: the time that the handler took

    /// Jobs that have ended.
    constexpr std::int64_t finished() const noexcept { return done + held + discarded + cancelled + expired; }
    /// Jobs that have ended each second, in a window of this length: of `{.last = 1h}` an hour.
    constexpr double throughput(duration window) const noexcept {
        return window <= duration{} ? 0
                                    : static_cast<double>(finished()) / std::chrono::duration<double>(window).count();
    }
    constexpr job_statistics& operator+=(const job_statistics& o) noexcept {
        enqueued += o.enqueued, done += o.done, retried += o.retried, held += o.held;
        discarded += o.discarded, cancelled += o.cancelled, expired += o.expired;
        wait += o.wait, run += o.run;
        return *this;
    }
    friend constexpr bool operator==(const job_statistics&, const job_statistics&) = default;
};

/// What a worker has counted of one lane. `minute` is the number of minutes since 1970, zero for the present one.
struct minute_counts {
    lane_id lane{};
    std::int64_t minute = 0;
    job_statistics what{};
    friend bool operator==(const minute_counts&, const minute_counts&) = default;
};

/// What a worker has counted since its last report. A report is stored once: one whose number is not above that of the
/// last one of this worker is stored already.
struct minute_report {
    std::int64_t number = 0;
    std::span<const minute_counts> rows{};  ///< each lane and minute once

    bool empty() const noexcept { return rows.empty(); }
};

/// Which statistics to read. A window contains the minutes that begin in it, by the database's clock: `from` up to, and
/// without, `to`. With `last` it ends now.
struct statistics_request {
    std::span<const lane_id> lanes{};
    time_point from{};
    time_point to{};
    duration last{};
    duration step{};  ///< of the parts of the answer: whole minutes from 1970 on; zero: one part
};

/// The sums of one lane and one part of the window. Parts without numbers are not there.
struct lane_statistics : job_statistics {
    lane_id lane{};
    time_point at{};  ///< when the part begins; unset with one part
};

/// A number that was counted up to a bound only.
struct capped_count {
    std::int64_t value = 0;
    bool capped = false;  ///< there are at least `value`

    /// Of `found` things, of which nobody has looked for more than `most` and one.
    static constexpr capped_count of(std::int64_t found, std::int64_t most) noexcept {
        return {.value = std::min(found, most), .capped = found > most};
    }
    constexpr capped_count& operator+=(const capped_count& o) noexcept {
        value += o.value, capped = capped || o.capped;
        return *this;
    }
    /// "12", or "10 000+" if it is capped.
    std::string text() const {
        std::string digits = std::to_string(value);
        for (std::size_t at = digits.size(); at > 3 && value >= 0; at -= 3) digits.insert(at - 3, " ");
        return capped ? digits + '+' : digits;
    }
    friend constexpr bool operator==(const capped_count&, const capped_count&) = default;
};

/// A bound with which the counts of so many lanes take a fraction of a second, whatever waits: 10 000, and 50 000 of
/// all lanes together, but at least 50 of each.
constexpr std::int64_t bound_of_counts(std::size_t lanes) noexcept {
    return std::clamp<std::int64_t>(50'000 / static_cast<std::int64_t>(std::max<std::size_t>(lanes, 1)), 50, 10'000);
}

/// How many jobs of a lane are in each state, counted up to a bound, and how long the oldest ready one has been there.
struct capped_counts {
    lane_id lane{};
    capped_count ready{};     ///< claimable
    capped_count deferred{};  ///< not due yet
    capped_count blocked{};   ///< waiting for other jobs
    capped_count leased{};    ///< claimed by workers and not acknowledged; always exact
    capped_count held{};      ///< dead letters
    /// Since the enqueue of the oldest ready job, by the database's clock. Empty if none is ready.
    std::optional<duration> oldest_ready{};
    /// More than 64 pairs of priority and deadline wait: another job may be older.
    bool oldest_ready_at_least = false;

    capped_counts& operator+=(const capped_counts& o) {
        ready += o.ready, deferred += o.deferred, blocked += o.blocked, leased += o.leased, held += o.held;
        oldest_ready = std::max(oldest_ready, o.oldest_ready);
        oldest_ready_at_least = oldest_ready_at_least || o.oldest_ready_at_least;
        return *this;
    }
};

/// A failed attempt of some job.
struct job_failure {
    job_id id{};
    lane_id lane{};
    std::int16_t attempt = 0;
    time_point at{};  ///< by the database's clock
    std::string reason{};
    std::string entrypoint{};  ///< of `lane`; a queue sets it, a session does not
};

/// For how long statistics are kept.
inline constexpr duration statistics_retention = std::chrono::hours{48};

}  // namespace pgq
