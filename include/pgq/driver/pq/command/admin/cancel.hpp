#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/statement/admin.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace pgq::driver::pq::command::admin {

/// Removes jobs that wait and asks workers to stop those that run.
class cancel {
public:
    explicit cancel(std::span<const job_id> ids) : ids_{ids} {}

    void compose(batch& out, const session_info& info) const {
        bind_ids(out.add(statement::cancel), ids_);
        end_and_notify_noted(out, info);
    }
    result<cancel_reply> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        const row_view row = in[0][0];
        const cancel_reply reply{.removed = row.number<std::int64_t>(0), .stopping = row.number<std::int64_t>(1)};
        removed_ = reply.removed > 0;
        return reply;
    }
    /// Jobs that waited for the removed ones may be claimable now.
    wake_list wakes() const { return {.noted = removed_}; }

private:
    std::span<const job_id> ids_;
    bool removed_ = false;
};

/// Makes held jobs claimable again. How many.
class requeue {
public:
    explicit requeue(std::span<const job_id> ids) : ids_{ids} {}

    void compose(batch& out, const session_info&) const {
        bind_ids(out.add(statement::requeue), ids_);
        out.end_transaction();
    }
    result<std::int64_t> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        touched_ = lanes_in(in[0], 1);
        return in[0][0].number<std::int64_t>(0);
    }
    wake_list wakes() const { return {.lanes = touched_}; }

private:
    std::span<const job_id> ids_;
    std::vector<lane_id> touched_{};
};

}  // namespace pgq::driver::pq::command::admin
