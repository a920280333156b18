#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/statement/statistics.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Commands that read numbers; see concept/statistics.hpp.
namespace pgq::driver::pq::command::admin {

class statistics {
public:
    explicit statistics(const statistics_request& r) : request_{r} {}

    void compose(batch& out, const session_info&) const {
        statement::bind_window(bind_lanes(out.add(statement::statistics), request_.lanes), request_);
        out.end_transaction();
    }
    static result<std::vector<lane_statistics>> read(const answers& in) {
        return rows_of<lane_statistics>(in, in[0], [](row_view row) {
            lane_statistics s;
            s.lane = {row.number<std::int32_t>(0)};
            s.at = time_point{std::chrono::microseconds{row.number<std::int64_t>(1)}};
            int column = 2;
            for (auto member :
                 {&job_statistics::enqueued, &job_statistics::done, &job_statistics::retried, &job_statistics::held,
                  &job_statistics::discarded, &job_statistics::cancelled, &job_statistics::expired})
                s.*member = row.number<std::int64_t>(column++);
            s.wait = statement::histogram_of(row.cell(11), std::chrono::microseconds{row.number<std::int64_t>(9)});
            s.run = statement::histogram_of(row.cell(12), std::chrono::microseconds{row.number<std::int64_t>(10)});
            return s;
        });
    }

private:
    statistics_request request_;
};

class counts_up_to {
public:
    counts_up_to(std::span<const lane_id> lanes, std::int64_t most) : lanes_{lanes}, most_{most} {}

    void compose(batch& out, const session_info&) const {
        bind_lanes(out.add(statement::counts_up_to), lanes_).number(most_);
        out.end_transaction();
    }
    result<std::vector<capped_counts>> read(const answers& in) const {
        std::size_t i = 0;
        return rows_of<capped_counts>(in, in[0], [&](row_view row) {
            const auto number = [&](int column) { return row.number<std::int64_t>(column); };
            // Both kinds of deferred jobs were counted together.
            const bool cut = number(1) > most_;
            capped_counts c{.lane = lanes_[i++],
                            .ready = capped_count::of(number(0), most_),
                            .deferred = {number(1) - number(2) - (cut && number(2) == 0 ? 1 : 0), cut},
                            .blocked = {number(2) - (cut && number(2) == number(1) ? 1 : 0), cut},
                            .leased = {number(4), false},
                            .held = capped_count::of(number(3), most_),
                            .oldest_ready_at_least = row.number<std::int32_t>(5) > 64};
            if (!row.null(6)) c.oldest_ready = std::max(row.micros(6), duration{});
            return c;
        });
    }

private:
    std::span<const lane_id> lanes_;
    std::int64_t most_;
};

class latest_failures {
public:
    latest_failures(std::span<const lane_id> lanes, std::size_t limit) : lanes_{lanes}, limit_{limit} {}

    void compose(batch& out, const session_info&) const {
        bind_lanes(out.add(statement::latest_failures), lanes_).number(static_cast<std::int64_t>(limit_));
        out.end_transaction();
    }
    static result<std::vector<job_failure>> read(const answers& in) {
        return rows_of<job_failure>(in, in[0], [](row_view row) {
            return job_failure{.id = {row.number<std::int64_t>(0)},
                               .lane = {row.number<std::int32_t>(1)},
                               .attempt = row.number<std::int16_t>(2),
                               .at = row.time(3),
                               .reason = std::string{row.cell(4)}};
        });
    }

private:
    std::span<const lane_id> lanes_;
    std::size_t limit_;
};

class keep_failures {
public:
    keep_failures(std::span<const lane_id> lanes, duration keep) : lanes_{lanes}, keep_{keep} {}

    void compose(batch& out, const session_info&) const {
        const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(keep_).count();
        bind_lanes(out.add(statement::keep_failures), lanes_).number(std::int64_t{micros});
        out.end_transaction();
    }
    static result<void> read(const answers& in) { return no_error(in); }

private:
    std::span<const lane_id> lanes_;
    duration keep_;
};

}  // namespace pgq::driver::pq::command::admin
