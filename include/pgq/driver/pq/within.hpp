#pragma once

#include <pgq/driver/pq/handle.hpp>
#include <pgq/driver/pq/take_verb.hpp>
#include <pgq/driver/pq/verbs.hpp>
#include <pgq/job/enqueue.hpp>
#include <pgq/job/take.hpp>
#include <pgq/statement/enqueue.hpp>
#include <pgq/statement/take.hpp>
#include <pgq/statement/wake.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgq {
namespace driver::pq {

/// A connection of the caller's, in whose transaction something is to happen. Workers hear of it when that commits.
class caller_transaction {
public:
    using is_borrowed_transaction = void;

    explicit caller_transaction(PGconn* c) noexcept : connection_{c} {}

    /// A session of the queue knows the schema and the limits; nothing is sent on it.
    template <class Session>
    void meet(Session& mine) {
        schema_ = mine.line().options().schema;
        max_payload_ = mine.line().options().max_payload;
        space_ = mine.line().space();
    }
    /// After `meet`. It may wait for somebody's transaction, so nothing is locked while it does.
    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& ids) const {
        if (auto fine = check_enqueue(r, max_payload_); !fine) return fine;
        step s;
        s.query = &statement::enqueue_query(r);
        statement::bind_enqueue(s.params, r);
        if (auto ran = run_in(s, schema_); !ran) return ran;
        if (auto read = enqueue_verb::read_ids(s, r.bodies->size(), ids); !read) return read;
        step wake;
        wake.query = &statement::wake_all;
        wake.params.number(space_).number(r.lane.value);
        return run_in(wake, schema_);
    }

    template <class Session>
    result<void> take(Session& mine, const take_request& r, take_reply& reply) const {
        if (r.where)
            if (auto fine = r.where->check(); !fine) return fine;
        reply = {};
        const statement::take_statement statement{r};
        step s;
        s.query = &statement.get();
        statement.bind(s.params);
        if (auto ran = run(s, mine.line()); !ran) return ran;
        return read_taken(s, reply.jobs);
    }
    template <class Session>
    result<void> keep(Session& mine, const taken_record& job, std::string_view reason) const {
        step s;
        s.query = &statement::keep;
        statement::bind_keep(s.params, job, reason);
        return run(s, mine.line());
    }

    /// Ends a lease. errc::lease_lost makes sure that the transaction cannot be committed.
    result<void> finish(const std::string& schema, lease_ref lease, worker_id worker) const {
        step s;
        s.query = &statement::finish_inside;
        s.params.number(lease.id).number(worker.value);
        auto ran = run_in(s, schema);
        if (ran || ran.error().code != make_sqlstate("22P02")) return ran;
        return error_info{errc::lease_lost, {}, "roll the transaction back: it cannot be committed any more"};
    }

private:
    result<void> run(step& s, const auto& line) const { return run_in(s, line.options().schema); }
    result<void> run_in(step& s, const std::string& schema) const {
        execute(connection_, s, schema);
        const auto status = PQresultStatus(s.reply.get());
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return {};
        if (PQstatus(connection_) != CONNECTION_OK) return connection_error(connection_, s.query->name);
        auto e = server_error(s.reply.get(), s.query->name);
        if (e == errc::connection_lost) {
            e.code = make_error_code(errc::invalid_option);
            e.message = trimmed(PQerrorMessage(connection_));
            e.hint = "the connection given to within() must be idle, and not in pipeline mode";
        }
        return e;
    }

    PGconn* connection_;
    std::string schema_{};
    std::size_t max_payload_ = 0;
    std::int32_t space_ = 0;
};

}  // namespace driver::pq

/// For `queue.enqueue(pgq::within(conn), ...)`: on this connection, in the transaction it is in. Whether that commits is the
/// caller's affair.
inline driver::pq::caller_transaction within(PGconn* connection) noexcept {
    return driver::pq::caller_transaction{connection};
}

}  // namespace pgq
