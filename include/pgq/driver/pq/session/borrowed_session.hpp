#pragma once

#include <pgq/driver/pq/command/enqueue.hpp>
#include <pgq/driver/pq/command/execution.hpp>
#include <pgq/driver/pq/command/handshake.hpp>
#include <pgq/driver/pq/command/take.hpp>
#include <pgq/driver/pq/command/transaction.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/text_query.hpp>
#include <pgq/driver/pq/session/admin_verbs.hpp>
#include <pgq/driver/pq/session/admin_verbs.ipp>
#include <pgq/driver/pq/session/borrowed_channel.hpp>
#include <pgq/driver/pq/session/client_verbs.hpp>
#include <pgq/driver/pq/session/client_verbs.ipp>

#include <libpq-fe.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// The client session of driver::borrow: it uses a connection that the program owns.
class borrowed_session : public client_verbs<borrowed_session>, public admin_verbs<borrowed_session> {
public:
    borrowed_session(borrowed_session&& other) noexcept
        : client_verbs{},
          admin_verbs{},
          channel_{std::move(other.channel_)},
          open_{std::exchange(other.open_, opened::nothing)},
          lanes_of_taken_{std::move(other.lanes_of_taken_)} {}
    borrowed_session& operator=(borrowed_session&& other) noexcept {
        borrowed_session old{std::move(*this)};
        channel_ = std::move(other.channel_);
        open_ = std::exchange(other.open_, opened::nothing);
        lanes_of_taken_ = std::move(other.lanes_of_taken_);
        return *this;
    }
    ~borrowed_session() {
        if (open_ != opened::nothing) (void)rollback();
    }

    static result<borrowed_session> open(PGconn* connection, const connection_options& options) {
        if (auto valid = check_schema(options.schema); !valid) return std::move(valid.error());
        borrowed_session s{connection, options};
        if (auto greeted = s.run(command::handshake{options}); !greeted) return std::move(greeted.error());
        s.channel_.info.keeps_state = s.channel_.info.backend == PQbackendPID(connection);  // no pooler in between
        return s;
    }

    /// Runs one command of driver/pq/command.
    template <class Command>
    auto run(Command c) -> typename command::execution<Command>::result_type {
        if (auto ready = channel_.prepare(); !ready) return std::move(ready.error());
        return run_command(channel_, c);
    }

    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& put) { return run(command::enqueue{r, put}); }
    result<void> take(const take_request& r, take_reply& reply) {
        auto took = run(command::take{r, reply});
        if (took && open_ != opened::nothing)
            for (const auto& job : reply.jobs) lanes_of_taken_.push_back(job.lane);
        return took;
    }

    /// If the program has a transaction open on the connection, `begin` makes a savepoint in it, and `commit` does not
    /// commit it: the program does.
    result<void> begin() {
        if (open_ != opened::nothing) return error_info{errc::invalid_option, "a transaction is open already"};
        if (auto ready = channel_.prepare(); !ready) return ready;
        const bool nested = channel_.info.in_transaction;
        if (auto done = channel_.control(nested ? "SAVEPOINT pgq_whole" : "BEGIN ISOLATION LEVEL READ COMMITTED");
            !done)
            return done;
        open_ = nested ? opened::savepoint : opened::transaction;
        return {};
    }
    result<void> commit() {
        const auto open = std::exchange(open_, opened::nothing);
        lanes_of_taken_.clear();
        if (open == opened::savepoint) return channel_.control("RELEASE SAVEPOINT pgq_whole");
        const bool failed = PQtransactionStatus(channel_.get()) == PQTRANS_INERROR;
        if (auto done = channel_.control("COMMIT"); !done || !failed) return done;
        return command::commit_refused();
    }
    result<void> rollback() {
        const auto open = std::exchange(open_, opened::nothing);
        const auto lanes = std::exchange(lanes_of_taken_, {});
        if (open == opened::savepoint)
            return channel_.control("ROLLBACK TO SAVEPOINT pgq_whole; RELEASE SAVEPOINT pgq_whole");
        if (auto done = channel_.control("ROLLBACK"); !done) return done;
        (void)run(command::wake{{.lanes = lanes}});  // their jobs are claimable again
        return {};
    }
    result<void> savepoint() { return channel_.control("SAVEPOINT pgq_point"); }
    result<void> rollback_to_savepoint() {
        return channel_.control("ROLLBACK TO SAVEPOINT pgq_point; RELEASE SAVEPOINT pgq_point");
    }
    result<void> release_savepoint() { return channel_.control("RELEASE SAVEPOINT pgq_point"); }
    result<sql_rows> exec(const std::string& sql, std::span<const std::optional<std::string>> parameters) {
        return run_text_query(channel_.get(), sql, parameters);
    }

    const std::string& schema() const noexcept { return channel_.schema(); }
    const session_info& info() const noexcept { return channel_.info; }

private:
    enum class opened : std::uint8_t { nothing, savepoint, transaction };

    borrowed_session(PGconn* c, const connection_options& o) : channel_{c, o} {}

    borrowed_channel channel_;
    opened open_ = opened::nothing;          // what begin() opened
    std::vector<lane_id> lanes_of_taken_{};  // of the jobs that were taken since begin()
};

}  // namespace pgq::driver::pq
