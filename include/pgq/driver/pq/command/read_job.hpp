#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/statement/wire.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace pgq::driver::pq::command {

/// The number of columns that `{answered_job}` has; see statement/columns.hpp.
inline constexpr int job_columns = 8;

/// Reads `{answered_job}` at the start of a row.
inline result<stored_job> read_job(row_view row) {
    stored_job job{.id = {row.number<std::int64_t>(0)},
                   .lane = {row.number<std::int32_t>(1)},
                   .rank = {row.number<std::int64_t>(2)},
                   .attempts = row.number<std::int16_t>(3),
                   .enqueued_at = row.time(7),
                   .body = std::string{row.cell(5)}};
    if (!row.null(4)) job.key = std::string{row.cell(4)};
    if (row.null(6)) return job;
    statement::wire::array_reader flat{row.cell(6)};
    for (std::size_t n = flat.size() / 2; n > 0; --n) {
        auto& h = job.headers.emplace_back();
        h.name = flat.next();
        h.value = flat.next();
    }
    if (!flat.ok()) return error_info{errc::protocol, "the headers of a job cannot be read"};
    return job;
}

}  // namespace pgq::driver::pq::command
