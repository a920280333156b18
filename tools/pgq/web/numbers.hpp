#pragma once

#include "json.hpp"

#include <pgq/job/id.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/statistics.hpp>

#include <chrono>
#include <map>
#include <string>
#include <vector>

/// Adds up what the database says of lanes. No I/O.
namespace pgq::web {

/// All lanes of one entrypoint of one queue.
struct entrypoint_numbers {
    std::string queue{};
    std::string entrypoint{};
    bool paused = false;
    bool draining = false;
    capped_counts counts{};
    job_statistics recent{};  ///< of `recent_window`
};

inline constexpr duration recent_window = std::chrono::minutes{5};

using lane_names = std::map<lane_id, listed_lane>;

std::vector<lane_id> ids_of(const lane_names& lanes);

/// In the order of the names.
std::vector<entrypoint_numbers> sum_by_entrypoint(const lane_names& lanes, const std::vector<capped_counts>& counts,
                                                  const std::vector<lane_statistics>& recent);

json::object to_json(const entrypoint_numbers& e);
json::array to_json(const std::vector<entrypoint_numbers>& all);
/// Sums of all, and the entrypoints with the most to look at.
json::object totals(const std::vector<entrypoint_numbers>& all);
/// At most `most`, those with held and waiting jobs first.
json::array busiest(std::vector<entrypoint_numbers> all, std::size_t most);

/// A window of a chart.
struct series_window {
    duration asked{};
    duration last{};  ///< not more than is kept
    duration step{};
};

/// "1h", "24h" or "7d".
series_window window_of(std::string_view name) noexcept;

/// The columns of the charts: one place for each step from `first` to `last`, zero where nothing happened.
json::object series(const std::vector<lane_statistics>& parts, const series_window& w, time_point now);

}  // namespace pgq::web
