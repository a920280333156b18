#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/pq/options.hpp>
#include <pgq/driver/pq/pump.hpp>
#include <pgq/driver/pq/schema_check.hpp>
#include <pgq/driver/pq/tls.hpp>
#include <pgq/statement/admin.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace pgq::driver::pq {

/// The settings of worker sessions: plans that do not change their mind when statistics do, and commits that need not be on
/// disk, because losing one merely repeats a job.
inline constexpr statement::query pin_plans{"pin_plans", R"(
SELECT set_config('plan_cache_mode', 'force_generic_plan', false), set_config('jit', 'off', false),
       set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false),
       set_config('enable_hashjoin', 'on', false), set_config('synchronous_commit', $1, false))"};

/// One connection with what has to be known about it. Opening it is a state machine like the pump: `advance()` says what to
/// wait for. One thread at a time.
class link {
public:
    link(connection_options options, session_role role) : options_{std::move(options)}, role_{role} {}

    result<void> start() {
        if (auto fine = check_schema(options_.schema); !fine) return fine;
        pump_ = pump{options_.schema, false, options_.on_statement};
        stage_ = stage::connecting;
        tls_ = choose_tls(look_at_tls(options_.conninfo));
        connection_.reset(connect());
        if (!connection_) return error_info{errc::connection_lost, "out of memory"};
        if (PQstatus(connection_.get()) == CONNECTION_BAD) return refused();
        PQsetNoticeProcessor(
            connection_.get(), [](void*, const char*) {}, nullptr);
        return {};
    }

    /// `need::nothing` when the connection is ready for work.
    result<need> advance() {
        if (stage_ == stage::connecting) {
            switch (PQconnectPoll(connection_.get())) {
            case PGRES_POLLING_READING: return need::read;
            case PGRES_POLLING_FAILED: return refused();
            case PGRES_POLLING_OK: break;
            default: return need::write;
            }
            if (PQsetnonblocking(connection_.get(), 1) != 0 || PQenterPipelineMode(connection_.get()) != 1)
                return connection_error(connection_.get());
            if (auto asked = ask_hello(); !asked) return asked.error();
        }
        while (stage_ != stage::ready) {
            auto wanted = pump_.advance(connection_.get());
            if (!wanted || *wanted != need::nothing) return wanted;
            if (auto went = stage_ == stage::hello ? hear_hello() : settle_in(); !went) return went.error();
        }
        return need::nothing;
    }

    result<void> begin(script& steps) { return pump_.begin(connection_.get(), steps); }
    result<need> proceed() { return pump_.advance(connection_.get()); }

    void close() noexcept { connection_.reset(); }

    /// Whether there were any since the last call.
    bool take_notified() noexcept {
        hear();
        return std::exchange(notified_, false);
    }
    /// Whether one of those that have come since the last call asked for a job to stop. It stays a notification for who waits.
    bool take_stop_asked() noexcept {
        hear();
        return std::exchange(stop_asked_, false);
    }

    PGconn* get() const noexcept { return connection_.get(); }
    int socket() const noexcept { return PQsocket(connection_.get()); }
    const connection_options& options() const noexcept { return options_; }
    session_role role() const noexcept { return role_; }
    /// The schema's oid: the space of its advisory locks and the name of its channels.
    std::int32_t space() const noexcept { return space_; }
    /// Whether the session is ours alone and stays.
    bool keeps_state() const noexcept { return keeps_state_; }
    /// Whether the latest look for packs found some.
    bool expects_packs() const noexcept { return expects_packs_; }
    void expect_packs(bool found) noexcept { expects_packs_ = found; }

private:
    void hear() noexcept {
        while (PGnotify* n = PQnotifies(connection_.get())) {
            notified_ = true;
            stop_asked_ = stop_asked_ || std::string_view{n->extra} == "stop";
            PQfreemem(n);
        }
    }

    enum class stage : std::uint8_t { connecting, hello, settings, ready };

    PGconn* connect() const {
        // A bare word would be taken for a database name; the user meant a connection string.
        std::array<const char*, 10> keys{"fallback_application_name",
                                         "keepalives_idle",
                                         "keepalives_interval",
                                         "keepalives_count",
                                         "sslmode",
                                         "sslrootcert",
                                         "dbname",
                                         "client_encoding",
                                         nullptr,
                                         nullptr};
        std::array<const char*, 10> values{
            "pgq",  "10",    "5",    "3", tls_.sslmode.c_str(), tls_.sslrootcert.c_str(), options_.conninfo.c_str(),
            "UTF8", nullptr, nullptr};
        return PQconnectStartParams(keys.data(), values.data(), 1);
    }

    error_info refused() const {
        return explain_tls(pq::refused(connection_.get(), options_.conninfo, "connect"), tls_);
    }

    result<void> ask_hello() {
        stage_ = stage::hello;
        opening_.clear();
        opening_.add(statement::hello).text(statement::quoted(options_.schema));
        opening_.sync();
        return begin(opening_);
    }

    result<void> hear_hello() {
        step& s = opening_[0];
        if (s.error) return explained(*s.error, options_);
        if (s.rows() != 1) return error_info{errc::protocol, "no answer to the first question"};
        if (auto fine = check_encoding(s[0].cell(3)); !fine) return fine;
        if (auto fits = check_version(s[0].number<std::int32_t>(0), options_); !fits) return fits;
        space_ = static_cast<std::int32_t>(s[0].number<std::int64_t>(1));
        // A pooler tells the client a process id of its own making.
        const bool direct = s[0].number<std::int32_t>(2) == PQbackendPID(connection_.get());
        keeps_state_ = options_.state == session_state::keep || (options_.state == session_state::detect && direct);
        pump_ = pump{options_.schema, keeps_state_, options_.on_statement};
        if (role_ != session_role::worker || !keeps_state_) return stage_ = stage::ready, result<void>{};
        stage_ = stage::settings;
        opening_.clear();
        opening_.add(pin_plans).text(options_.strict ? "on" : "off");
        opening_.sync();
        return begin(opening_);
    }

    result<void> settle_in() {
        stage_ = stage::ready;
        if (opening_[0].error) return *opening_[0].error;
        return {};
    }

    connection_options options_;
    session_role role_;
    tls_settings tls_{};
    connection_ptr connection_;
    pump pump_;
    script opening_;
    stage stage_ = stage::connecting;
    std::int32_t space_ = 0;
    bool keeps_state_ = false;
    bool expects_packs_ = false;
    bool notified_ = false;
    bool stop_asked_ = false;
};

}  // namespace pgq::driver::pq
