#pragma once

#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/time/clock.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pgq {

/// Stores what workers count; see docs/design/statistics.md.
///
/// - `beat`: a heartbeat that also stores a report, each report of a registered worker once, however often it is sent.
///   If the report cannot be stored, the heartbeat counts all the same, and the reply has the error.
/// - `retire`: the same with the worker's last report.
template <class S>
concept can_keep_statistics = requires(S& s, worker_id id, const minute_report& report) {
    { s.beat(id, report) } -> std::same_as<result<beat_reply>>;
    { s.retire(id, report) } -> std::same_as<result<std::vector<held_by_rescue>>>;
};

/// Reads statistics, numbers of jobs and failures, and writes nothing.
///
/// - `statistics`: the sums of the lanes over a window. Sums of two windows that meet are the sum of both together.
/// - `counts_up_to`: how many jobs of each lane are in each state, in the order of `lanes`. It looks for no more than
///   `most` jobs of a lane and a state, and one; so it takes the same time however many there are.
/// - `latest_failures`: at most `limit` failed attempts of jobs of these lanes, latest first.
template <class S>
concept can_read_statistics = requires(S& s, const statistics_request& r, std::span<const lane_id> lanes,
                                       std::int64_t most, std::size_t limit) {
    { s.statistics(r) } -> std::same_as<result<std::vector<lane_statistics>>>;
    { s.counts_up_to(lanes, most) } -> std::same_as<result<std::vector<capped_counts>>>;
    { s.latest_failures(lanes, limit) } -> std::same_as<result<std::vector<job_failure>>>;
};

/// Sets for how long failed attempts of jobs of these lanes are kept. Zero: none is stored from now on, and those that
/// are stored go with the next `expire_and_purge`.
template <class S>
concept can_keep_failures = requires(S& s, std::span<const lane_id> lanes, duration keep) {
    { s.keep_failures(lanes, keep) } -> std::same_as<result<void>>;
};

}  // namespace pgq
