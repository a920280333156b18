#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/cancel_request.hpp>
#include <pgq/driver/pq/connection/connecting.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/pipeline.hpp>
#include <pgq/driver/pq/connection/standby_wait.hpp>
#include <pgq/driver/pq/connection/still_open.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace pgq::driver::pq {

/// One connection in pipeline mode. Nothing in it blocks: `advance()` says what to wait for. One thread at a time.
///
///     start(); open() until it needs nothing: the connection is open
///     begin(batch); advance() until it needs nothing: the batch is answered
class connection {
public:
    explicit connection(connection_options options) : options_{std::move(options)} {}

    result<need> start(steady_time now) {
        if (auto fine = check_schema(options_.schema); !fine) return std::move(fine.error());
        pipeline_ = pipeline{options_.schema, false, options_.on_statement};
        handle_.reset();
        return opened(opening_.emplace().start(options_, "pgq", "connect", now));
    }
    /// After start(), until it needs nothing: then the connection is open.
    result<need> open(steady_time now) { return opened(opening_->advance(now)); }
    /// When to call open() although the socket is not ready.
    steady_time open_again_at() const noexcept { return opening_ ? opening_->deadline() : steady_time::max(); }

    result<void> begin(batch& steps) { return pipeline_.begin(handle_.get(), steps); }

    result<need> advance() { return pipeline_.advance(handle_.get(), standby_); }
    /// The same until all answers have come, those included that nobody waits for.
    result<need> settle() { return pipeline_.settle(handle_.get(), standby_); }
    bool owes_unawaited() const noexcept { return handle_ && pipeline_.owes_unawaited(); }

    /// From now on statements are prepared once and then executed by name.
    void prepare_statements() { pipeline_ = pipeline{options_.schema, true, options_.on_statement}; }

    /// From now on each transaction begins with these statements.
    void begin_transactions_with(batch statements) { pipeline_.begin_transactions_with(std::move(statements)); }

    /// Another connection to the same place, until it is closed. socket() is that of the other one, until
    /// watch_beside(false).
    connection& open_beside() {
        watches_beside_ = true;
        return *(beside_ = std::make_unique<connection>(options_));
    }
    void watch_beside(bool now) noexcept { watches_beside_ = now; }
    connection* beside() const noexcept { return beside_.get(); }
    void close_beside() noexcept { beside_.reset(); }

    /// Asks the server to cancel what it does. Returns at once.
    void cancel() {
        if (handle_) cancel_.send(handle_.get());
    }
    /// Whether cancel() was called since the last forget_cancel().
    bool was_cancelled() const noexcept { return cancel_.was_sent(); }
    bool is_cancelling() const noexcept { return !cancel_.is_over(); }
    void forget_cancel() noexcept {
        cancel_.reset();
        was_cut_short_ = true;
    }
    /// Whether statements were cancelled since the last call.
    bool take_cut_short() noexcept { return std::exchange(was_cut_short_, false); }

    /// Whether a commit since the last call did not wait for its synchronous standby. A batch says it by itself.
    bool take_unconfirmed() noexcept { return standby_.take_given_up(); }

    void close() noexcept {
        cancel_.reset();
        beside_.reset();
        opening_.reset();
        handle_.reset();
    }

    /// False when the server has closed the connection while nothing was going on.
    bool usable() noexcept { return is_still_open(handle_.get()); }

    /// Whether notifications have come since the last call.
    bool take_notified() noexcept {
        receive_notifications();
        return std::exchange(notified_, false);
    }
    /// Whether one of the notifications since the last call asked for a job to stop. `take_notified` reports it all the
    /// same.
    bool take_stop_request() noexcept {
        receive_notifications();
        return std::exchange(stop_requested_, false);
    }

    PGconn* get() const noexcept { return opening_ ? opening_->get() : handle_.get(); }
    int socket() const noexcept { return beside_ && watches_beside_ ? beside_->socket() : PQsocket(get()); }
    const connection_options& options() const noexcept { return options_; }

private:
    result<need> opened(result<need> wanted) {
        if (wanted && *wanted != need::nothing) return wanted;
        handle_ = opening_->release();
        opening_.reset();
        if (!wanted) return handle_.reset(), std::move(wanted);
        if (PQsetnonblocking(handle_.get(), 1) != 0 || PQenterPipelineMode(handle_.get()) != 1)
            return connection_error(handle_.get());
        standby_.observe(handle_.get());
        return wanted;
    }

    void receive_notifications() noexcept {
        pipeline_.read_unawaited(handle_.get(), standby_);
        while (PGnotify* n = PQnotifies(handle_.get())) {
            notified_ = true;
            stop_requested_ = stop_requested_ || std::string_view{n->extra} == "stop";
            PQfreemem(n);
        }
    }

    connection_options options_;
    std::optional<connecting> opening_{};
    standby_wait standby_{};
    std::unique_ptr<connection> beside_{};
    connection_ptr handle_;
    cancel_request cancel_{};
    pipeline pipeline_;
    bool watches_beside_ = false;
    bool was_cut_short_ = false;
    bool notified_ = false;
    bool stop_requested_ = false;
};

}  // namespace pgq::driver::pq
