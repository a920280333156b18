#pragma once

#include <pgq/detail/separate_compilation.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
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

/// A connection of the caller's, in whose transaction something is to happen. Workers are notified when it commits.
class caller_transaction {
public:
    using is_borrowed_transaction = void;

    explicit caller_transaction(PGconn* c) noexcept;

    /// Takes the name and id of the schema, and the payload limit, from a session of the queue. Sends nothing.
    template <class Session>
    void meet(Session& mine) {
        schema_ = mine.schema();
        info_.max_payload = mine.info().max_payload;
        info_.schema_id = mine.info().schema_id;
    }
    /// To be called after `meet`. It may wait for another transaction, so the caller must not hold a lock of the queue
    /// object.
    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& ids) const;

    /// If the server has not answered until `end`, the connection is shut down.
    template <class Session>
    result<void> take(Session& mine, const take_request& r, take_reply& reply, steady_time end) {
        meet(mine);
        return take(r, reply, end);
    }
    template <class Session>
    result<void> hold_taken(Session& mine, const taken_record& job, std::string_view reason, steady_time end) {
        meet(mine);
        return hold_taken(job, reason, end);
    }

    /// Ends a lease. errc::lease_lost makes sure that the transaction cannot be committed.
    result<void> finish(const std::string& schema, lease_ref lease, worker_id worker) const;

private:
    result<void> take(const take_request& r, take_reply& reply, steady_time end) const;
    result<void> hold_taken(const taken_record& job, std::string_view reason, steady_time end) const;
    template <class Command>
    auto run(Command c, const std::string& schema, steady_time end = steady_time::max()) const;

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

#ifndef PGQ_SEPARATE_COMPILATION
#include <pgq/driver/pq/session/caller_transaction.ipp>
#endif
