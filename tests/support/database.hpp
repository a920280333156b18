#pragma once

#include <pgq/driver/libpq.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/statement/query.hpp>

#include <support/faults/only_slow.hpp>
#include <support/fresh_schema.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace test {

/// Whether the library's connections are slow, cut and silent at random (tests/faults.sh).
inline bool has_faults() { return std::getenv("PGQ_FAULT_SEED") != nullptr; }

/// A connection for plain SQL. `{s}` in a statement is replaced by the quoted schema.
class sql_connection {
public:
    sql_connection(const std::string& conninfo, std::string schema)
        : schema_{std::move(schema)}, connection_{PQconnectdb(conninfo.c_str())} {
        PQsetNoticeProcessor(
            get(), [](void*, const char*) {}, nullptr);
        if (PQstatus(get()) != CONNECTION_OK) throw std::runtime_error{PQerrorMessage(get())};
    }

    PGconn* get() const noexcept { return connection_.get(); }
    std::string rendered(std::string_view sql) const { return pgq::statement::render(sql, schema_); }

    pgq::driver::pq::result_ptr exec(std::string_view sql) const {
        const auto text = rendered(sql);
        pgq::driver::pq::result_ptr r{PQexec(get(), text.c_str())};
        const auto status = PQresultStatus(r.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            throw std::runtime_error{text + ": " + PQerrorMessage(get())};
        return r;
    }
    /// The first cell; empty if there is no row or the cell is NULL.
    std::string query_text(std::string_view sql) const {
        const auto r = exec(sql);
        return PQntuples(r.get()) == 0 ? std::string{} : std::string{PQgetvalue(r.get(), 0, 0)};
    }
    std::int64_t query_int(std::string_view sql) const { return std::strtoll(query_text(sql).c_str(), nullptr, 10); }

private:
    std::string schema_;
    pgq::driver::pq::connection_ptr connection_;
};

/// An installed schema for one test. The destructor drops it. Declare it before everything that uses it.
class database {
public:
    database() : database{fresh_schemas::next()} {}
    explicit database(std::string schema) : schema_{std::move(schema)}, sql_{dsn(), schema_} {
        driver().install().value();
    }
    database(const database&) = delete;
    database& operator=(const database&) = delete;
    ~database() {
        try {
            exec("DROP SCHEMA IF EXISTS {s} CASCADE");
        } catch (const std::exception&) {  // fresh_schemas drops it later
        }
    }

    const std::string& schema() const noexcept { return schema_; }
    /// A connection string whose sessions have the name of the schema as their application name.
    std::string conninfo() const { return with_settings("application_name", schema_); }
    /// The connection string of the library under test, with one more setting. PGQ_LIBRARY_DSN may name another way
    /// than that of the tests' own statements, see tests/hostile.sh, tests/pooler.sh and tests/faults.sh.
    static std::string with_settings(std::string_view key, std::string_view value) {
        const char* library = std::getenv("PGQ_LIBRARY_DSN");
        return settings_of(library == nullptr ? dsn() : library, key, value);
    }

    pgq::driver::connection_options options() const {
        pgq::driver::connection_options o{.conninfo = conninfo(), .schema = schema_};
        if (has_faults()) o.response_timeout = std::chrono::seconds{10};  // for connections that go silent
        return o;
    }
    /// The options for a session that a test holds itself. If it broke, nobody would replace it, so in tests/faults.sh
    /// it is slow and does not break.
    static pgq::driver::connection_options unbroken(pgq::driver::connection_options o) {
        if (has_faults()) o.conninfo = settings_of(o.conninfo, "options", faults::only_slow);
        return o;
    }
    pgq::driver::libpq driver() const { return pgq::driver::libpq{options()}; }

    void exec(std::string_view sql) const { (void)sql_.exec(sql); }
    std::int64_t query_int(std::string_view sql) const { return sql_.query_int(sql); }
    std::string query_text(std::string_view sql) const { return sql_.query_text(sql); }
    PGconn* connection() const noexcept { return sql_.get(); }
    const sql_connection& sql() const noexcept { return sql_; }

    /// The library's sessions with the application name of conninfo(), or those of them that meet a condition of SQL.
    std::int64_t count_sessions(const std::string& condition = "true") const {
        return query_int("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + schema_ + "' AND (" +
                         condition + ")");
    }
    /// The server ends the sessions that have this application name; that of conninfo() if none is given. Returns how
    /// many there were, when they have ended.
    std::int64_t end_sessions(std::string application = {}) const {
        if (application.empty()) application = schema_;
        return query_int(
            "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND"
            " application_name = '" +
            application + "'");
    }

    /// The number of rows of a table, for example "ready", "deferred", "lease", "worker" or "runs".
    std::int64_t rows(std::string_view table) const {
        return query_int("SELECT count(*) FROM {s}." + std::string{table});
    }
    /// Whether no worker is registered, after all have ended. A worker whose last request is cut off stays until its
    /// lease time is over, so with random faults this says nothing.
    bool has_no_worker() const { return has_faults() || rows("worker") == 0; }
    std::int64_t leased() const {
        return query_int(
            "SELECT coalesce(sum(cardinality(ids) - CASE WHEN done IS NULL THEN 0 ELSE bit_count(done) END), 0) "
            "FROM {s}.lease");
    }
    /// Whether there is no job in any table.
    bool is_empty() const {
        return query_int(
                   "SELECT (SELECT count(*) FROM {s}.ready) + (SELECT count(*) FROM {s}.deferred)"
                   " + (SELECT count(*) FROM {s}.pack) + (SELECT count(*) FROM {s}.lease)") == 0;
    }
    /// The number of workers that have subscribed to wakes: each holds its own advisory lock.
    std::int64_t subscribed_workers() const {
        return query_int(
            "SELECT count(*) FROM pg_locks l JOIN {s}.worker w ON l.objid = w.id::oid"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.mode = 'ExclusiveLock'"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND l.classid = to_regnamespace('{q}')::oid");
    }

    /// Adds a setting to a connection string of either form.
    static std::string settings_of(const std::string& conninfo, std::string_view key, std::string_view value) {
        char* why = nullptr;
        PQconninfoOption* parsed = PQconninfoParse(conninfo.c_str(), &why);
        if (parsed == nullptr) {
            const std::string text = why == nullptr ? "out of memory" : why;
            PQfreemem(why);
            throw std::runtime_error{text};
        }
        std::string out;
        for (const auto* o = parsed; o->keyword != nullptr; ++o)
            if (o->val != nullptr && key != o->keyword) out += std::string{o->keyword} + "=" + quoted(o->val) + " ";
        PQconninfoFree(parsed);
        return out + std::string{key} + "=" + quoted(value);
    }

private:
    static std::string quoted(std::string_view value) {
        std::string out{'\''};
        for (char c : value) {
            if (c == '\'' || c == '\\') out += '\\';
            out += c;
        }
        return out += '\'';
    }

    std::string schema_;
    sql_connection sql_;
};

}  // namespace test
