#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/found_job.hpp>
#include <pgq/statement/admin/listing.hpp>
#include <pgq/statement/find_one.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace pgq::driver::pq::command::admin {

/// Where a job is; nothing if the database knows nothing of it.
class find_one {
public:
    explicit find_one(job_id id) : id_{id} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::find_one).number(id_.value);
        out.end_transaction();
    }
    static result<std::optional<found_job>> read(const answers& in) {
        if (auto e = in.first_error()) return std::move(*e);
        if (in[0].rows() == 0) return std::optional<found_job>{};
        const row_view row = in[0][0];
        auto job = read_job(row);
        if (!job) return std::move(job.error());
        found_job found{std::move(*job)};
        found.state = statement::state_of(row.letter(job_columns, 'w'));
        found.queue = row.cell(job_columns + 1);
        found.entrypoint = row.cell(job_columns + 2);
        found.version = row.cell(job_columns + 3);
        if (found.state == job_state::deferred) found.run_at = row.time(job_columns + 4);
        if (found.state == job_state::leased)
            found.holder = job_holder{.worker = {row.number<std::int32_t>(job_columns + 6)},
                                      .host = std::string{row.cell(job_columns + 7)},
                                      .pid = row.number<std::int32_t>(job_columns + 8),
                                      .since = row.time(job_columns + 5)};
        if (found.state == job_state::blocked) found.blocked_by = row.number<std::int32_t>(job_columns + 9);
        found.reason = row.cell(job_columns + 10);
        if (found.state != job_state::ended) return std::optional{std::move(found)};
        found.end = static_cast<end_kind>(row.letter(job_columns + 11, '?'));
        found.enqueued_at = {};
        return std::optional{std::move(found)};
    }

private:
    job_id id_;
};

}  // namespace pgq::driver::pq::command::admin
