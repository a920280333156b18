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

/// One installed schema for one law after the other, emptied in between: to install one takes several times as long as a law. For
/// programs that work in one at a time.
class emptied_schema {
public:
    /// Where it is. Sessions made with this are over before it is used again.
    static pgq::driver::connection_options next() {
        static emptied_schema only;
        if (only.name_.empty() || !only.empty()) only.install();
        return {.conninfo = only.conninfo_, .schema = only.name_};
    }

private:
    emptied_schema()
        : application_{"laws_" + std::to_string(::getpid())},
          conninfo_{database::with_settings("application_name", application_)} {}

    void install() {
        name_ = fresh_schemas::next();
        pgq::driver::libpq{{.conninfo = dsn(), .schema = name_}}.install().value();
    }
    // False when somebody is still at it.
    bool empty() const {
        const sql_connection line{dsn(), name_};
        // A session that was closed lives on in the server for a moment, and so does what it has locked.
        const bool alone = eventually(std::chrono::seconds{5}, [&] {
            return line.query_int("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + application_ +
                                  "'") == 0;
        });
        if (!alone) return false;
        try {
            // A tenth of what TRUNCATE costs, which makes each of the small files of a schema anew.
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
