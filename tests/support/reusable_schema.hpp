#pragma once

#include <pgq/driver/libpq.hpp>
#include <pgq/driver/pq/connection/options.hpp>

#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/fresh_schema.hpp>

#include <unistd.h>

#include <chrono>
#include <exception>
#include <string>

namespace test {

/// One installed schema for all laws, emptied before each. Installing a schema takes several times as long as a law.
/// Only for programs that use one schema at a time.
class reusable_schema {
public:
    /// The connection options of the empty schema. All sessions with these options must end before the next call.
    static pgq::driver::connection_options next() {
        static reusable_schema only;
        if (only.name_.empty() || !only.empty()) only.install();
        return {.conninfo = only.conninfo_, .schema = only.name_};
    }

private:
    reusable_schema()
        : application_{"laws_" + std::to_string(::getpid())},
          conninfo_{database::with_settings("application_name", application_)} {}

    void install() {
        name_ = fresh_schemas::next();
        pgq::driver::libpq{{.conninfo = dsn(), .schema = name_}}.install().value();
    }
    // False if another session still uses the schema.
    bool empty() const {
        const sql_connection line{dsn(), name_};
        // After a session is closed, the server keeps it and its locks for a moment.
        const bool alone = eventually(std::chrono::seconds{5}, [&] {
            return line.query_int("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + application_ +
                                  "'") == 0;
        });
        if (!alone) return false;
        try {
            // DELETE takes a tenth of the time of TRUNCATE, which creates new files for every table.
            const auto all = line.query_text(
                "SELECT string_agg(format('DELETE FROM %I.%I', schemaname, tablename), '; ') FROM pg_tables"
                " WHERE schemaname = '" +
                name_ + "' AND tablename <> 'migration'");
            (void)line.exec("SET lock_timeout = '5s'; " + all);
            return true;
        } catch (const std::exception&) { return false; }
    }

    std::string application_;
    std::string conninfo_;
    std::string name_;
};

}  // namespace test
