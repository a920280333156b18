#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/pq/handle.hpp>
#include <pgq/driver/pq/looking_after.hpp>
#include <pgq/driver/pq/options.hpp>
#include <pgq/driver/pq/plain_sql.hpp>
#include <pgq/driver/pq/schema_check.hpp>
#include <pgq/driver/pq/script.hpp>
#include <pgq/driver/pq/take_verb.hpp>
#include <pgq/driver/pq/verbs.hpp>
#include <pgq/job/lane.hpp>
#include <pgq/job/take.hpp>
#include <pgq/statement/admin.hpp>
#include <pgq/statement/claim.hpp>
#include <pgq/statement/enqueue.hpp>
#include <pgq/statement/take.hpp>
#include <pgq/statement/wake.hpp>
#include <pgq/statement/wire.hpp>

#include <libpq-fe.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// The verbs of a client on a connection of somebody else's. See driver::borrow.
///
/// Between two calls the connection is as it was: no transaction of ours, no setting, no prepared statement, no pipeline. In a
/// transaction of the caller's a verb is a savepoint, so that one that fails leaves the transaction as it found it.
class borrowed_session : public looking_after<borrowed_session> {
public:
    /// What a verb has to know; the part of `link` that within() asks for.
    class known {
    public:
        const connection_options& options() const noexcept { return options_; }
        std::int32_t space() const noexcept { return space_; }

    private:
        friend class borrowed_session;
        connection_options options_{};
        std::int32_t space_ = 0;
    };

    borrowed_session(borrowed_session&& other) noexcept
        : connection_{other.connection_},
          known_{std::move(other.known_)},
          open_{std::exchange(other.open_, opened::nothing)},
          taken_{std::move(other.taken_)} {}
    borrowed_session& operator=(borrowed_session&& other) noexcept {
        borrowed_session old{std::move(*this)};
        connection_ = other.connection_;
        known_ = std::move(other.known_);
        open_ = std::exchange(other.open_, opened::nothing);
        taken_ = std::move(other.taken_);
        return *this;
    }
    ~borrowed_session() {
        if (open_ != opened::nothing) (void)rollback();
    }

    static result<borrowed_session> open(PGconn* connection, const connection_options& options) {
        borrowed_session s{connection, options};
        if (auto met = s.meet(); !met) return std::move(met.error());
        return s;
    }

