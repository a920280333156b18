#pragma once

#include <pgq/cli/output/terminal.hpp>

#include <pgq/driver/pq/connection/connecting.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/session_settings.hpp>
#include <pgq/driver/pq/connection/text_query.hpp>
#include <pgq/driver/pq/session/socket_wait.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/sql_rows.hpp>
#include <pgq/statement/query.hpp>

#include <libpq-fe.h>

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::cli {

/// A connection that needs no pgq tables: for what makes, deletes and compares them. Its members throw `failure`.
class plain_connection {
public:
    explicit plain_connection(const driver::connection_options& o, bool verbose) : options_{o}, verbose_{verbose} {
        driver::pq::check_schema(o.schema).value();
        connection_ = connected();
        run("SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false), pg_catalog.set_config("
            "'statement_timeout', '" +
            driver::pq::milliseconds_text(o.statement_timeout) +
            "', false), "
            "pg_catalog.set_config('standard_conforming_strings', 'on', false)");
    }

    /// One statement; `{s}` and `{q}` in it are the schema, as in pgq::statement::query.
    sql_rows read(std::string_view text, std::initializer_list<sql_rows::cell> parameters = {}) {
        const std::string sql = statement::render(text, options_.schema);
        show(sql);
        return driver::pq::run_text_query(connection_.get(), sql, std::vector<sql_rows::cell>{parameters}).value();
    }
    /// A script in one transaction: all of it or nothing.
    void run_script(const std::string& sql) {
        run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
        run(sql);
        run("COMMIT");
    }

private:
    driver::pq::connection_ptr connected() const {
        using clock = std::chrono::steady_clock;
        driver::pq::connecting attempt;
        auto wanted = attempt.start(options_, "pgq", "connect", clock::now());
        while (wanted.value() != driver::pq::need::nothing) {
            driver::pq::wait_for(PQsocket(attempt.get()), *wanted, attempt.deadline() - clock::now());
            wanted = attempt.advance(clock::now());
        }
        return attempt.release();
    }
    void run(const std::string& sql) {
        show(sql);
        const driver::pq::result_ptr answer{PQexec(connection_.get(), sql.c_str())};
        const auto status = PQresultStatus(answer.get());
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
        if (PQstatus(connection_.get()) != CONNECTION_OK)
            throw failure{driver::pq::connection_error(connection_.get(), "script")};
        throw failure{driver::pq::server_error(answer.get(), "script")};
    }
    void show(const std::string& sql) const {
        if (verbose_) show_statement(sql);
    }

    const driver::connection_options& options_;
    bool verbose_;
    driver::pq::connection_ptr connection_{};
};

}  // namespace pgq::cli
