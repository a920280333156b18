#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/detail/separate_compilation.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/session/admin_verbs.hpp>
#include <pgq/driver/pq/session/client_verbs.hpp>
#include <pgq/driver/pq/session/copy_stream.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/sql_rows.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/record.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::driver::pq {

class connection;
class listener;
class own_channel;
class self_pipe;
struct session_info;

/// A connection with all verbs of a session, blocking. See concept/driver.hpp for what they mean.
class session : public client_verbs<session>, public admin_verbs<session> {
public:
    /// `limit` may be null, and outlives the session.
    static result<session> open(const connection_options& options, session_role role,
                                const call_limit* limit = nullptr);

    /// Runs one command of driver/pq/command: session.ipp defines it.
    template <class Command>
    auto run(Command c);

    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& put);
    /// A stream of jobs into one lane; see copy_stream.
    copy_stream copy(lane_id lane);

    result<void> sync(const sync_request& r, sync_reply& reply);
    result<void> begin_sync(const sync_request& r, sync_reply& reply);
    result<void> end_sync();

    result<void> take(const take_request& r, take_reply& reply);

    result<void> begin();
    /// A transaction in which a statement has failed cannot be committed: that is an error, and it is rolled back.
    result<void> commit();
    result<void> rollback();
    result<void> savepoint();
    result<void> rollback_to_savepoint();
    result<void> release_savepoint();

    /// See concept/transaction.hpp.
    result<bool> commit_acknowledging(worker_id worker, const lease_ref& lease,
                                      std::optional<std::string_view> written);
    result<bool> acknowledge(worker_id worker, const lease_ref& l);
    result<bool> owns_lease(worker_id worker, const lease_ref& l);

    /// One statement of the user's inside of the open transaction. After `exec_timeout` it is cancelled, and the
    /// connection is closed if the server does not even answer that.
    result<sql_rows> exec(const std::string& sql, std::span<const std::optional<std::string>> parameters);

    result<wake_reason> wait(duration timeout);
    void interrupt() noexcept;

    result<worker_id> register_worker(const worker_info& w);
    result<beat_reply> beat(worker_id id, const minute_report& report = {});
    result<rescue_reply> rescue();
    result<std::vector<held_by_rescue>> retire(worker_id id, const minute_report& report = {});
    /// Also takes the worker over: from now on this session is woken for it.
    result<std::vector<lease_update>> leases_of(worker_id id);
    result<std::vector<held_by_rescue>> give_back(std::span<const lease_ref> leases);
    result<std::vector<lease_update>> lease_updates(worker_id id);
    bool take_stop_request() noexcept;
    result<purge_reply> expire_and_purge();
    result<void> revise(const revision& r);
    result<void> watch(std::span<const job_id> watched, duration keep_for, std::vector<ended_job>& ended);

    session(session&&) noexcept;
    session& operator=(session&&) noexcept;
    ~session();

    /// False when the server has closed the connection, or that of the listener, while nothing was going on.
    bool usable() noexcept;
    connection& line() noexcept;
    const std::string& schema() noexcept;
    /// What is known about the session.
    session_info& info() noexcept;

protected:
    // For the session that also has asynchronous verbs. Made so it is not connected, and without arguments it is
    // nothing at all.
    session() noexcept;
    session(const connection_options& o, session_role r, const call_limit* l);

    result<void> connect();
    /// Null without a listen_conninfo.
    listener* beside() noexcept;
    /// The connection that gets the notifications.
    connection& notified_line() noexcept;
    own_channel& channel() noexcept;
    self_pipe& wake() noexcept;

private:
    static result<void> open(own_channel& c);
    result<void> open_listener();
    // Without a listener the session's own commands do it.
    template <class Command>
    result<void> update_listener(Command c);
    result<void> update_subscription(const sync_request& r);

    struct overlapped;
    struct shared_state;
    struct transaction_end;

    transaction_end end_transaction();
    result<sql_rows> exec_in_time(PGconn* c, const std::string& sql,
                                  std::span<const std::optional<std::string>> parameters);
    // Jobs that were put exist when it was committed; jobs that were taken are there again when it was not.
    void wake_for(const transaction_end& end, bool committed);
    bool poll_for(short events, duration timeout);
    result<void> enqueue_by_copy(const enqueue_request& r, std::vector<job_id>& put);

    std::unique_ptr<shared_state> state_;
};

#ifdef PGQ_SEPARATE_COMPILATION
// In a file that sees the definitions of these templates, too: driver::borrow includes them.
extern template class client_verbs<session>;
extern template class admin_verbs<session>;
#endif

}  // namespace pgq::driver::pq

#ifndef PGQ_SEPARATE_COMPILATION
#include <pgq/driver/pq/session/session.ipp>
#endif
