#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// What workers have counted of each lane in each minute.
class minute_table {
public:
    /// Stores a report of a registered worker, once.
    void store(worker_id worker, const minute_report& report, time_point now) {
        std::int64_t& last = reports_[worker];
        if (report.number <= last) return;
        last = report.number;
        for (const minute_counts& row : report.rows) {
            const auto at = row.minute == 0 ? minute_of(now) : time_point{std::chrono::minutes{row.minute}};
            if (now - at < statistics_retention) all_[{row.lane, at}] += row.what;
        }
    }
    void forget(worker_id worker) { reports_.erase(worker); }

    /// A job that no worker has ended.
    void count(lane_id lane, end_kind how, time_point now) {
        job_statistics& s = all_[{lane, minute_of(now)}];
        if (how == end_kind::held) ++s.held;
        if (how == end_kind::cancelled) ++s.cancelled;
        if (how == end_kind::expired) ++s.expired;
    }

    std::vector<lane_statistics> read(const statistics_request& r, time_point now) const {
        std::map<std::pair<lane_id, time_point>, job_statistics> sums;
        const auto step = std::chrono::duration_cast<std::chrono::microseconds>(r.step);
        const time_point from =
            r.last > duration{} ? std::chrono::ceil<std::chrono::microseconds>(now - r.last) : r.from;
        for (const auto& [key, s] : all_) {
            const auto& [lane, at] = key;
            if (std::find(r.lanes.begin(), r.lanes.end(), lane) == r.lanes.end() || at < from) continue;
            if (r.last <= duration{} && at >= r.to) continue;
            sums[{lane, step.count() > 0 ? at - at.time_since_epoch() % step : time_point{}}] += s;
        }
        std::vector<lane_statistics> out;
        out.reserve(sums.size());
        for (const auto& [key, s] : sums) out.push_back({s, key.first, key.second});
        return out;
    }
    void prune(time_point now) {
        std::erase_if(all_, [&](const auto& e) { return now - e.first.second > statistics_retention; });
    }

private:
    static time_point minute_of(time_point t) noexcept { return std::chrono::floor<std::chrono::minutes>(t); }

    std::map<std::pair<lane_id, time_point>, job_statistics> all_{};
    std::map<worker_id, std::int64_t> reports_{};
};

}  // namespace pgq::driver::in_memory
