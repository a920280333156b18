#pragma once

#include <pgq/driver/pq/command/acknowledge.hpp>
#include <pgq/driver/pq/command/enqueue.hpp>
#include <pgq/driver/pq/command/execution.hpp>
#include <pgq/driver/pq/command/take.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/client_encoding.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/driver/pq/session/execute_until.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/time/clock.hpp>

#include <libpq-fe.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq {
namespace driver::pq {

/// A channel into the transaction that is open on a connection of the caller's. A statement that fails makes the
/// transaction fail.
class transaction_channel {
public:
    /// `end`: when its statements end, even if the server is silent.
    transaction_channel(PGconn* c, std::string schema, const session_info& known, steady_time end)
        : info{known}, connection_{c}, schema_{std::move(schema)}, end_{end} {}

    result<void> send() {
        for (std::size_t i = 0; i < steps.size(); ++i) {
            execute_until(connection_, steps[i], schema_, end_);
            if (!steps[i].error) continue;
            if (PQstatus(connection_) != CONNECTION_OK) return *steps[i].error;
            if (*steps[i].error == errc::connection_lost) steps[i].error = unusable(steps[i].query->name);
            return {};
        }
        return {};
    }

    batch steps{};
    session_info info{};
    command::wake_list later{};  // stays empty: the caller's commit delivers the notifications

private:
    // libpq has refused the call.
    error_info unusable(const char* statement) const {
        error_info e{errc::invalid_option, trimmed(PQerrorMessage(connection_)),
                     "the connection given to within() must be idle, and not in pipeline mode"};
        e.statement = statement;
        return e;
    }

    PGconn* connection_;
    std::string schema_;
    steady_time end_;
};

/// A connection of the caller's, in whose transaction something is to happen. Workers are notified when it commits.
class caller_transaction {
    template <class Command>
    auto run(Command c, const std::string& schema, steady_time end = steady_time::max()) const ->
        typename command::execution<Command>::result_type {
        if (auto fine = check_client_encoding(connection_); !fine) return std::move(fine.error());
        transaction_channel channel{connection_, schema, info_, end};
        return run_command(channel, c);
    }

public:
    using is_borrowed_transaction = void;

    explicit caller_transaction(PGconn* c) noexcept : connection_{c} {
        info_.in_transaction = true;
        info_.wakes = wake_timing::with_commit;
        info_.keeps_state = true;
    }

    /// Takes the name and id of the schema, and the payload limit, from a session of the queue. Sends nothing.
    template <class Session>
    void meet(Session& mine) {
        schema_ = mine.schema();
        info_.max_payload = mine.info().max_payload;
        info_.schema_id = mine.info().schema_id;
    }
    /// To be called after `meet`. It may wait for another transaction, so the caller must not hold a lock of the queue
    /// object.
    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& ids) const {
        return run(command::enqueue{r, ids}, schema_);
    }

    /// If the server has not answered until `end`, the connection is shut down.
    template <class Session>
    result<void> take(Session& mine, const take_request& r, take_reply& reply, steady_time end) {
        meet(mine);
        return run(command::take{r, reply}, schema_, end);
    }
    template <class Session>
    result<void> hold_taken(Session& mine, const taken_record& job, std::string_view reason, steady_time end) {
        meet(mine);
        return run(command::hold_taken{job, reason}, schema_, end);
    }

    /// Ends a lease. errc::lease_lost makes sure that the transaction cannot be committed.
    result<void> finish(const std::string& schema, lease_ref lease, worker_id worker) const {
        return run(command::finish_inside{worker, lease}, schema);
    }

private:
    PGconn* connection_;
    std::string schema_{};
    session_info info_{};
};

}  // namespace driver::pq

/// For `queue.enqueue(pgq::within(conn), ...)`: on this connection, in the transaction that it is in. The caller
/// commits. If the client_encoding of the connection is not UTF8, the call returns errc::invalid_option and sends
/// nothing.
inline driver::pq::caller_transaction within(PGconn* connection) noexcept {
    return driver::pq::caller_transaction{connection};
}

}  // namespace pgq
