#pragma once

#include <pgq/driver/libpq.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/statement/query.hpp>

#include <support/fresh_schema.hpp>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace test {

/// A plain connection for SQL; `{s}` in a text stands for the quoted schema.
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
    /// The first cell; empty for none and for NULL.
    std::string query_text(std::string_view sql) const {
        const auto r = exec(sql);
        return PQntuples(r.get()) == 0 ? std::string{} : std::string{PQgetvalue(r.get(), 0, 0)};
    }
    std::int64_t query_int(std::string_view sql) const { return std::strtoll(query_text(sql).c_str(), nullptr, 10); }

private:
    std::string schema_;
    pgq::driver::pq::connection_ptr connection_;
};

/// An installed schema of its own, dropped at the end. What works in it must end first: declare this before.
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
        } catch (const std::exception&) {  // fresh_schemas tries again
        }
    }

    const std::string& schema() const noexcept { return schema_; }
    /// The server's names for sessions of this test.
    std::string conninfo() const { return with_settings("application_name", schema_); }
    /// The server's address with one more setting.
    static std::string with_settings(std::string_view key, std::string_view value) {
        return settings_of(dsn(), key, value);
    }

    pgq::driver::connection_options options() const { return {.conninfo = conninfo(), .schema = schema_}; }
    pgq::driver::libpq driver() const { return pgq::driver::libpq{options()}; }

    void exec(std::string_view sql) const { (void)sql_.exec(sql); }
    std::int64_t query_int(std::string_view sql) const { return sql_.query_int(sql); }
    std::string query_text(std::string_view sql) const { return sql_.query_text(sql); }
    PGconn* connection() const noexcept { return sql_.get(); }
    const sql_connection& sql() const noexcept { return sql_; }

    /// The number of rows or jobs there are, by table: "ready", "deferred", "lease", "worker", "runs".
    std::int64_t rows(std::string_view table) const {
        return query_int("SELECT count(*) FROM {s}." + std::string{table});
    }
    std::int64_t leased() const {
        return query_int(
            "SELECT coalesce(sum(cardinality(ids) - CASE WHEN done IS NULL THEN 0 ELSE bit_count(done) END), 0) "
            "FROM {s}.lease");
    }
    /// No job is anywhere.
    bool is_empty() const {
        return query_int(
                   "SELECT (SELECT count(*) FROM {s}.ready) + (SELECT count(*) FROM {s}.deferred)"
                   " + (SELECT count(*) FROM {s}.pack) + (SELECT count(*) FROM {s}.lease)") == 0;
    }
    /// Workers that have announced their sleep and can be woken: each holds its own advisory lock.
    std::int64_t sleepers() const {
        return query_int(
            "SELECT count(*) FROM pg_locks l JOIN {s}.worker w ON l.objid = w.id::oid"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.mode = 'ExclusiveLock'"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND l.classid = to_regnamespace('{q}')::oid");
    }

    /// A connection string with one setting more, whichever way it was written.
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
