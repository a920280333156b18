#pragma once

#include <pgq/driver/pq/connection/host_list.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/pipeline.hpp>
#include <pgq/driver/pq/connection/tls.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// Makes a connection without blocking. Each address has `connect_timeout` of the connection string (5 s if it says
/// none), but never longer than `response_timeout`: one that stays silent is left out, and the attempt begins again
/// with the others.
///
///     start(), advance() until it needs nothing: get() is connected
///
/// Between two calls wait for what they return, until `deadline()` at most. libpq looks up host names by itself, and
/// blocks meanwhile.
class connecting {
public:
    result<need> start(const connection_options& o, const char* name, const char* statement, steady_time now) {
        options_ = &o;
        name_ = name;
        statement_ = statement;
        hosts_ = {};
        given_up_.clear();
        tls_ = choose_tls(read_tls_environment(o.conninfo));
        return attempt(now);
    }

    result<need> advance(steady_time now) {
        // libpq takes a socket that it is told to look at for one that is ready.
        if (is_ready()) return poll(now);
        if (now < deadline_) return wanted_;
        return leave_out_present(now);
    }

    /// When to call advance() although the socket is not ready.
    steady_time deadline() const noexcept { return deadline_; }
    PGconn* get() const noexcept { return handle_.get(); }
    connection_ptr release() noexcept { return std::move(handle_); }

private:
    result<need> attempt(steady_time now) {
        handle_.reset(begin());
        if (!handle_) return error_info{errc::connection_lost, "out of memory"};
        if (PQstatus(handle_.get()) == CONNECTION_BAD) return refused();
        PQsetNoticeProcessor(
            handle_.get(), [](void*, const char*) {}, nullptr);
        if (hosts_.empty() && given_up_.empty()) {
            hosts_ = host_list{handle_.get()};
            limit_ = limit_of(handle_.get(), options_->response_timeout);
        }
        at_ = present_host(handle_.get());
        deadline_ = now + limit_;
        return wanted_ = need::write;  // libpq must not read before the socket was writable
    }

    result<need> poll(steady_time now) {
        switch (PQconnectPoll(handle_.get())) {
        case PGRES_POLLING_READING: wanted_ = need::read; break;
        case PGRES_POLLING_FAILED: return refused();
        case PGRES_POLLING_OK: return need::nothing;
        default: wanted_ = need::write;
        }
        if (auto there = present_host(handle_.get()); there != at_) {
            at_ = std::move(there);
            deadline_ = now + limit_;
        }
        return wanted_;
    }

    result<need> leave_out_present(steady_time now) {
        given_up_.push_back(described(at_));
        hosts_.remove(at_, hosts_.entries().empty() ? std::vector<std::string>{} : resolve(at_.host));
        if (!hosts_.empty()) return attempt(now);
        handle_.reset();
        return silent();
    }

    bool is_ready() const noexcept {
        ::pollfd one{PQsocket(handle_.get()), static_cast<short>(wanted_ == need::write ? POLLOUT : POLLIN), 0};
        return ::poll(&one, 1, 0) != 0;
    }

    PGconn* begin() const {
        const bool rest = !given_up_.empty();
        const std::string host = rest ? hosts_.joined(&host_entry::host) : std::string{};
        const std::string hostaddr = rest ? hosts_.joined(&host_entry::hostaddr) : std::string{};
        const std::string port = rest ? hosts_.joined(&host_entry::port) : std::string{};
        // libpq would take a bare word for the name of a database; the user meant a connection string. What is before
        // it are defaults, and what is behind it overrides it.
        const char* keys[] = {"fallback_application_name",
                              "keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "sslmode",
                              "sslrootcert",
                              "dbname",
                              "client_encoding",
                              "host",
                              "hostaddr",
                              "port",
                              nullptr};
        const char* values[] = {name_,
                                "10",
                                "5",
                                "3",
                                tls_.sslmode.c_str(),
                                tls_.sslrootcert.c_str(),
                                options_->conninfo.c_str(),
                                "UTF8",
                                host.c_str(),
                                hostaddr.c_str(),
                                port.c_str(),
                                nullptr};
        return PQconnectStartParams(keys, values, 1);
    }

    static duration limit_of(PGconn* c, duration response_timeout) {
        const std::string text = conninfo_value(c, "connect_timeout");
        const long seconds = text.empty() ? 5 : std::strtol(text.c_str(), nullptr, 10);
        // As libpq: zero and less is no limit.
        if (seconds <= 0) return response_timeout;
        return std::min<duration>(std::chrono::seconds{std::min(seconds, 86400L)}, response_timeout);
    }

    static std::string described(const host_entry& e) {
        return (e.host.empty() ? e.hostaddr : "\"" + e.host + "\"") +
               (e.hostaddr.empty() || e.hostaddr == e.host ? "" : " (" + e.hostaddr + ")") + ", port " + e.port;
    }
    std::string all_given_up() const {
        std::string out;
        for (const auto& each : given_up_) out += (out.empty() ? "" : "; ") + ("the server at " + each);
        return out + " did not answer in time";
    }
    error_info silent() const {
        error_info e{errc::connection_lost, all_given_up(),
                     "is it overloaded, the network cut, or default_pool_size of a pooler too small? connect_timeout "
                     "in the connection string says how long to "
                     "wait for each host"};
        e.statement = statement_;
        return e;
    }
    error_info refused() const {
        error_info e = explain_tls(pq::refused(handle_.get(), options_->conninfo, statement_), tls_);
        if (!given_up_.empty()) e.message = all_given_up() + "; " + e.message;
        return e;
    }

    const connection_options* options_ = nullptr;
    const char* name_ = "";
    const char* statement_ = "";
    tls_settings tls_{};
    connection_ptr handle_{};
    host_list hosts_{};                    // those that were not silent
    std::vector<std::string> given_up_{};  // those that were
    host_entry at_{};
    duration limit_{};
    steady_time deadline_{};
    need wanted_ = need::write;
};

}  // namespace pgq::driver::pq
