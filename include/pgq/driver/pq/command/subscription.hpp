#pragma once

#include <pgq/driver/pq/command/listen.hpp>
#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/error/sqlstate.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/statement/wake.hpp>

#include <cstddef>

/// What a worker tells the session that gets its notifications: its own session, or the one of listen_conninfo.
namespace pgq::driver::pq::command {

/// Subscribes a worker to wake-ups, or ends that, by locks of the session. See statement/wake.hpp.
class subscription {
public:
    explicit subscription(const sync_request& r)
        : worker_{r.worker}, subscribes_{r.subscribe_wakes}, unsubscribes_{r.unsubscribe_wakes} {}

    void compose(batch& out, const session_info& info) {
        if (!info.keeps_state || info.listener != 0) return;
        if (unsubscribes_) add(out, info, statement::unsubscribe_wakes);
        if (subscribes_) {
            out.add(statement::join_sleepers).number(info.schema_id);
            out.end_transaction();
            add(out, info, statement::subscribe_wakes);
        }
        statements_ = out.size();
    }
    /// A subscription that did not get its lock is no error: the worker sleeps without that lock.
    result<void> read(const answers& in) const {
        for (std::size_t i = 0; i < statements_; ++i)
            if (in[i].error && in[i].error->code != make_sqlstate("55P03")) return *in[i].error;
        return {};
    }
    /// How many statements it has composed. They are the first of the batch.
    std::size_t size() const noexcept { return statements_; }

private:
    void add(batch& out, const session_info& info, const statement::query& q) const {
        out.add(q).number(info.schema_id).number(worker_.value);
        out.end_transaction();
    }

    worker_id worker_;
    bool subscribes_;
    bool unsubscribes_;
    std::size_t statements_ = 0;
};

/// This session gets the notifications of the worker.
class listen_as_worker {
public:
    explicit listen_as_worker(worker_id id) : id_{id} {}

    void compose(batch& out, const session_info& info) { listen_.add_worker(out, info, id_); }
    static result<void> read(const answers& in) { return no_error(in); }

private:
    worker_id id_;
    listen listen_{};
};

/// The same after the worker's connection broke: its former session ends.
class take_worker_over {
public:
    explicit take_worker_over(worker_id id) : id_{id} {}

    void compose(batch& out, const session_info& info) {
        if (!info.listens || !info.keeps_state) return;
        listen_.add_worker(out, info, id_);
        listens_ = out.size();
        out.add(statement::terminate_previous).number(info.schema_id).number(id_.value);
        out.end_transaction();
    }
    /// Where a session may not end another one, the network's time-out ends it.
    result<void> read(const answers& in) const {
        if (auto e = in.first_error(0, listens_)) return *e;
        return {};
    }

private:
    worker_id id_;
    std::size_t listens_ = 0;
    listen listen_{};
};

/// This session gets the notifications about the ends of jobs.
class listen_for_ends {
public:
    void compose(batch& out, const session_info& info) { listen_.add_ends(out, info); }
    static result<void> read(const answers& in) { return no_error(in); }
    static void learn(session_info& info) noexcept { info.listens_for_ends = info.keeps_state; }

private:
    listen listen_{};
};

}  // namespace pgq::driver::pq::command
