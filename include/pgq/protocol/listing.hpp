#pragma once

#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq {

/// Which lanes to list, in the order of their ids. An empty name: any.
struct lane_query {
    std::string_view queue{};
    std::string_view entrypoint{};
    lane_id after{};
    std::int64_t most = 1000;
};

/// A lane with its rules.
struct listed_lane {
    lane_id id{};
    std::string queue{};
    std::string entrypoint{};
    std::string version{};                    ///< of the payloads; empty without `serializer::versioned`
    std::optional<lane_id> dead_letters{};    ///< where jobs go that fail for good; empty: they are held here
    std::optional<duration> keep_failures{};  ///< empty: 14 days
    bool paused = false;                      ///< no job starts
    bool draining = false;                    ///< no job is enqueued

    friend bool operator==(const listed_lane&, const listed_lane&) = default;
};

/// Ids are above this, so a first page begins behind it.
inline constexpr job_id before_all_jobs{-1};
inline constexpr job_id last_of_all_jobs{std::numeric_limits<std::int64_t>::max()};

/// A page of jobs in the order of their ids. The views must live until the call returns.
struct job_search {
    std::optional<std::span<const lane_id>> lanes{};  ///< empty: all
    job_state states = any_state;
    job_id after = before_all_jobs;
    job_id last = last_of_all_jobs;
    std::span<const header> headers{};  ///< a job has all of them
    std::string_view reason{};          ///< its reason has this text
    std::optional<time_point> enqueued_since{};
    std::optional<time_point> enqueued_before{};
    std::int64_t most = 50;
    std::int64_t look = 10'000;  ///< at so many jobs that do not match, about; then the page ends with what it has
};

/// A job without its payload.
struct listed_job {
    job_id id{};
    lane_id lane{};
    pgq::rank rank{};
    job_state state = job_state::ready;
    std::int16_t attempts = 0;           ///< the number of deliveries so far
    time_point enqueued_at{};            ///< by the database's clock, as all times
    std::optional<time_point> run_at{};  ///< a deferred job: when it becomes ready
    std::optional<time_point> since{};   ///< since when it is in its state; empty for a ready job
    std::optional<worker_id> worker{};   ///< who has it
    std::string reason{};                ///< why it failed last, or is held
    std::vector<owned_header> headers{};
    std::optional<std::string> key{};  ///< its key for keyed limits

    std::int16_t priority() const noexcept { return rank.priority(); }
};

struct job_page {
    std::vector<listed_job> jobs{};
    std::optional<job_id> next{};  ///< the `after` of the next page; empty: there is none
};

/// A registered worker.
struct listed_worker {
    worker_id id{};
    std::string host{};
    std::int32_t pid = 0;
    std::string version{};
    std::vector<lane_id> lanes{};            ///< what it claims from, unless it serves many queue names:
    std::optional<std::string> prefix{};     ///< it serves all queues with this prefix ...
    std::vector<std::string> queues{};       ///< ... or only these of them, if there are any,
    std::vector<std::string> entrypoints{};  ///< and in each the lanes of these
    time_point started_at{};
    time_point heartbeat_at{};
    duration lease_time{};
    bool alive = false;        ///< its heartbeat is not late
    std::int64_t running = 0;  ///< jobs that it has claimed and not acknowledged
};

/// The part of a reason by which held jobs are grouped: its first line, at most 500 characters of it.
inline std::string group_of_reason(std::string_view reason) {
    reason = reason.substr(0, reason.find('\n'));
    while (reason.ends_with('\r')) reason.remove_suffix(1);
    std::size_t at = 0;
    for (int characters = 0; at < reason.size(); ++at) {
        const bool begins = (static_cast<unsigned char>(reason[at]) & 0xC0U) != 0x80U;
        if (begins && ++characters > 500) break;
    }
    return std::string{reason.substr(0, at)};
}

/// Held jobs of one lane with the same first line of their reasons.
struct failed_group {
    lane_id lane{};
    std::string reason{};
    capped_count count{};
    time_point latest{};
    job_id example{};  ///< one of them
};

}  // namespace pgq
