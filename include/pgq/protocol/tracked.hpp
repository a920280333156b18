#pragma once

#include <pgq/job/filter.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/protocol/bodies.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq {

/// Bits of job_record::flags.
inline constexpr std::int16_t flag_tracked = 1;  ///< the job is tracked: its end is recorded, with its result
inline constexpr std::int16_t flag_stop = 2;     ///< the job was cancelled and should stop
/// Bits 4 to 32 count crashes: so many workers died while they had this job and others. See docs/design/quarantine.md.
inline constexpr std::int16_t crash_unit = 4;
inline constexpr std::int16_t flags_of_crashes = 60;
inline constexpr std::int16_t most_crashes = 15;
inline constexpr std::int16_t flag_alone = 64;        ///< the job is in quarantine: its worker runs nothing beside it
inline constexpr std::int16_t flag_runs_alone = 128;  ///< in a lease: the job has begun, and nothing else has
inline constexpr std::int16_t flag_overlap = 256;     ///< beside flag_stop: the next tick of its schedule cancelled it

/// What a job keeps that leaves a lease without having run.
constexpr std::int16_t flags_without_run(std::int16_t flags) noexcept {
    return static_cast<std::int16_t>(flags & (flag_tracked | flags_of_crashes | flag_alone));
}

/// The decision of a rescue on an open job of a dead worker.
struct crash_decision {
    bool counts = false;        ///< the attempt counts; `attempts` has the earlier crashes, too
    std::int16_t attempts = 0;  ///< of the job from now on
    std::int16_t flags = 0;     ///< of the job from now on
};

/// `attempts`: of the claimed job, this one included. `open`: how many jobs the dead worker had. `marked`: one of them
/// has flag_runs_alone. The same rules are in statement/liveness.hpp.
constexpr crash_decision judge_crash(std::int16_t attempts, std::int16_t flags, std::int16_t max_attempts,
                                     std::int64_t open, bool marked) noexcept {
    const int crashes = (flags & flags_of_crashes) / crash_unit, before = attempts > 0 ? attempts - 1 : 0;
    if ((flags & flag_runs_alone) != 0 || (!marked && (open == 1 || crashes == most_crashes))) {
        const int all = attempts + crashes;
        return {true, static_cast<std::int16_t>(all < INT16_MAX ? all : INT16_MAX),
                static_cast<std::int16_t>(flags & (flag_tracked | flag_alone))};
    }
    if (marked) return {false, static_cast<std::int16_t>(before), flags_without_run(flags)};
    const bool alone = crashes > 0 || before + crashes + 1 >= max_attempts - 1;
    const int now = (flags & (flag_tracked | flag_alone)) | ((crashes + 1) * crash_unit) | (alone ? flag_alone : 0);
    return {false, static_cast<std::int16_t>(before), static_cast<std::int16_t>(now)};
}

/// In a tracked_request: job number `child` waits for job number `parent`. Both are counted from 0.
struct edge {
    std::uint32_t child = 0;
    std::uint32_t parent = 0;
    friend constexpr bool operator==(const edge&, const edge&) = default;
};

/// Jobs to enqueue into any lanes, with every option. `lanes` and `options` have one element for all jobs, or one for
/// each job. `keys` (limit keys, as in enqueue_request) has one for each job, or is null. `keyed` says which jobs have
/// a key; if it is null and `keys` is not, all jobs have one. The edges form no cycle.
struct tracked_request {
    std::span<const lane_id> lanes{};
    const pgq::bodies* bodies = nullptr;
    std::span<const enqueue_options> options{};
    const pgq::bodies* keys = nullptr;
    const std::vector<bool>* keyed = nullptr;
    std::span<const edge> edges{};

    lane_id lane(std::size_t i) const noexcept { return lanes[lanes.size() == 1 ? 0 : i]; }
    const enqueue_options& option(std::size_t i) const noexcept { return options[options.size() == 1 ? 0 : i]; }
    bool has_keys() const noexcept { return keys != nullptr && !keys->empty(); }
    std::optional<std::string_view> key(std::size_t i) const noexcept {
        if (!has_keys() || (keyed != nullptr && !(*keyed)[i])) return std::nullopt;
        return (*keys)[i];
    }
};

/// What an enqueue did with one job.
struct enqueued_job {
    job_id id{};         ///< its id, or the id of the job that has its unique key
    bool is_new = true;  ///< false: another job has its unique key, so this one was not enqueued
    friend constexpr bool operator==(const enqueued_job&, const enqueued_job&) = default;
};

/// How a job ended. The values are stored.
enum class end_kind : char {
    done = 'd',
    discarded = 'x',
    cancelled = 'c',
    held = 'h',     ///< it failed and is held as a dead letter; it may be requeued
    expired = 'e',  ///< it did not start before `expires_at`
    unknown = '?',  ///< there is no job and no record: it ended too long ago, was not tracked, or never existed
};

/// The end of a job.
struct ended_job {
    job_id id{};
    end_kind kind = end_kind::unknown;
    std::int16_t attempts = 0;
    std::string reason{};
    bool has_result = false;
    std::string result{};  ///< the serialized result, if `has_result`
};

/// An attempt that failed.
struct failed_attempt {
    std::int16_t attempt = 0;
    time_point at{};
    std::string reason{};
};

/// The states of a job, as bits: a search may combine them.
enum class job_state : std::uint8_t {
    ready = 1,
    deferred = 2,
    blocked = 4,
    leased = 8,
    held = 16,
    ended = 32,  ///< no search finds such jobs, but a look at one job does while its end is kept
};
constexpr job_state operator|(job_state a, job_state b) noexcept {
    return static_cast<job_state>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool includes(job_state all, job_state one) noexcept {
    return (static_cast<unsigned>(all) & static_cast<unsigned>(one)) != 0;
}
inline constexpr job_state any_state = static_cast<job_state>(31);

/// Which jobs to find: jobs of these lanes, in these states, that pass a filter. The answer is in the order of their
/// ids.
struct find_request {
    std::span<const lane_id> lanes{};
    job_state where = any_state;
    const filter* which = nullptr;  ///< null: any job
    std::int64_t limit = INT64_MAX;
};

/// What a cancel did.
struct cancel_reply {
    std::int64_t removed = 0;   ///< jobs that were ready, deferred, blocked or held: they are deleted
    std::int64_t stopping = 0;  ///< jobs that run: their stop tokens will fire
    friend constexpr bool operator==(const cancel_reply&, const cancel_reply&) = default;
};

/// The current state of a worker's lease in the database, which other sessions may have changed.
struct lease_update {
    lease_ref ref{};
    std::string left{};                 ///< lease_progress::mask of the jobs that have left it; empty if none has
    std::vector<std::int16_t> flags{};  ///< by job_record::index; empty if no job has flags
    bool paused = false;                ///< its lane is paused: jobs that have not begun go back
};

/// What an expiry and purge did.
struct purge_reply {
    std::int64_t expired = 0;  ///< jobs that expired
    std::int64_t purged = 0;   ///< records that it deleted: old ends of jobs, unique keys and failed attempts
};

}  // namespace pgq
