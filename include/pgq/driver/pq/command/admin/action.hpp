#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/command/worker_leases.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/action.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/statement/admin.hpp>
#include <pgq/statement/admin/action.hpp>
#include <pgq/statement/liveness.hpp>
#include <pgq/statement/query.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

/// Commands by which an operator changes jobs and workers; see concept/admin.hpp.
namespace pgq::driver::pq::command::admin {

/// Does one thing with jobs.
class act {
public:
    explicit act(const action_request& r) : request_{r} {}

    void compose(batch& out, const session_info& info) const {
        auto& p = out.add(statement_of(request_.what)).int8s(request_.jobs.size(), [&](std::size_t i) {
            return request_.jobs[i].id.value;
        });
        if (finds_ready_jobs()) statement::bind_places(p, request_);
        if (request_.what == job_action::move) p.number(request_.to.value);
        end_and_notify_noted(out, info);
    }
    result<action_reply> read(const answers& in) {
        if (auto e = in.first_error()) return std::move(*e);
        const row_view row = in[0][0];
        action_reply reply{.done = row.number<std::int64_t>(0)};
        if (request_.what == job_action::cancel) {
            reply.stopping = row.number<std::int64_t>(1);
            reply.done += reply.stopping;
        } else if (request_.what != job_action::drop) wakes_.lanes = lanes_in(in[0], 1);
        wakes_.noted = finds_ready_jobs() && reply.done > 0;
        return reply;
    }
    /// Jobs that waited for cancelled ones may be claimable now, and so may the other jobs of a pack.
    wake_list wakes() const { return wakes_; }

private:
    bool finds_ready_jobs() const noexcept {
        return request_.what == job_action::cancel || request_.what == job_action::move;
    }
    static const statement::query& statement_of(job_action what) noexcept {
        switch (what) {
        case job_action::requeue: return statement::requeue;
        case job_action::run_now: return statement::run_now;
        case job_action::drop: return statement::drop_held;
        case job_action::move: return statement::move_jobs;
        case job_action::cancel: break;
        }
        return statement::cancel_at;
    }

    action_request request_;
    wake_list wakes_{};
};

/// Removes a worker.
class forget_worker {
public:
    /// `may_return` becomes true if the role of the session may return the jobs of dead workers.
    forget_worker(worker_id id, bool forced, bool& may_return) : id_{id}, forced_{forced}, may_return_{&may_return} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::forget_worker).number(id_.value).boolean(forced_);
        out.end_transaction();
    }
    result<forget_reply> read(const answers& in) const {
        if (auto e = in.first_error()) return std::move(*e);
        const row_view row = in[0][0];
        forget_reply reply{.known = row.flag(0), .alive = row.flag(1)};
        reply.forgotten = reply.known && (forced_ || !reply.alive);
        *may_return_ = row.flag(2);
        return reply;
    }

private:
    worker_id id_;
    bool forced_;
    bool* may_return_;
};

/// Returns the jobs of workers that are not registered.
class return_jobs {
public:
    static void compose(batch& out, const session_info& info) {
        out.add(statement::rescue_leases);
        end_and_notify_noted(out, info);
    }
    result<rescue_reply> read(const answers& in) {
        if (auto e = in.first_error()) return std::move(*e);
        returned_ = command::detail::returned_jobs(in[0]);
        return rescue_reply{.returned = in[0][0].number<std::int64_t>(0), .held = in[0][0].number<std::int64_t>(1)};
    }
    wake_list wakes() const { return returned_; }

private:
    wake_list returned_{};
};

}  // namespace pgq::driver::pq::command::admin
