#pragma once

#include <pgq/client/queue_admin.hpp>
#include <pgq/concept/statistics.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq {

/// Which minutes: `{.last = 1h}`, or `{.from = a, .to = b}`, which has the minutes that begin at `from` or later, and
/// before `to`. The database's clock counts. Statistics are kept for 48 h.
struct time_window {
    duration last{};
    time_point from{};
    time_point to{};

    /// errc::invalid_option unless it is one of these two forms, of at least a minute, and `last` is not above 48 h.
    result<void> check() const {
        const bool ends = from != time_point{} || to != time_point{};
        if (ends == (last != duration{}))
            return error_info{errc::invalid_option, "a window is given by `last`, or by `from` and `to`"};
        if (!ends && last > statistics_retention)
            return error_info{errc::invalid_option, "statistics are kept for 48 h, and `last` is more"};
        if (ends ? from == time_point{} || to <= from : last < std::chrono::minutes{1})
            return error_info{errc::invalid_option, "a window is empty, or shorter than a minute",
                              "name a `last` of at least a minute, or a `to` that is after `from`"};
        return {};
    }
};

/// A part of a window.
struct statistics_part : job_statistics {
    time_point at{};  ///< when it begins
};

namespace detail {

/// The members of pgq::queue that read numbers; see docs/guides/statistics.md. None of them writes, whichever number of
/// programs call them, and each takes some milliseconds, however many jobs wait. Any thread may call them.
template <class Queue, class Composition>
class queue_statistics {
public:
    /// What became of the jobs of one type in a window: throughput, outcomes, percentiles of wait and run times. The
    /// sum over two windows that meet is the sum over both together.
    template <class Job>
    result<job_statistics> statistics(const time_window& window) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else return summed(read(window, {}, [](const auto& all) { return lanes_for<Composition, Job>(all); }));
    }
    /// The same of all types of this queue together.
    result<job_statistics> statistics(const time_window& window) {
        return summed(read(window, {}, [](const auto& all) { return all; }));
    }
    /// The same for each entrypoint that has numbers.
    result<std::map<std::string, job_statistics>> statistics_by_entrypoint(const time_window& window) {
        return connection().with([&](auto& session, auto& lanes) -> result<std::map<std::string, job_statistics>> {
            auto found = statistics_of(session, window, lanes, {});
            if (!found) return std::move(found.error());
            std::map<std::string, job_statistics> sums;
            for (const lane_statistics& s : *found) sums[entrypoint_of_lane(lanes, s.lane)] += s;
            return sums;
        });
    }
    /// The same of one type in parts of `step` length each, in their order: whole minutes, counted from 1970 on. Parts
    /// without numbers are not there. errc::invalid_option for a step below one minute.
    template <class Job>
    result<std::vector<statistics_part>> statistics_series(const time_window& window, duration step) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else {
            if (step < std::chrono::minutes{1} || step % std::chrono::minutes{1} != duration{})
                return error_info{errc::invalid_option, "the step of a series is not a number of whole minutes"};
            auto found = read(window, step, [](const auto& all) { return lanes_for<Composition, Job>(all); });
            if (!found) return std::move(found.error());
            std::map<time_point, job_statistics> sums;
            for (const lane_statistics& s : *found) sums[s.at] += s;
            std::vector<statistics_part> parts;
            parts.reserve(sums.size());
            for (const auto& [at, s] : sums) parts.push_back({s, at});
            return parts;
        }
    }

    /// How many jobs of one type are in each state, up to `most` of each; above that the number is marked, and its
    /// text() is "10 000+". And how long the oldest ready job has been there.
    template <class Job>
    result<capped_counts> counts_up_to(std::int64_t most = 10'000) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return connection().with([&](auto& session, auto& lanes) -> result<capped_counts> {
                const auto mine = lanes_for<Composition, Job>(lanes);
                auto found = counts_of(session, mine, most);
                if (!found) return std::move(found.error());
                capped_counts sum{.lane = mine.empty() ? lane_id{} : mine.front()};
                for (const capped_counts& c : *found) sum += c;
                return sum;
            });
    }
    /// The same for each entrypoint of this queue.
    result<std::map<std::string, capped_counts>> counts_by_entrypoint(
        std::int64_t most = bound_of_counts(Composition::jobs::size)) {
        return connection().with([&](auto& session, auto& lanes) -> result<std::map<std::string, capped_counts>> {
            auto found = counts_of(session, lanes, most);
            if (!found) return std::move(found.error());
            std::map<std::string, capped_counts> sums;
            for (const capped_counts& c : *found) sums[entrypoint_of_lane(lanes, c.lane)] += c;
            return sums;
        });
    }

    /// The latest failed attempts of jobs of one type, latest first; at most a million.
    template <class Job>
    result<std::vector<job_failure>> latest_failures(std::size_t limit = 50) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return connection().with([&](auto& session, auto& lanes) {
                return failures_of(session, lanes_for<Composition, Job>(lanes), limit, lanes);
            });
    }
    /// The same of all types of this queue.
    result<std::vector<job_failure>> latest_failures(std::size_t limit = 50) {
        return connection().with([&](auto& session, auto& lanes) { return failures_of(session, lanes, limit, lanes); });
    }

    /// For how long the failed attempts of jobs of this type are kept, in whichever program they fail: 14 days without
    /// this call. Zero: none is stored any more, and those that are there are deleted within some minutes. Held jobs
    /// keep their reason in any case. It writes.
    template <class Job>
    result<void> keep_failures(duration keep) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else {
            if (keep < duration{} || keep > std::chrono::hours{24 * 365 * 100})
                return error_info{errc::invalid_option, "failures are kept for 0 to 100 years"};
            return connection().with([&](auto& session, auto& lanes) -> result<void> {
                if constexpr (requires { session.keep_failures(lanes, keep); })
                    return session.keep_failures(lanes_for<Composition, Job>(lanes), keep);
                else return keeps_none();
            });
        }
    }