    /// Inside of a transaction it makes none that is missing: it would be gone, though not forgotten, when that is rolled back.
    result<std::vector<lane_id>> lanes(std::string_view queue, std::span<const lane_name> names) {
        auto found = find_lanes(queue, names);
        if (!found || found->size() == names.size()) return found;
        if (in_transaction())
            return error_info{errc::invalid_option, "a lane of the queue does not exist yet, and a transaction is open",
                              "call lanes() on the queue once before the transaction"};
        step s;
        s.query = &statement::add_lanes;
        bind_names(s, queue, names);
        if (auto added = atomically({&s, 1}); !added) return std::move(added.error());
        found = find_lanes(queue, names);
        if (found && found->size() != names.size()) return error_info{errc::protocol, "a lane could not be made"};
        return found;
    }

    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& ids) {
        ids.clear();
        if (r.bodies->empty()) return {};
        if (auto fine = check_enqueue(r, known_.options_.max_payload); !fine) return fine;
        std::array<step, 2> s;
        s[0].query = &statement::enqueue_query(r);
        statement::bind_enqueue(s[0].params, r);
        bind_wake_all(s[1], r.lane);
        const bool theirs = in_transaction();
        if (auto put = atomically({s.data(), theirs ? std::size_t{2} : 1}); !put) return put;
        if (!theirs) wake({&r.lane, 1});
        return enqueue_verb::read_ids(s[0], r.bodies->size(), ids);
    }

    result<void> enqueue_tracked(const tracked_request& r, std::vector<enqueued_job>& jobs) {
        jobs.clear();
        if (r.bodies->empty()) return {};
        const enqueue_request plain{.bodies = r.bodies, .options = r.options};
        if (auto fine = check_enqueue(plain, known_.options_.max_payload); !fine) return fine;
        step s;
        s.query = &statement::enqueue_tracked;
        statement::bind_enqueue_tracked(s.params, r);
        if (auto put = atomically({&s, 1}); !put) return put;
        tell(r.lanes);
        return enqueue_tracked_verb::read_jobs(s, r.bodies->size(), jobs);
    }

    result<void> take(const take_request& r, take_reply& reply) {
        if (r.where)
            if (auto fine = r.where->check(); !fine) return fine;
        const bool theirs = in_transaction();
        const take_verb verb{r, reply, theirs};
        script steps;
        verb.compose(steps);
        std::vector<step*> each;
        for (std::size_t i = 0; i < steps.size(); ++i) each.push_back(&steps[i]);
        if (auto done = atomically_each(each); !done) return done;
        auto promoted = verb.read(steps);
        if (!promoted) return std::move(promoted.error());
        for (const auto& job : reply.jobs)
            if (open_ != opened::nothing) taken_.push_back(job.lane);
        if (*promoted) tell_noted();
        return {};
    }
    result<void> keep(const taken_record& job, std::string_view reason) {
        step s;
        s.query = &statement::keep;
        statement::bind_keep(s.params, job, reason);
        return atomically({&s, 1});
    }

    /// In a transaction of the caller's it is a part of that: a savepoint.
    result<void> begin() {
        if (open_ != opened::nothing) return error_info{errc::invalid_option, "a transaction is open already"};
        if (auto fine = check_state(); !fine) return fine;
        const bool theirs = in_transaction();
        if (auto done = say(theirs ? "SAVEPOINT pgq_whole" : "BEGIN ISOLATION LEVEL READ COMMITTED"); !done)
            return done;
        open_ = theirs ? opened::savepoint : opened::transaction;
        return {};
    }
    result<void> commit() {
        const auto open = std::exchange(open_, opened::nothing);
        taken_.clear();
        if (open == opened::savepoint) return say("RELEASE SAVEPOINT pgq_whole");
        const bool failed = PQtransactionStatus(connection_) == PQTRANS_INERROR;
        if (auto done = say("COMMIT"); !done || !failed) return done;
        return error_info{make_sqlstate("25P02"), "a statement of the transaction had failed, so it was rolled back",
                          "put what may fail into a savepoint"};
    }
    result<void> rollback() {
        const auto open = std::exchange(open_, opened::nothing);
        const auto back = std::exchange(taken_, {});
        if (open == opened::savepoint) return say("ROLLBACK TO SAVEPOINT pgq_whole; RELEASE SAVEPOINT pgq_whole");
        if (auto done = say("ROLLBACK"); !done) return done;
        wake(back);
        return {};
    }
    result<void> savepoint() { return say("SAVEPOINT pgq_point"); }
    result<void> rollback_to_savepoint() { return say("ROLLBACK TO SAVEPOINT pgq_point; RELEASE SAVEPOINT pgq_point"); }
    result<void> release_savepoint() { return say("RELEASE SAVEPOINT pgq_point"); }
    result<sql_rows> exec(const std::string& sql, std::span<const std::optional<std::string>> parameters) {
        return run_plain(connection_, sql, parameters);
    }

    // What only a worker does.
    result<void> exchange(const exchange_request&, exchange_reply&) { return for_clients_only(); }
    result<wake_reason> wait(duration) { return for_clients_only(); }
    void interrupt() noexcept {}
    result<worker_id> register_worker(const worker_info&) { return for_clients_only(); }
    result<beat_reply> beat(worker_id) { return for_clients_only(); }
    result<rescue_reply> rescue() { return for_clients_only(); }
    result<void> retire(worker_id) { return for_clients_only(); }
    result<std::vector<lease_ref>> leases_of(worker_id) { return for_clients_only(); }
    result<void> give_back(std::span<const lease_ref>) { return for_clients_only(); }
    result<void> watch(std::span<const job_id>, duration, std::vector<ended_job>&) { return for_clients_only(); }
    result<std::vector<lease_news>> leases_now(worker_id) { return for_clients_only(); }
    bool stop_asked() noexcept { return false; }
    result<sweep_reply> sweep() { return for_clients_only(); }
    result<void> revise(const revision&) { return for_clients_only(); }

    const known& line() const noexcept { return known_; }

    static error_info for_clients_only() {
        return {errc::invalid_option, "a borrowed connection neither runs a worker nor waits",
                "give the queue a driver that makes connections of its own, driver::libpq"};
    }

