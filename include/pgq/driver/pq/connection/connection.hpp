#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/pipeline.hpp>
#include <pgq/driver/pq/connection/tls.hpp>
#include <pgq/error/result.hpp>

#include <libpq-fe.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace pgq::driver::pq {

/// One connection in pipeline mode. Nothing in it blocks: `advance()` says what to wait for. One thread at a time.
///
///     start(); advance() until it needs nothing: the connection is open
///     begin(batch); advance() until it needs nothing: the batch is answered
class connection {
public:
    explicit connection(connection_options options) : options_{std::move(options)} {}

    result<void> start() {
        if (auto fine = check_schema(options_.schema); !fine) return fine;
        pipeline_ = pipeline{options_.schema, false, options_.on_statement};
        is_open_ = false;
        tls_ = choose_tls(read_tls_environment(options_.conninfo));
        handle_.reset(connect());
        if (!handle_) return error_info{errc::connection_lost, "out of memory"};
        if (PQstatus(handle_.get()) == CONNECTION_BAD) return refused();
        PQsetNoticeProcessor(
            handle_.get(), [](void*, const char*) {}, nullptr);
        return {};
    }

    result<void> begin(batch& steps) { return pipeline_.begin(handle_.get(), steps); }

    result<need> advance() { return is_open_ ? pipeline_.advance(handle_.get()) : open(); }

    /// From now on statements are prepared once and then executed by name.
    void prepare_statements() { pipeline_ = pipeline{options_.schema, true, options_.on_statement}; }

    void close() noexcept { handle_.reset(); }

    /// False when the server has closed the connection while nothing was going on.
    bool usable() noexcept {
        PGconn* c = handle_.get();
        // The first read may bring the server's last words, and only the second its end.
        return PQstatus(c) == CONNECTION_OK && PQconsumeInput(c) == 1 && PQconsumeInput(c) == 1;
    }

    /// Whether notifications have come since the last call.
    bool take_notified() noexcept {
        receive_notifications();
        return std::exchange(notified_, false);
    }
    /// Whether one of the notifications since the last call asked for a job to stop. `take_notified` reports it all the
    /// same.
    bool take_stop_asked() noexcept {
        receive_notifications();
        return std::exchange(stop_asked_, false);
    }

    PGconn* get() const noexcept { return handle_.get(); }
    int socket() const noexcept { return PQsocket(handle_.get()); }
    const connection_options& options() const noexcept { return options_; }

private:
    result<need> open() {
        switch (PQconnectPoll(handle_.get())) {
        case PGRES_POLLING_READING: return need::read;
        case PGRES_POLLING_FAILED: return refused();
        case PGRES_POLLING_OK: break;
        default: return need::write;
        }
        if (PQsetnonblocking(handle_.get(), 1) != 0 || PQenterPipelineMode(handle_.get()) != 1)
            return connection_error(handle_.get());
        is_open_ = true;
        return need::nothing;
    }

    void receive_notifications() noexcept {
        while (PGnotify* n = PQnotifies(handle_.get())) {
            notified_ = true;
            stop_asked_ = stop_asked_ || std::string_view{n->extra} == "stop";
            PQfreemem(n);
        }
    }

    PGconn* connect() const {
        // libpq would take a bare word for the name of a database; the user meant a connection string.
        std::array<const char*, 9> keys{"fallback_application_name",
                                        "keepalives_idle",
                                        "keepalives_interval",
                                        "keepalives_count",
                                        "sslmode",
                                        "sslrootcert",
                                        "dbname",
                                        "client_encoding",
                                        nullptr};
        std::array<const char*, 9> values{
            "pgq",  "10",   "5", "3", tls_.sslmode.c_str(), tls_.sslrootcert.c_str(), options_.conninfo.c_str(),
            "UTF8", nullptr};
        return PQconnectStartParams(keys.data(), values.data(), 1);
    }

    error_info refused() const { return explain_tls(pq::refused(handle_.get(), options_.conninfo, "connect"), tls_); }

    connection_options options_;
    tls_settings tls_{};
    connection_ptr handle_;
    pipeline pipeline_;
    bool is_open_ = false;
    bool notified_ = false;
    bool stop_asked_ = false;
};

}  // namespace pgq::driver::pq