private:
    template <class LanesOf>
    result<std::vector<lane_statistics>> read(const time_window& window, duration step, LanesOf lanes_of) {
        return connection().with([&](auto& session, auto& lanes) {
            const auto mine = lanes_of(lanes);
            return statistics_of(session, window, mine, step);
        });
    }
    static result<job_statistics> summed(const result<std::vector<lane_statistics>>& found) {
        if (!found) return found.error();
        job_statistics sum;
        for (const lane_statistics& s : *found) sum += s;
        return sum;
    }
    template <class Session>
    static result<std::vector<lane_statistics>> statistics_of(Session& session, const time_window& w,
                                                              std::span<const lane_id> lanes, duration step) {
        if (auto valid = w.check(); !valid) return std::move(valid.error());
        if constexpr (can_read_statistics<Session>)
            return session.statistics({.lanes = lanes, .from = w.from, .to = w.to, .last = w.last, .step = step});
        else return keeps_none();
    }
    template <class Session>
    static result<std::vector<capped_counts>> counts_of(Session& session, std::span<const lane_id> lanes,
                                                        std::int64_t most) {
        if (most < 1 || most > 1'000'000'000)
            return error_info{errc::invalid_option, "the bound of a count is not between 1 and a billion"};
        if constexpr (can_read_statistics<Session>) return session.counts_up_to(lanes, most);
        else return keeps_none();
    }
    template <class Session>
    static result<std::vector<job_failure>> failures_of(Session& session, std::span<const lane_id> lanes,
                                                        std::size_t limit, const std::vector<lane_id>& all) {
        if (limit > most_failures)
            return error_info{errc::invalid_option, "at most a million failures are read at once"};
        if constexpr (can_read_statistics<Session>) {
            auto found = session.latest_failures(lanes, limit);
            for (std::size_t i = 0; found && i < found->size(); ++i)
                (*found)[i].entrypoint = entrypoint_of_lane(all, (*found)[i].lane);
            return found;
        } else return keeps_none();
    }
    static error_info keeps_none() {
        return {errc::invalid_option, "this driver keeps no statistics",
                "give its session the verbs of pgq/concept/statistics.hpp"};
    }
    static std::string entrypoint_of_lane(const std::vector<lane_id>& lanes, lane_id lane) {
        const auto at = static_cast<std::size_t>(std::find(lanes.begin(), lanes.end(), lane) - lanes.begin());
        return std::string{Composition::lanes[at].name.entrypoint};
    }
    static constexpr std::size_t most_failures = 1'000'000;
    auto& connection() noexcept { return static_cast<Queue&>(*this).core().connection; }
};

}  // namespace detail
}  // namespace pgq
