#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/statement/admin.hpp>
#include <pgq/statement/track.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Commands that only read jobs.
namespace pgq::driver::pq::command::admin {

/// How many jobs of a lane are where.
class counts {
public:
    explicit counts(lane_id lane) : lane_{lane} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::counts).number(lane_.value);
        out.end_transaction();
    }
    static result<lane_counts> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        const row_view row = in[0][0];
        return lane_counts{.ready = row.number<std::int64_t>(0),
                           .deferred = row.number<std::int64_t>(1),
                           .leased = row.number<std::int64_t>(2),
                           .held = row.number<std::int64_t>(3),
                           .paused = row.flag(4),
                           .draining = row.flag(5),
                           .blocked = row.number<std::int64_t>(6)};
    }

private:
    lane_id lane_;
};

/// How many jobs of a lane have not ended and are not held; counted no further than `most`.
class open_jobs {
public:
    open_jobs(lane_id lane, std::int64_t most) : lane_{lane}, most_{most} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::open_jobs).number(lane_.value).number(most_);
        out.end_transaction();
    }
    static result<std::int64_t> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        return in[0][0].number<std::int64_t>(0);
    }

private:
    lane_id lane_;
    std::int64_t most_;
};

/// Held jobs of a lane, at most `limit`.
class held {
public:
    held(lane_id lane, std::size_t limit) : lane_{lane}, limit_{limit} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::held).number(lane_.value).number(static_cast<std::int64_t>(limit_));
        out.end_transaction();
    }
    static result<std::vector<held_job>> read(const answers& in) {
        if (auto e = in.first_error()) return std::move(*e);
        std::vector<held_job> found;
        for (int i = 0; i < in[0].rows(); ++i) {
            auto job = read_job(in[0][i]);
            if (!job) return std::move(job.error());
            found.push_back({std::move(*job), std::string{in[0][i].cell(job_columns)}});
        }
        return found;
    }

private:
    lane_id lane_;
    std::size_t limit_;
};

/// The attempts of a job that failed, oldest first.
class failures {
public:
    explicit failures(job_id id) : id_{id} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::failures).number(id_.value);
        out.end_transaction();
    }
    static result<std::vector<failed_attempt>> read(const answers& in) {
        return rows_of<failed_attempt>(in, in[0], [](row_view row) {
            return failed_attempt{.attempt = row.number<std::int16_t>(0),
                                  .at = time_point{std::chrono::microseconds{row.number<std::int64_t>(1)}},
                                  .reason = std::string{row.cell(2)}};
        });
    }

private:
    job_id id_;
};

}  // namespace pgq::driver::pq::command::admin
