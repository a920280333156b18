#pragma once

#include <pgq/job/filter.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/rank.hpp>
#include <pgq/job/record.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pgq {

/// The last place a claimer looked at in a lane: the next claim starts behind it.
struct floor_mark {
    pgq::rank rank{INT64_MIN};
    job_id id{INT64_MIN};
    friend constexpr auto operator<=>(const floor_mark&, const floor_mark&) = default;
};

/// What to take from one lane.
struct claim_lane {
    lane_id lane{};
    floor_mark floor{};
    std::int16_t max_attempts = 0;  ///< a rescue holds a job delivered that often; at least 1
    bool each = false;              ///< a lease for each job, not one for all of them
    bool exact = false;             ///< the floor is where to begin, also when colleagues are known to be further
};

/// What to take from a lane that has limits.
struct limited_lane {
    lane_id lane{};
    std::uint32_t most = 0;         ///< as many as this worker can begin at once
    std::int16_t max_attempts = 0;  ///< as in claim_lane
};

/// What becomes of a job that is not simply done.
enum class settle_kind : char {
    retry = 'r',    ///< back after `delay`, the attempt counts
    release = 's',  ///< back after `delay`, the attempt does not count: snoozed, or never started
    hold = 'h',     ///< kept aside with `reason`
    done = 'd',     ///< of a tracked job: it is told, with `result`
    discard = 'x',  ///< of a tracked job: it is told, with `reason`
};

/// Whether the job stays, somewhere.
constexpr bool keeps_job(settle_kind k) noexcept { return k != settle_kind::done && k != settle_kind::discard; }

struct settlement {
    std::uint32_t index = 0;  ///< job_record::index
    settle_kind kind = settle_kind::retry;
    duration delay{};                          ///< zero or less: claimable at once
    std::string_view reason{};                 ///< stored with the job; made valid UTF-8 and shortened before
    std::optional<std::string_view> result{};  ///< what the handler returned, written by the job's serializer
};

/// Progress inside a lease. `mask` has one bit per job of the lease's arrays (bit `index % 8` of byte `index / 8`), set for
/// every job that has left the lease, those in `items` among them. `last` ends the lease.
struct lease_progress {
    lease_ref ref{};
    bool last = false;
    std::string_view mask{};
    std::span<const settlement> items{};
    bool flagged = false;  ///< some of its jobs have flags
};

/// One round trip of a worker: what it finished, and what it wants next.
struct exchange_request {
    worker_id worker{};
    std::span<const lease_ref> finished{};         ///< whole leases, every job done
    std::span<const lease_progress> progressed{};  ///< leases with other news
    std::span<const claim_lane> lanes{};           ///< claim from these ...
    std::uint32_t limit = 0;                       ///< ... at most so many jobs; 0 claims nothing
    std::span<const limited_lane> limited{};       ///< and of these, beside `limit`, what their limits allow
    std::uint32_t limited_room = 0;                ///< of all of them together at most so many
    std::span<const lane_id> freed{};  ///< limited lanes that others may claim from now: wake a colleague for each
    bool promote = false;              ///< first make deferred jobs that are due claimable
    bool look_ahead = false;           ///< tell when the next deferred job is due
    bool announce_sleep = false;       ///< from now on wake me (claims after announcing)
    bool announce_awake = false;       ///< no longer
    bool crowded = false;              ///< many workers claim at once: wait a little for a turn
    bool pass_on = false;              ///< there may be more than I can take: wake one sleeping colleague
    const filter* apart =
        nullptr;  ///< claim from `lanes`, floors aside, only what this lets pass, each job as a lease of its own
};

struct exchange_reply {
    std::vector<claimed_lease> leases{};
    std::vector<lease_ref> moved{};      ///< progressed leases that live on, with their new place
    std::vector<std::int64_t> lost{};    ///< ids of leases that were no longer ours: nothing of them was changed
    std::optional<duration> next_due{};  ///< with look_ahead: until the next deferred job, by the database's clock
    std::int64_t workers = 0;            ///< with look_ahead: how many there are, where that matters
    std::uint32_t promoted = 0;          ///< deferred or blocked jobs that are claimable now
    std::optional<duration> again{};     ///< when another claim from the limited lanes may bring more, if that is known
    bool more_limited = false;           ///< of those lanes a colleague could take something at once

    std::size_t claimed() const noexcept {
        std::size_t n = 0;
        for (const auto& lease : leases) n += lease.jobs.size();
        return n;
    }
};

}  // namespace pgq
