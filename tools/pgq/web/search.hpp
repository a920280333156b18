#pragma once

#include <pgq/admin/selection.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <string_view>

namespace pgq::web {

/// Reads the search box: `queue:`, `entrypoint:`, `state:held,ready`, `header:NAME=VALUE`, `id:`, `newer:1h`,
/// `older:1h`, one number for an id, and else text of reasons. A value may stand in double quotes, with
/// a backslash before quotes in it. `now`: what newer
/// and older are relative to.
result<job_selection> parse_search(std::string_view text, time_point now);

}  // namespace pgq::web
