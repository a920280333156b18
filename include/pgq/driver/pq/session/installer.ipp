#pragma once

#include <pgq/driver/pq/command/admin/problems.hpp>
#include <pgq/driver/pq/command/execution.hpp>
#include <pgq/driver/pq/connection/connecting.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/driver/pq/connection/pipeline.hpp>
#include <pgq/driver/pq/session/installer.hpp>
#include <pgq/driver/pq/session/socket_wait.hpp>
#include <pgq/schema/generated.hpp>
#include <pgq/schema/install_sql.hpp>
#include <pgq/schema/plan.hpp>
#include <pgq/statement/problems.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

class installer {
public:
    explicit installer(const connection_options& o) : options_{o} {}

    result<void> run() {
        if (auto fine = check_schema(options_.schema); !fine) return fine;
        if (auto connected = connect(); !connected) return connected;
        if (const char* encoding = PQparameterStatus(connection_.get(), "server_encoding"))
            if (auto fine = check_encoding(encoding); !fine) return fine;
        for (int tries = 1;; ++tries) {
            auto done = in_transaction();
            if (done || tries == command::most_tries || !command::is_undone_by_conflict(done.error())) return done;
            if (auto over = exec("ROLLBACK"); !over) return over;
        }
    }

private:
    result<void> connect() {
        using clock = std::chrono::steady_clock;
        connecting attempt;
        auto wanted = attempt.start(options_, "pgq install", "install", clock::now());
        while (wanted && *wanted != need::nothing) {
            const duration left = attempt.deadline() - clock::now();
            wait_for(PQsocket(attempt.get()), *wanted, left);
            wanted = attempt.advance(clock::now());
        }
        if (!wanted) return wanted.error();
        connection_ = attempt.release();
        return {};
    }

    result<void> in_transaction() {
        // At a higher isolation level the snapshot would be older than the lock, and not show what another program has
        // made. The defaults of the role and of the database may differ, so each setting is set here. Any role that may
        // connect can take the lock, so lock_timeout ends the wait for it. All in one round trip: between two, a
        // time-out for idle transactions might end the session.
        if (auto r = exec("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL standard_conforming_strings = on;"
                          "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0;"
                          "SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL lock_timeout = '60s';"
                          "SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout'");
            !r)
            return r;
        if (auto r = exec("SELECT " + schema::install_lock(options_.schema)); !r) {
            if (r.error().code != make_sqlstate("55P03")) return r;
            r.error().hint = "another session installs, or holds that lock: see pg_locks";
            return r;
        }
        if (auto r = exec_if_missing(); !r) return r;
        auto found = applied();
        if (!found) return found.error();
        auto missing = schema::plan(schema::migrations, *found);
        if (!missing) return missing.error();
        for (const auto* m : *missing)
            if (auto r = apply(*m); !r) return r;
        auto problem = find_problem();
        if (auto done = exec("COMMIT"); !done) return done;
        return problem;
    }

    // An error, behind the commit, if workers with this role could run no job.
    result<void> find_problem() {
        auto found = query(rendered(statement::find_problems.text));
        if (!found) return found.error();
        const auto cell = [&](int row, int column) { return PQgetvalue(found->get(), row, column); };
        for (int i = 0; i < PQntuples(found->get()); ++i) {
            if (*cell(i, 2) != 't') continue;
            auto p = command::admin::problem_in_words(*cell(i, 0), cell(i, 1), true, cell(i, 3));
            return error_info{errc::unfit_database, std::move(p.message), std::move(p.remedy)};
        }
        return {};
    }

    // Not "IF NOT EXISTS" alone: that asks for the right to create even where there is nothing to create.
    result<void> exec_if_missing() {
        const std::string schema = statement::in_literal(statement::quoted(options_.schema));
        auto there = query("SELECT to_regnamespace('" + schema + "') IS NOT NULL, to_regclass('" + schema +
                           ".migration') IS NOT NULL");
        if (!there) return there.error();
        if (*PQgetvalue(there->get(), 0, 0) != 't')
            if (auto r = exec(rendered("CREATE SCHEMA {s}")); !r) return r;
        if (*PQgetvalue(there->get(), 0, 1) == 't') return {};
        return exec(rendered(schema::migration_table));
    }

    result<std::vector<schema::applied>> applied() {
        auto rows = query(rendered("SELECT version, checksum FROM {s}.migration ORDER BY version"));
        if (!rows) return rows.error();
        std::vector<schema::applied> found;
        found.reserve(static_cast<std::size_t>(PQntuples(rows->get())));
        for (int i = 0; i < PQntuples(rows->get()); ++i)
            found.push_back(
                {std::atoi(PQgetvalue(rows->get(), i, 0)), std::strtoll(PQgetvalue(rows->get(), i, 1), nullptr, 10)});
        return found;
    }

    result<void> apply(const schema::migration& m) {
        if (auto r = exec(rendered(m.sql)); !r) return r;
        return exec(rendered("INSERT INTO {s}.migration (version, name, checksum) VALUES (" +
                             std::to_string(m.version) + ", '" + std::string{m.name} + "', " +
                             std::to_string(m.checksum()) + ")"));
    }

    std::string rendered(std::string_view text) const { return statement::render(text, options_.schema); }

    result<result_ptr> query(const std::string& sql) {
        result_ptr r{PQexec(connection_.get(), sql.c_str())};
        const auto status = PQresultStatus(r.get());
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return r;
        if (PQstatus(connection_.get()) != CONNECTION_OK) return connection_error(connection_.get(), "install");
        return server_error(r.get(), "install");
    }
    result<void> exec(const std::string& sql) {
        auto r = query(sql);
        if (!r) return r.error();
        return {};
    }

    const connection_options& options_;
    connection_ptr connection_;
};

PGQ_DECL result<void> install(const connection_options& options) { return installer{options}.run(); }

}  // namespace pgq::driver::pq
