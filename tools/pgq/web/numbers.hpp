#pragma once

#include "json.hpp"

#include <pgq/admin/overview.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <string_view>
#include <vector>

/// What the database counts, as JSON. No I/O.
namespace pgq::web {

/// Rates are averages over so long.
inline constexpr duration recent_window = std::chrono::minutes{5};

json::object to_json(const entrypoint_overview& e);
json::array to_json(const std::vector<entrypoint_overview>& all);
/// Sums of all, and the entrypoints with the most to look at.
json::object totals(const std::vector<entrypoint_overview>& all);
/// At most `most`, those with held and waiting jobs first.
json::array busiest(std::vector<entrypoint_overview> all, std::size_t most);

/// A window of a chart.
struct series_window {
    duration asked{};
    duration last{};  ///< not more than is kept
    duration step{};
};

/// "1h", "24h" or "7d".
series_window window_of(std::string_view name) noexcept;

/// The columns of the charts: one place for each step that has ended, zero where nothing happened.
json::object series(const std::vector<lane_statistics>& parts, const series_window& w, time_point now);

}  // namespace pgq::web
