#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/session/borrowed_session.hpp>
#include <pgq/driver/pq/session/caller_transaction.hpp>

#include <libpq-fe.h>

#include <cstddef>
#include <string>
#include <utility>

namespace pgq::driver {

struct borrow_options {
    std::string schema = "pgq_jobs";                  ///< where the tables are
    std::size_t max_payload = std::size_t{16} << 20;  ///< bytes of one serialized job
};

/// A queue on a connection that the program has already: `app_queue jobs{driver::borrow{conn}};`. It can enqueue, take,
/// find, cancel and requeue jobs. Workers need other connections.
///
/// The driver never closes the connection, and leaves its settings, prepared statements and transaction as they are. In
/// an open transaction, a call is a part of it: a rollback undoes the call, and a savepoint keeps the transaction
/// usable if the call fails. Without an open transaction each call is one transaction.
///
/// Further errors than those of driver::libpq: errc::invalid_option when the connection cannot be used at the moment:
/// in pipeline mode, in the middle of a statement, in a transaction that has failed, or with another client_encoding
/// than UTF8; and from `get` with a timeout. A worker on it does not compile. Calls block for as long as libpq does.
///
/// Only one thread at a time may use the connection. The queue object has a lock for its own calls, but not for the
/// program's other uses of the connection.
class borrow {
public:
    using policy_category = driver_tag;
    using session = pq::borrowed_session;

    /// The connection outlives this and the queues that are made of it.
    explicit borrow(PGconn* connection, borrow_options options = {}) : connection_{connection} {
        options_.schema = std::move(options.schema);
        options_.max_payload = options.max_payload;
    }

    /// Fails with errc::schema_missing, schema_older or schema_newer when the tables are not this version's.
    result<session> connect(session_role role) const {
        if (role != session_role::client)
            return error_info{errc::invalid_option, "a borrowed connection neither runs a worker nor waits",
                              "give the queue a driver that makes connections of its own, driver::libpq"};
        return session::open(connection_, options_);
    }

    /// Makes nothing: it succeeds where the tables are there, and fails as connect() does where they are not.
    result<void> install() const {
        auto there = connect(session_role::client);
        if (there) return {};
        error_info e = std::move(there.error());
        if (e == errc::schema_missing || e == errc::schema_older)
            e.hint = "install them once by driver::libpq{...}.install(), which has a transaction of its own";
        return e;
    }

private:
    PGconn* connection_;
    connection_options options_;
};

static_assert(driver_policy<borrow> && !worker_driver<borrow>);

}  // namespace pgq::driver
