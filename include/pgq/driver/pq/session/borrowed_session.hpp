#pragma once

#include <pgq/driver/pq/command/cancel.hpp>
#include <pgq/driver/pq/command/enqueue.hpp>
#include <pgq/driver/pq/command/execution.hpp>
#include <pgq/driver/pq/command/find.hpp>
#include <pgq/driver/pq/command/handshake.hpp>
#include <pgq/driver/pq/command/inspect.hpp>
#include <pgq/driver/pq/command/lanes.hpp>
#include <pgq/driver/pq/command/limits.hpp>
#include <pgq/driver/pq/command/revise.hpp>
#include <pgq/driver/pq/command/take.hpp>
#include <pgq/driver/pq/command/transaction.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/text_query.hpp>
#include <pgq/driver/pq/session/borrowed_channel.hpp>

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
class borrowed_session {
    using job_ids = std::span<const job_id>;
    using lane_list = std::span<const lane_id>;

public:
    borrowed_session(borrowed_session&& other) noexcept
        : channel_{std::move(other.channel_)},
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
        return s;
    }

    /// Runs one command of driver/pq/command.
    template <class Command>
    auto run(Command c) -> typename command::execution<Command>::result_type {
        if (auto ready = channel_.prepare(); !ready) return std::move(ready.error());
        return run_command(channel_, c);
    }

    result<std::vector<lane_id>> lanes(std::string_view queue, std::span<const lane_name> names) {
        return run(command::lanes{queue, names});
    }
    result<std::vector<lane_limit>> limits(std::string_view queue, std::span<const lane_limit> declared) {
        return run(command::limits{queue, declared});
    }
    result<bool> change_limit(std::string_view queue, const lane_limit& l) {
        return run(command::change_limit{queue, l});
    }

    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& put) { return run(command::enqueue{r, put}); }
    result<void> enqueue_tracked(const tracked_request& r, std::vector<enqueued_job>& put) {
        return run(command::enqueue_tracked{r, put});
    }
    result<void> take(const take_request& r, take_reply& reply) {
        auto took = run(command::take{r, reply});
        if (took && open_ != opened::nothing)
            for (const auto& job : reply.jobs) lanes_of_taken_.push_back(job.lane);
        return took;
    }
    result<void> hold_taken(const taken_record& job, std::string_view reason) {
        return run(command::hold_taken{job, reason});
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

    result<std::optional<std::string>> progress_of(job_id id) { return run(command::progress_of{id}); }
    result<cancel_reply> cancel(job_ids jobs) { return run(command::cancel{jobs}); }
    result<std::int64_t> requeue(job_ids jobs) { return run(command::requeue{jobs}); }
    result<std::vector<held_job>> held(lane_id lane, std::size_t limit) { return run(command::held{lane, limit}); }
    result<lane_counts> counts(lane_id lane) { return run(command::counts{lane}); }
    result<void> find(const find_request& r, std::vector<job_id>& found) { return run(command::find{r, found}); }
    result<std::vector<failed_attempt>> failures(job_id id) { return run(command::failures{id}); }
    result<std::int64_t> open_jobs(lane_id lane, std::int64_t most) { return run(command::open_jobs{lane, most}); }
    result<void> set_dead_letter_routes(lane_list from, lane_list to) {
        return run(command::set_dead_letter_routes{from, to});
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
