#pragma once

#include <pgq/driver/pq/connection/libpq_handles.hpp>

#include <support/database.hpp>

#include <unistd.h>

#include <array>
#include <exception>
#include <string>
#include <string_view>

namespace test {

struct hostile_setting {
    std::string_view name;
    std::string_view value;
};

/// Defaults that no session of the library may depend on. A server that does not know a setting is left without it.
inline constexpr std::array hostile_settings{
    hostile_setting{"default_transaction_isolation", "serializable"},
    hostile_setting{"default_transaction_deferrable", "on"},
    hostile_setting{"standard_conforming_strings", "off"},
    hostile_setting{"backslash_quote", "off"},
    hostile_setting{"transform_null_equals", "on"},
    hostile_setting{"array_nulls", "off"},
    hostile_setting{"quote_all_identifiers", "on"},
    hostile_setting{"session_replication_role", "replica"},
    hostile_setting{"row_security", "off"},
    hostile_setting{"client_encoding", "LATIN1"},
    hostile_setting{"client_min_messages", "debug1"},
    hostile_setting{"DateStyle", "SQL, DMY"},
    hostile_setting{"IntervalStyle", "sql_standard"},
    hostile_setting{"TimeZone", "Pacific/Apia"},
    hostile_setting{"extra_float_digits", "-15"},
    hostile_setting{"bytea_output", "escape"},
    hostile_setting{"xmloption", "document"},
    hostile_setting{"statement_timeout", "500ms"},
    hostile_setting{"lock_timeout", "1ms"},
    hostile_setting{"idle_in_transaction_session_timeout", "20ms"},
    hostile_setting{"idle_session_timeout", "100ms"},
    hostile_setting{"transaction_timeout", "500ms"},
    hostile_setting{"plan_cache_mode", "force_custom_plan"},
    hostile_setting{"force_parallel_mode", "on"},
    hostile_setting{"debug_parallel_query", "on"},
    hostile_setting{"from_collapse_limit", "1"},
    hostile_setting{"join_collapse_limit", "1"},
    hostile_setting{"work_mem", "64kB"},
    hostile_setting{"enable_seqscan", "off"},
    hostile_setting{"enable_indexscan", "off"},
    hostile_setting{"enable_indexonlyscan", "off"},
    hostile_setting{"enable_bitmapscan", "off"},
    hostile_setting{"enable_tidscan", "off"},
    hostile_setting{"enable_nestloop", "off"},
    hostile_setting{"enable_hashjoin", "off"},
    hostile_setting{"enable_mergejoin", "off"},
    hostile_setting{"enable_hashagg", "off"},
    hostile_setting{"enable_sort", "off"},
    hostile_setting{"enable_incremental_sort", "off"},
    hostile_setting{"enable_material", "off"},
    hostile_setting{"enable_memoize", "off"},
    hostile_setting{"search_path", "hostile, pg_catalog"},
};

/// A database and a role, both with these defaults, and with functions that hide those of PostgreSQL. Sessions of the
/// role are a superuser's: some settings are not for others. The destructor drops both.
class hostile_database {
public:
    hostile_database() : name_{"hostile_" + std::to_string(::getpid())}, line_{dsn(), "public"} {
        exec(line_, "DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
        exec(line_, "DROP ROLE IF EXISTS " + name_);
        exec(line_, "CREATE DATABASE " + name_ + " TEMPLATE template0 ENCODING 'UTF8'");
        exec(line_, "CREATE ROLE " + name_ + " LOGIN SUPERUSER");
        const sql_connection inside{database::settings_of(dsn(), "dbname", name_), "public"};
        exec(inside, "CREATE SCHEMA hostile");
        for (const std::string_view f :
             {"now() RETURNS timestamptz", "statement_timestamp() RETURNS timestamptz",
              "clock_timestamp() RETURNS timestamptz", "pg_notify(text, text) RETURNS void",
              "cardinality(anyarray) RETURNS int4", "pg_backend_pid() RETURNS int4", "nextval(regclass) RETURNS int8"})
            exec(inside, "CREATE FUNCTION hostile." + std::string{f} +
                             " LANGUAGE plpgsql AS $$ BEGIN RAISE 'a hidden function was called'; END $$");
        for (const auto& s : hostile_settings) {
            if (line_.query_int("SELECT count(*) FROM pg_settings WHERE lower(name) = lower('" + std::string{s.name} +
                                "')") == 0)
                continue;
            const std::string set = " SET " + std::string{s.name} + (s.name == "search_path" ? " = " : " = '") +
                                    std::string{s.value} + (s.name == "search_path" ? "" : "'");
            exec(line_, "ALTER DATABASE " + name_ + set);
            exec(line_, "ALTER ROLE " + name_ + set);
            // The tests look at the database as the role that runs them.
            exec(line_,
                 "ALTER ROLE CURRENT_USER IN DATABASE " + name_ + " SET " + std::string{s.name} + " FROM CURRENT");
        }
    }
    hostile_database(const hostile_database&) = delete;
    hostile_database& operator=(const hostile_database&) = delete;
    ~hostile_database() {
        try {
            exec(line_, "DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
            exec(line_, "DROP ROLE IF EXISTS " + name_);
        } catch (const std::exception&) {  // somebody ended the server
        }
    }

    /// Sessions with the hostile defaults.
    std::string conninfo() const { return database::settings_of(sane_conninfo(), "user", name_); }
    /// Sessions in the same database with the usual defaults.
    std::string sane_conninfo() const { return database::settings_of(dsn(), "dbname", name_); }

private:
    static void exec(const sql_connection& c, const std::string& sql) { (void)c.exec(sql); }

    std::string name_;
    sql_connection line_;
};

}  // namespace test
