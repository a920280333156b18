#pragma once

#include <pgq/protocol/action.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/statement/wire.hpp>

#include <algorithm>
#include <cstddef>

/// What an operator does with jobs and workers. The functions are in sql/0003_tracked.sql and sql/0010_admin.sql.
namespace pgq::statement {

inline constexpr query cancel_at{"cancel_at", "SELECT waiting, running FROM {s}.cancel($1, false, $2, $3)"};
inline constexpr query run_now{"run_now", "SELECT n, lanes FROM {s}.run_now($1)"};
inline constexpr query drop_held{"drop_held", "SELECT {s}.drop_held($1)"};
inline constexpr query move_jobs{"move_jobs", "SELECT n, lanes FROM {s}.move_jobs($1, $2, $3, $4)"};

/// The last column: whether this role may return the jobs of dead workers.
inline constexpr query forget_worker{"forget_worker", R"(
SELECT known, alive, has_table_privilege('{q}.lease', 'DELETE') FROM {s}.forget_worker($1, $2))"};

/// Lanes and ranks; both are null unless all are known.
inline params& bind_places(params& p, const action_request& r) {
    const auto& jobs = r.jobs;
    if (!std::all_of(jobs.begin(), jobs.end(), [](const job_place& j) { return j.lane.has_value(); }))
        return p.null(wire::int4_array).null(wire::int8_array);
    return p.int4s(jobs.size(), [&](std::size_t i) { return jobs[i].lane->value; })
        .int8s(jobs.size(), [&](std::size_t i) { return jobs[i].rank.value; });
}

}  // namespace pgq::statement
