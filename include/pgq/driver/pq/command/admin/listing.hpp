#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/statement/admin/listing.hpp>
#include <pgq/statement/wire.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Commands that list what is there; see concept/admin.hpp.
namespace pgq::driver::pq::command::admin {

class list_lanes {
public:
    explicit list_lanes(const lane_query& q) : query_{q} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::list_lanes)
            .text(query_.queue)
            .text(query_.entrypoint)
            .number(query_.after.value)
            .number(query_.most);
        out.end_transaction();
    }
    static result<std::vector<listed_lane>> read(const answers& in) {
        return rows_of<listed_lane>(in, in[0], [](row_view row) {
            listed_lane e{.id = {row.number<std::int32_t>(0)},
                          .queue = std::string{row.cell(1)},
                          .entrypoint = std::string{row.cell(2)},
                          .version = std::string{row.cell(3)},
                          .paused = row.flag(6),
                          .draining = row.flag(7)};
            if (!row.null(4)) e.dead_letters = lane_id{row.number<std::int32_t>(4)};
            if (!row.null(5)) e.keep_failures = row.micros(5);
            return e;
        });
    }

private:
    lane_query query_;
};

class list_jobs {
public:
    explicit list_jobs(const job_search& r) : search_{r} {}

    void compose(batch& out, const session_info&) const {
        statement::bind_list_jobs(out.add(statement::list_jobs), search_);
        out.end_transaction();
    }
    static result<job_page> read(const answers& in) {
        if (auto e = in.first_error()) return std::move(*e);
        job_page page;
        for (int i = 0; i < in[0].rows(); ++i) {
            const row_view row = in[0][i];
            if (row.null(0)) {
                if (!row.null(12)) page.next = job_id{row.number<std::int64_t>(12)};
                continue;
            }
            auto headers = read_headers(row, 10);
            if (!headers) return std::move(headers.error());
            page.jobs.push_back(read_job_of(row, std::move(*headers)));
        }
        return page;
    }

private:
    static listed_job read_job_of(row_view row, std::vector<owned_header> headers) {
        listed_job j{.id = {row.number<std::int64_t>(0)},
                     .lane = {row.number<std::int32_t>(1)},
                     .rank = {row.number<std::int64_t>(2)},
                     .state = statement::state_of(row.letter(3, 'w')),
                     .attempts = row.number<std::int16_t>(4),
                     .enqueued_at = row.time(5),
                     .reason = std::string{row.cell(9)},
                     .headers = std::move(headers)};
        if (!row.null(6)) j.run_at = row.time(6);
        if (!row.null(7)) j.since = row.time(7);
        if (!row.null(8)) j.worker = worker_id{row.number<std::int32_t>(8)};
        if (!row.null(11)) j.key = std::string{row.cell(11)};
        return j;
    }

    job_search search_;
};

class list_workers {
public:
    list_workers(worker_id after, std::int64_t most) : after_{after}, most_{most} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::list_workers).number(after_.value).number(most_);
        out.end_transaction();
    }
    static result<std::vector<listed_worker>> read(const answers& in) {
        return rows_of<listed_worker>(in, in[0], [](row_view row) {
            listed_worker w{.id = {row.number<std::int32_t>(0)},
                            .host = std::string{row.cell(1)},
                            .pid = row.number<std::int32_t>(2),
                            .version = std::string{row.cell(3)},
                            .queues = texts_in(row, 6),
                            .entrypoints = texts_in(row, 7),
                            .started_at = row.time(8),
                            .heartbeat_at = row.time(9),
                            .lease_time = row.micros(10),
                            .alive = row.flag(11),
                            .running = row.number<std::int64_t>(12)};
            statement::wire::array_reader lanes{row.cell(4)};
            for (std::size_t i = 0, n = lanes.size(); i < n; ++i)
                w.lanes.push_back({lanes.next_number<std::int32_t>()});
            if (!row.null(5)) w.prefix = std::string{row.cell(5)};
            return w;
        });
    }

private:
    static std::vector<std::string> texts_in(row_view row, int column) {
        std::vector<std::string> found;
        if (row.null(column)) return found;
        statement::wire::array_reader all{row.cell(column)};
        for (std::size_t i = 0, n = all.size(); i < n; ++i) found.emplace_back(all.next());
        return found;
    }

    worker_id after_;
    std::int64_t most_;
};

class failed_groups {
public:
    failed_groups(std::optional<std::span<const lane_id>> lanes, std::int64_t most) : lanes_{lanes}, most_{most} {}

    void compose(batch& out, const session_info&) const {
        statement::bind_some_lanes(out.add(statement::failed_groups), lanes_).number(most_);
        out.end_transaction();
    }
    static result<std::vector<failed_group>> read(const answers& in) {
        return rows_of<failed_group>(in, in[0], [](row_view row) {
            return failed_group{.lane = {row.number<std::int32_t>(0)},
                                .reason = std::string{row.cell(1)},
                                .count = {.value = row.number<std::int64_t>(2), .capped = row.flag(3)},
                                .latest = row.time(4),
                                .example = {row.number<std::int64_t>(5)}};
        });
    }

private:
    std::optional<std::span<const lane_id>> lanes_;
    std::int64_t most_;
};

}  // namespace pgq::driver::pq::command::admin
