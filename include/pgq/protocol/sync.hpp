#pragma once

#include <pgq/job/filter.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/lane_search.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pgq {

/// The cursor of a worker in a lane: the position of the last job that it read there. Its next claim starts after it.
struct claim_cursor {
    pgq::rank rank{INT64_MIN};
    job_id id{INT64_MIN};
    friend constexpr auto operator<=>(const claim_cursor&, const claim_cursor&) = default;
};

/// What to claim from one lane.
struct claim_lane {
    lane_id lane{};
    claim_cursor cursor{};          ///< claim jobs behind it; the default claims from the start of the lane
    std::int16_t max_attempts = 0;  ///< a rescue holds a job after so many deliveries, or its own number; at least 1
    bool lease_per_job = false;     ///< true: one lease for each job, instead of one for all jobs
    bool exact = false;  ///< true: start at the cursor; false: a driver may start behind other workers' claims
};

/// What to claim from a lane that has limits.
struct limited_lane {
    lane_id lane{};
    std::uint32_t most = 0;         ///< claim at most this many jobs: so many this worker can start at once
    std::int16_t max_attempts = 0;  ///< as in claim_lane
};

/// The outcome of a job, except for an untracked job that is done.
enum class settle_kind : char {
    retry = 'r',    ///< run it again after `delay`; the attempt counts
    release = 's',  ///< run it again after `delay`; the attempt does not count: it was snoozed, or never started
    hold = 'h',     ///< hold it with `reason`, as a dead letter
    done = 'd',     ///< for tracked jobs: record the end, with `result`
    discard = 'x',  ///< for tracked jobs: record the end, with `reason`
    expire = 'e',   ///< for tracked jobs: it expired before it began; the driver checks that, holds or ends the job
};

/// Whether the job stays in the database with this outcome.
constexpr bool keeps_job(settle_kind k) noexcept { return k != settle_kind::done && k != settle_kind::discard; }

/// The outcome of one job of a lease.
struct settlement {
    std::uint32_t index = 0;  ///< job_record::index
    settle_kind kind = settle_kind::retry;
    duration delay{};                          ///< zero or less: claimable at once
    std::string_view reason{};                 ///< stored with the job; the caller makes it valid UTF-8 and shortens it
    std::optional<std::string_view> result{};  ///< the value that the handler returned, serialized
};

/// Outcomes of some jobs of a lease. `mask` has one bit for each job of the lease: bit `index % 8` of byte `index / 8`.
/// The bit is set for every job that has left the lease, including those in `items`. `left` is the mask of the former
/// progress, empty if there is none. If the lease has another one, the request does nothing with it and reports it as
/// lost: a crash of the server has undone a commit that it had answered. `last` ends the lease.
struct lease_progress {
    lease_ref ref{};
    bool last = false;
    std::string_view left{};
    std::string_view mask{};
    std::span<const settlement> items{};
    bool flagged = false;  ///< some of its jobs have flags (see protocol/tracked.hpp)
};

/// A job of a lease.
struct leased_job {
    std::int64_t lease = 0;
    std::uint32_t index = 0;  ///< job_record::index
};

/// A sync: one round trip of a worker that acknowledges what it finished and claims new jobs.
struct sync_request {
    worker_id worker{};
    std::span<const lease_ref> finished{};         ///< whole leases, with every job done
    std::span<const lease_progress> progressed{};  ///< leases with other outcomes, or with only some jobs ended
    std::span<const claim_lane> lanes{};           ///< claim from these lanes ...
    std::uint32_t limit = 0;                       ///< ... at most this many jobs; 0 claims nothing
    /// ... whose payloads have at most so many bytes; the first job is claimed anyway
    std::size_t max_bytes = SIZE_MAX;
    bool counts_bytes = true;                 ///< false: a driver may ignore `max_bytes`, except for `limited`
    std::span<const limited_lane> limited{};  ///< also claim from these lanes, within their limits; not in `limit`
    std::uint32_t limited_capacity = 0;       ///< ... at most this many jobs of all of them together
    std::span<const lane_id> lanes_with_capacity{};  ///< limited lanes for others: wake a peer for each
    bool promote = false;                            ///< first make deferred jobs that are due claimable
    bool peek_next_due = false;                      ///< report when the next deferred job is due
    bool subscribe_wakes = false;                    ///< subscribe to wake-ups, then claim
    bool unsubscribe_wakes = false;                  ///< unsubscribe from wake-ups
    bool contended =
        false;  ///< many workers claim at once: wait for a claim slot first (see statement::take_claim_slot)
    bool wake_peer = false;  ///< there may be more jobs than this worker can take: wake one sleeping peer
    std::optional<leased_job>
        begin_alone{};  ///< mark this job with flag_runs_alone: the worker starts it, and nothing else
    const filter* claim_filter =
        nullptr;  ///< claim from `lanes` only jobs that pass, one lease each; ignores the cursors
    const lane_search* search = nullptr;  ///< last of all, look for lanes that have claimable jobs
};

/// The first job of a lane, in the order of claims, that a sync has promoted.
struct promoted_lane {
    lane_id lane{};
    claim_cursor first{};
};

/// The answer to a sync.
struct sync_reply {
    std::vector<claimed_lease> leases{};
    std::vector<lease_ref> moved{};    ///< progressed and marked leases that go on, with their new row location
    bool cut = false;                  ///< jobs are left: they would exceed `max_bytes`
    std::optional<bool> has_large{};   ///< there may be payloads of 2 kB or more; empty: not checked
    bool begins_alone = false;         ///< the job of `begin_alone` is marked; false: the lease is lost
    std::vector<std::int64_t> lost{};  ///< ids of leases that this worker had lost; the sync changed nothing of them
    std::optional<duration>
        next_due{};              ///< with peek_next_due: time until the next deferred job, by the database's clock
    std::int64_t workers = 0;    ///< with peek_next_due: the number of workers, or 0 if the driver does not count them
    std::uint32_t promoted = 0;  ///< deferred or blocked jobs that became claimable
    std::vector<promoted_lane> promoted_lanes{};  ///< where these begin; empty if the driver does not know it of all
    std::optional<duration> again{};  ///< after how long a claim from the limited lanes may get more jobs, if known
    bool peers_can_claim_limited = false;  ///< a peer could claim from the limited lanes at once
    found_lanes found{};                   ///< with `search`

    std::size_t claimed() const noexcept {
        std::size_t n = 0;
        for (const auto& lease : leases) n += lease.jobs.size();
        return n;
    }
};

}  // namespace pgq
