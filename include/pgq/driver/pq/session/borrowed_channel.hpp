#pragma once

#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/client_encoding.hpp>
#include <pgq/driver/pq/connection/execute.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/driver/pq/connection/still_open.hpp>
#include <pgq/driver/pq/session/socket_wait.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <libpq-fe.h>

#include <cstddef>
#include <string>
#include <utility>

namespace pgq::driver::pq {

/// A channel on a connection of the program's.
///
/// Between two batches the connection is as it was: no transaction of ours, no setting, no prepared statement, no
/// pipeline. In a transaction of the caller's each group of a batch is a savepoint, so that a group that fails leaves
/// the transaction as it found it.
class borrowed_channel {
public:
    borrowed_channel(PGconn* c, const connection_options& o) : connection_{c}, schema_{o.schema} {
        info.max_payload = o.max_payload;
        info.keeps_state = true;
    }

    PGconn* get() const noexcept { return connection_; }
    const std::string& schema() const noexcept { return schema_; }

    /// Before each command: whether the connection can be used at the moment, and how.
    result<void> prepare() {
        if (auto fine = check_state(); !fine) return fine;
        info.in_transaction = PQtransactionStatus(connection_) == PQTRANS_INTRANS;
        info.wakes = info.in_transaction ? wake_timing::with_commit : wake_timing::behind_commit;
        return {};
    }

    /// Each group all or nothing. If the connection breaks in a group that nobody waits for, the others are done.
    result<void> send() {
        for (std::size_t from = 0, to = 0; from < steps.size(); from = to) {
            while (!steps[to++].ends_transaction) {}
            if (auto sent = send_group(from, to); !sent) return from < steps.awaited() ? sent : result<void>{};
        }
        return {};
    }

    void pause(duration d) const { pause_for(d); }

    /// Runs statements that begin or end something.
    result<void> control(const char* sql) const {
        const result_ptr r{PQexec(connection_, sql)};
        if (PQresultStatus(r.get()) == PGRES_COMMAND_OK) return {};
        if (PQstatus(connection_) != CONNECTION_OK) return connection_error(connection_, "borrow");
        return server_error(r.get(), "borrow");
    }

    batch steps{};
    session_info info{};
    command::wake_list later{};  // stays empty: the caller's commit delivers the notifications

private:
    result<void> send_group(std::size_t from, std::size_t to) {
        const bool theirs = info.in_transaction;
        if (!theirs && to - from == 1 && info.reads_committed && info.keeps_state) return run(steps[from]);
        const char* const own = info.keeps_state ? "BEGIN ISOLATION LEVEL READ COMMITTED"
                                                 : "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL pgq.stateless = on";
        if (auto begun = control(theirs ? "SAVEPOINT pgq_borrow" : own); !begun) return begun;
        for (std::size_t i = from; i < to; ++i) {
            if (auto ran = run(steps[i]); !ran) return ran;
            if (!steps[i].error) continue;
            (void)control(theirs ? "ROLLBACK TO SAVEPOINT pgq_borrow; RELEASE SAVEPOINT pgq_borrow" : "ROLLBACK");
            return {};
        }
        if (auto ended = control(theirs ? "RELEASE SAVEPOINT pgq_borrow" : "COMMIT"); !ended)
            for (std::size_t i = from; i < to; ++i) steps[i].error = ended.error();
        return {};
    }

    // An error of the statement stays with the step; a lost connection ends the batch.
    result<void> run(step& s) const {
        execute(connection_, s, schema_);
        if (PQstatus(connection_) != CONNECTION_OK) return *s.error;
        return {};
    }

    result<void> check_state() const {
        if (PQstatus(connection_) != CONNECTION_OK) return connection_error(connection_, "borrow");
        if (PQpipelineStatus(connection_) != PQ_PIPELINE_OFF)
            return not_now("the borrowed connection is in pipeline mode",
                           "leave it before the call: PQexitPipelineMode");
        const auto state = PQtransactionStatus(connection_);
        if (state == PQTRANS_INERROR)
            return not_now("the transaction of the borrowed connection has failed", "roll it back first");
        if (state != PQTRANS_IDLE && state != PQTRANS_INTRANS)
            return not_now("the borrowed connection is in the middle of a statement", "read all of its results first");
        // Before anything is sent: then nothing is in doubt.
        if (!is_still_open(connection_)) return connection_error(connection_, "borrow");
        return check_client_encoding(connection_);
    }
    static error_info not_now(const char* what, const char* remedy) { return {errc::invalid_option, what, remedy}; }

    PGconn* connection_;
    std::string schema_;
};

}  // namespace pgq::driver::pq
