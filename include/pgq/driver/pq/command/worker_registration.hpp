#pragma once

#include <pgq/driver/pq/command/listen.hpp>
#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/command/worker_leases.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/statement/liveness.hpp>
#include <pgq/statement/search.hpp>
#include <pgq/statement/statistics.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pgq::driver::pq::command {

/// Makes a worker known, and then listens to its channel: the number in the channel's name is in the first answer.
class register_worker {
public:
    explicit register_worker(const worker_info& info) : worker_{info} {}

    void compose(batch& out, const session_info&) const {
        if (worker_.queues == nullptr) statement::bind_register(out.add(statement::register_worker), worker_);
        else statement::bind_register_of_queues(out.add(statement::register_worker_of_queues), worker_);
        out.end_transaction();
    }
    result<worker_id> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        id_ = {in[0][0].number<std::int32_t>(0)};
        return id_;
    }
    void then(batch& out, const session_info& info) { listen_.add_worker(out, info, id_); }
    static result<void> read_then(const answers& in) { return no_error(in); }

private:
    worker_info worker_;
    worker_id id_{};
    listen listen_{};
};

/// One heartbeat. It also stores a report, and compacts tables with dead rows. If one of these fails, the heartbeat
/// still counts.
class beat {
public:
    explicit beat(worker_id id, const minute_report& report = {}) : id_{id}, report_{report} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::beat).number(id_.value);
        out.end_transaction();
        out.add(statement::compact);
        out.end_transaction();
        if (report_.empty()) return;
        statement::bind_report(out.add(statement::add_minutes), id_, report_);
        out.end_transaction();
    }
    result<beat_reply> read(const answers& in) const {
        if (in[0].error) return *in[0].error;
        const row_view row = in[0][0];
        return beat_reply{.alive = row.number<std::int64_t>(0) == 1,
                          .rescue_needed = row.flag(1),
                          .jobs_to_stop = row.flag(2),
                          .compacted = !in[1].error && in[1][0].flag(0),
                          .compact_error = in[1].error,
                          .report_error = report_.empty() ? std::nullopt : in[2].error};
    }

private:
    worker_id id_;
    minute_report report_;
};

/// The worker is gone. What it still holds is claimable at once; those attempts do not count. Its last report is stored
/// before, in a transaction of its own: it is not worth an error.
class retire {
public:
    explicit retire(worker_id id, const minute_report& report = {}) : id_{id}, report_{report} {}

    void compose(batch& out, const session_info& info) const {
        if (!report_.empty()) {
            statement::bind_report(out.add(statement::add_minutes), id_, report_);
            out.end_transaction();
        }
        out.add(statement::give_back_all).number(id_.value);
        out.add(statement::unregister).number(id_.value);
        end_and_notify_noted(out, info);
    }
    result<std::vector<held_by_rescue>> read(const answers& in) {
        const std::size_t first = report_.empty() ? 0 : 1;
        if (auto e = in.first_error(first, in.size())) return *e;
        returned_ = detail::returned_jobs(in[first]);
        return detail::held_jobs(in[first]);
    }
    wake_list wakes() const { return returned_; }

private:
    worker_id id_;
    minute_report report_;
    wake_list returned_{};
};

}  // namespace pgq::driver::pq::command
