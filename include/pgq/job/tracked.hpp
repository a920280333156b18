#pragma once

#include <pgq/job/bodies.hpp>
#include <pgq/job/filter.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
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
inline constexpr std::int16_t flag_tracked = 1;  ///< somebody may want to know its end: that is told, with its result
inline constexpr std::int16_t flag_stop = 2;     ///< somebody asked for it to stop

/// In a tracked_request: job number `child` waits for job number `parent`, both counted from 0.
struct edge {
    std::uint32_t child = 0;
    std::uint32_t parent = 0;
    friend constexpr bool operator==(const edge&, const edge&) = default;
};

/// Jobs of any lanes with everything that can be said of them. `lanes` and `options` have one element for all or one for each,
/// `keys` (as in enqueue_request) one for each, or is absent; `keyed`, when it is there, says which of them count. The edges have no
/// cycle.
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

/// What an enqueue made of one job.
struct enqueued_job {
    job_id id{};        ///< its own, or that of the job which has its unique key
    bool fresh = true;  ///< false: another job has its unique key, and it was not enqueued
    friend constexpr bool operator==(const enqueued_job&, const enqueued_job&) = default;
};

/// How a job ended. The values are stored.
enum class end_kind : char {
    done = 'd',
    discarded = 'x',
    cancelled = 'c',
    held = 'h',     ///< failed for good; it is kept, and may be requeued
    expired = 'e',  ///< did not begin in time
    unknown = '?',  ///< it is there no more and has left no record: ended long ago, or was never tracked, or never was
};

struct ended_job {
    job_id id{};
    end_kind kind = end_kind::unknown;
    std::int16_t attempts = 0;
    std::string reason{};
    bool has_result = false;
    std::string result{};  ///< as its serializer wrote it
};

/// An attempt that failed.
struct failed_attempt {
    std::int16_t attempt = 0;
    time_point at{};
    std::string reason{};
};

/// Where jobs are, for what looks for them.
enum class job_place : std::uint8_t { ready = 1, deferred = 2, blocked = 4, leased = 8, held = 16 };
constexpr job_place operator|(job_place a, job_place b) noexcept {
    return static_cast<job_place>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool includes(job_place all, job_place one) noexcept {
    return (static_cast<unsigned>(all) & static_cast<unsigned>(one)) != 0;
}
inline constexpr job_place anywhere = static_cast<job_place>(31);

/// Which jobs to find: those of these lanes, in these places, that a filter lets pass, by their ids.
struct find_request {
    std::span<const lane_id> lanes{};
    job_place where = anywhere;
    const filter* which = nullptr;  ///< null: any
    std::int64_t limit = INT64_MAX;
};

struct cancel_reply {
    std::int64_t removed = 0;   ///< waited, were delayed, blocked or held: gone
    std::int64_t stopping = 0;  ///< run: their stop tokens fire
    friend constexpr bool operator==(const cancel_reply&, const cancel_reply&) = default;
};

/// A lease of a worker as it is now, because somebody else may have changed it.
struct lease_news {
    lease_ref ref{};
    std::vector<std::int16_t> flags{};  ///< by job_record::index; empty when there are none
};

/// What a sweep did.
struct sweep_reply {
    std::int64_t expired = 0;
    std::int64_t forgotten = 0;  ///< records of ended jobs, unique keys and failures whose time was over
};

}  // namespace pgq