private:
    friend looking_after<borrowed_session>;

    enum class opened : std::uint8_t { nothing, savepoint, transaction };

    borrowed_session(PGconn* c, const connection_options& o) : connection_{c} { known_.options_ = o; }

    result<void> meet() {
        if (auto fine = check_schema(known_.options_.schema); !fine) return fine;
        step s;
        s.query = &statement::hello;
        s.params.text(statement::quoted(known_.options_.schema));
        if (auto met = atomically({&s, 1}); !met) return explained(std::move(met.error()), known_.options_);
        if (s.rows() != 1) return error_info{errc::protocol, "no answer to the first question"};
        if (auto fine = check_encoding(s[0].cell(3)); !fine) return fine;
        known_.space_ = static_cast<std::int32_t>(s[0].number<std::int64_t>(1));
        return check_version(s[0].number<std::int32_t>(0), known_.options_);
    }

    bool in_transaction() const noexcept { return PQtransactionStatus(connection_) == PQTRANS_INTRANS; }

    /// What keeps us from using the connection now.
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
        const char* encoding = PQparameterStatus(connection_, "client_encoding");
        if (encoding == nullptr || std::string_view{encoding} != "UTF8")
            return not_now("the borrowed connection does not speak UTF-8", "set its client_encoding to UTF8");
        return {};
    }
    static error_info not_now(const char* what, const char* remedy) { return {errc::invalid_option, what, remedy}; }

    /// All statements or none, in the caller's transaction when there is one.
    result<void> atomically(std::span<step> steps) {
        std::vector<step*> each;
        for (step& s : steps) each.push_back(&s);
        return atomically_each(each);
    }
    result<void> atomically_each(std::span<step* const> steps) {
        if (auto fine = check_state(); !fine) return fine;
        const bool theirs = in_transaction();
        if (!theirs && steps.size() == 1) return run(*steps[0]);
        if (auto begun = say(theirs ? "SAVEPOINT pgq_borrow" : "BEGIN ISOLATION LEVEL READ COMMITTED"); !begun)
            return begun;
        for (step* const s : steps) {
            auto ran = run(*s);
            if (ran) continue;
            (void)say(theirs ? "ROLLBACK TO SAVEPOINT pgq_borrow; RELEASE SAVEPOINT pgq_borrow" : "ROLLBACK");
            return ran;
        }
        return say(theirs ? "RELEASE SAVEPOINT pgq_borrow" : "COMMIT");
    }

    result<void> run(step& s) {
        execute(connection_, s, known_.options_.schema);
        const auto status = PQresultStatus(s.reply.get());
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return {};
        if (PQstatus(connection_) != CONNECTION_OK) return connection_error(connection_, s.query->name);
        return server_error(s.reply.get(), s.query->name);
    }
    result<void> say(const char* sql) {
        const result_ptr r{PQexec(connection_, sql)};
        if (PQresultStatus(r.get()) == PGRES_COMMAND_OK) return {};
        if (PQstatus(connection_) != CONNECTION_OK) return connection_error(connection_, "borrow");
        return server_error(r.get(), "borrow");
    }

    result<std::vector<lane_id>> find_lanes(std::string_view queue, std::span<const lane_name> names) {
        step s;
        s.query = &statement::find_lanes;
        bind_names(s, queue, names);
        if (auto done = atomically({&s, 1}); !done) return std::move(done.error());
        return lanes_in(s, 0);
    }

    /// Wakes a sleeper of each of these lanes, behind the commit of what it is woken for. A failure of it fails nothing.
    void wake(std::span<const lane_id> lanes) {
        if (lanes.empty()) return;
        step s;
        s.query = &statement::wake;
        s.params.number(known_.space_).int4s(lanes.size(), [&](std::size_t i) { return lanes[i].value; });
        (void)run(s);
    }
    // For looking_after. What is told in a transaction of the caller's is heard when that commits.
    template <class Bind>
    result<const step*> ask(const statement::query& q, const Bind& bind) {
        answer_ = {};
        answer_.query = &q;
        bind(answer_.params);
        if (auto done = atomically({&answer_, 1}); !done) return std::move(done.error());
        return &answer_;
    }
    void tell_noted() {
        step s;
        s.query = &statement::wake_noted;
        s.params.number(known_.space_);
        (void)atomically({&s, 1});
    }
    void tell(std::span<const lane_id> lanes) {
        if (!in_transaction()) return wake(lanes);
        for (const lane_id lane : lanes) {
            step s;
            bind_wake_all(s, lane);
            (void)atomically({&s, 1});  // sleepers look for themselves now and then
        }
    }
    void bind_wake_all(step& s, lane_id lane) const {
        s.query = &statement::wake_all;
        s.params.number(known_.space_).number(lane.value);
    }

    static void bind_names(step& s, std::string_view queue, std::span<const lane_name> names) {
        s.params.text(queue)
            .texts(names.size(), [&](std::size_t i) { return names[i].entrypoint; })
            .texts(names.size(), [&](std::size_t i) { return names[i].version; });
    }

    PGconn* connection_;
    known known_;
    opened open_ = opened::nothing;  // by begin()
    std::vector<lane_id> taken_{};   // in it
    step answer_{};                  // to the latest ask()
};

}  // namespace pgq::driver::pq
