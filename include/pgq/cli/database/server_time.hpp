#pragma once

#include <pgq/cli/program.hpp>

#include <pgq/time/clock.hpp>
#include <pgq/time/when.hpp>

#include <chrono>
#include <cstdlib>
#include <optional>

namespace pgq::cli {

/// The present time of the database: ages are by its clock, as all times of jobs and workers are.
inline time_point read_server_time(program& p) {
    const auto rows = p.read("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8");
    return time_point{std::chrono::microseconds{std::atoll(rows[0][0]->c_str())}};
}

/// The calendar time of an option. Empty if the option was not given.
inline std::optional<time_point> resolved(program& p, const when& w) {
    if (!w.is_set()) return std::nullopt;
    const std::chrono::microseconds micros{w.micros()};
    return w.how() == when::kind::absolute ? time_point{micros} : read_server_time(p) + micros;
}

}  // namespace pgq::cli
