#pragma once

#include <pgq/driver/libpq.hpp>
#include <pgq/driver/pq/connection/options.hpp>

#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/fresh_schema.hpp>

#include <unistd.h>

#include <chrono>
#include <exception>
#include <functional>
#include <string>
#include <utility>

namespace test {

/// One installed schema for all laws, emptied before each. Installing a schema takes several times as long as a law.
/// Only for programs that use one schema at a time.
class reusable_schema {
public:
    /// Called with the options of a schema that was just installed; may change how sessions connect.
    using preparation = std::function<void(pgq::driver::connection_options&)>;

    explicit reusable_schema(std::string server, preparation prepare = {})
        : server_{std::move(server)}, prepare_{std::move(prepare)} {}

    /// The application name of all sessions; they must be over before the schema is emptied.
    static std::string application() { return "laws_" + std::to_string(::getpid()); }

    /// The connection options of the empty schema. All sessions with these options must end before the next call.
    pgq::driver::connection_options emptied() {
        if (options_.conninfo.empty() || !empty()) install();
        return options_;
    }
    /// The same for the schema on the server of the tests.
    static pgq::driver::connection_options next() {
        static reusable_schema only{dsn()};
        return only.emptied();
    }

private:
    void install() {
        options_ = {.conninfo = database::settings_of(server_, "application_name", application()),
                    .schema = fresh_schemas::next()};
        pgq::driver::libpq{{.conninfo = server_, .schema = options_.schema}}.install().value();
        if (prepare_) prepare_(options_);
    }
    // False if another session still uses the schema.
    bool empty() const {
        const sql_connection line{server_, options_.schema};
        // After a session is closed, the server keeps it and its locks for a moment.
        const bool alone = eventually(std::chrono::seconds{5}, [&] {
            return line.query_int("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + application() +
                                  "'") == 0;
        });
        if (!alone) return false;
        try {
            // DELETE takes a tenth of the time of TRUNCATE, which creates new files for every table.
            const auto all = line.query_text(
                "SELECT string_agg(format('DELETE FROM %I.%I', schemaname, tablename), '; ') FROM pg_tables"
                " WHERE schemaname = '" +
                options_.schema + "' AND tablename <> 'migration'");
            (void)line.exec("SET lock_timeout = '5s'; " + all);
            return true;
        } catch (const std::exception&) { return false; }
    }

    std::string server_;
    preparation prepare_;
    pgq::driver::connection_options options_{};
};

}  // namespace test
