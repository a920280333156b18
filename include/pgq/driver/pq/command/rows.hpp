#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/deferred_position.hpp>
#include <pgq/protocol/lane_search.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/wire.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What several commands do to bind their parameters and to read their rows.
namespace pgq::driver::pq::command {

inline void bind_ids(statement::params& p, std::span<const job_id> ids) {
    p.int8s(ids.size(), [&](std::size_t i) { return ids[i].value; });
}
inline statement::params& bind_lanes(statement::params& p, std::span<const lane_id> lanes) {
    return p.int4s(lanes.size(), [&](std::size_t i) { return lanes[i].value; });
}

/// The lanes in an array of the only row; none when that is null.
inline std::vector<lane_id> lanes_in(const step& s, int column) {
    std::vector<lane_id> found;
    if (s.rows() != 1 || s[0].null(column)) return found;
    statement::wire::array_reader ids{s[0].cell(column)};
    for (std::size_t i = 0, n = ids.size(); i < n; ++i) found.push_back({ids.next_number<std::int32_t>()});
    return found;
}

/// Each row by `read`.
template <class Row, class Read>
std::vector<Row> rows_of(const step& s, Read read) {
    std::vector<Row> found;
    found.reserve(static_cast<std::size_t>(s.rows()));
    for (int i = 0; i < s.rows(); ++i) found.push_back(read(s[i]));
    return found;
}
/// The same, unless one of the statements has failed.
template <class Row, class Read>
result<std::vector<Row>> rows_of(const answers& in, const step& s, Read read) {
    if (auto e = in.first_error()) return std::move(*e);
    return rows_of<Row>(s, read);
}

/// Nothing but whether all statements have succeeded.
inline result<void> no_error(const answers& in) {
    if (auto e = in.first_error()) return std::move(*e);
    return {};
}

/// The number of columns that `{answered_job}` has; see statement/columns.hpp.
inline constexpr int job_columns = 8;

/// Headers as an array of pairs; none when it is null.
inline result<std::vector<owned_header>> read_headers(row_view row, int column) {
    std::vector<owned_header> headers;
    if (row.null(column)) return headers;
    statement::wire::array_reader flat{row.cell(column)};
    for (std::size_t n = flat.size() / 2; n > 0; --n) {
        auto& h = headers.emplace_back();
        h.name = flat.next();
        h.value = flat.next();
    }
    if (!flat.ok()) return error_info{errc::protocol, "the headers of a job cannot be read"};
    return headers;
}

/// Reads `{answered_job}` at the start of a row.
inline result<stored_job> read_job(row_view row) {
    auto headers = read_headers(row, 6);
    if (!headers) return std::move(headers.error());
    stored_job job{.id = {row.number<std::int64_t>(0)},
                   .lane = {row.number<std::int32_t>(1)},
                   .rank = {row.number<std::int64_t>(2)},
                   .attempts = row.number<std::int16_t>(3),
                   .enqueued_at = row.time(7),
                   .body = std::string{row.cell(5)},
                   .headers = std::move(*headers)};
    if (!row.null(4)) job.key = std::string{row.cell(4)};
    return job;
}

/// The answer to `statement::peek_next_due`.
struct peek_answer {
    std::optional<duration> due{};
    std::int64_t workers = 0;
    deferred_peek found{};
};

inline std::optional<peek_answer> read_peek(const step& s) {
    if (s.rows() != 1) return std::nullopt;
    const row_view row = s[0];
    peek_answer a{.workers = row.number<std::int64_t>(1),
                  .found = {.now = row.time(2),
                            .run_at = row.time(3),
                            .expires_at = row.time(4),
                            .took = row.micros(5),
                            .scanned = row.flag(6)}};
    if (!row.null(0)) a.due = row.micros(0);
    return a;
}

/// Of the answer to `statement::promote`: where the promoted jobs of each lane begin.
inline void read_promoted_lanes(const step& s, std::vector<promoted_lane>& out) {
    const row_view row = s[0];
    if (row.null(3)) return;
    statement::wire::array_reader lanes{row.cell(3)}, ranks{row.cell(4)}, ids{row.cell(5)};
    for (std::size_t i = 0, n = lanes.size(); i < n; ++i)
        out.push_back({.lane = {lanes.next_number<std::int32_t>()},
                       .first = {pgq::rank{ranks.next_number<std::int64_t>()}, {ids.next_number<std::int64_t>()}}});
}

/// The answer to search_lanes.
inline void read_found_lanes(const step& s, std::uint32_t most, found_lanes& out) {
    const row_view row = s[0];
    if (row.number<std::int64_t>(0) >= most) out.continues_behind = lane_id{row.number<std::int32_t>(1)};
    if (row.null(2)) return;
    statement::wire::array_reader lanes{row.cell(2)}, queues{row.cell(3)}, names{row.cell(4)}, limited{row.cell(5)};
    for (std::size_t i = 0, n = lanes.size(); i < n; ++i) {
        auto& found = out.lanes.emplace_back();
        found.lane = {lanes.next_number<std::int32_t>()};
        found.queue = queues.next();
        found.name = static_cast<std::size_t>(names.next_number<std::int32_t>()) - 1;
        found.limited = limited.next() == std::string_view{"\1", 1};
    }
}

}  // namespace pgq::driver::pq::command
