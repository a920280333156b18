#pragma once

#include <pgq/driver/pq/command/acknowledge.hpp>
#include <pgq/driver/pq/command/enqueue.hpp>
#include <pgq/driver/pq/command/execution.hpp>
#include <pgq/driver/pq/command/take.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/client_encoding.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/driver/pq/session/caller_transaction.hpp>
#include <pgq/driver/pq/session/execute_until.hpp>

namespace pgq::driver::pq {

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

template <class Command>
auto caller_transaction::run(Command c, const std::string& schema, steady_time end) const {
    using result_type = typename command::execution<Command>::result_type;
    if (auto fine = check_client_encoding(connection_); !fine) return result_type{std::move(fine.error())};
    transaction_channel channel{connection_, schema, info_, end};
    return run_command(channel, c);
}

PGQ_DECL caller_transaction::caller_transaction(PGconn* c) noexcept : connection_{c} {
    info_.in_transaction = true;
    info_.wakes = wake_timing::with_commit;
    info_.keeps_state = true;
}

PGQ_DECL result<void> caller_transaction::enqueue(const enqueue_request& r, std::vector<job_id>& ids) const {
    return run(command::enqueue{r, ids}, schema_);
}

PGQ_DECL result<void> caller_transaction::take(const take_request& r, take_reply& reply, steady_time end) const {
    return run(command::take{r, reply}, schema_, end);
}

PGQ_DECL result<void> caller_transaction::hold_taken(const taken_record& job, std::string_view reason,
                                                     steady_time end) const {
    return run(command::hold_taken{job, reason}, schema_, end);
}

PGQ_DECL result<void> caller_transaction::finish(const std::string& schema, lease_ref lease, worker_id worker) const {
    return run(command::finish_inside{worker, lease}, schema);
}

}  // namespace pgq::driver::pq
