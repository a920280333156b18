#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/schema/generated.hpp>
#include <pgq/schema/migration.hpp>
#include <pgq/schema/script_text.hpp>
#include <pgq/statement/query.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace pgq {

/// Where the tables are.
struct install_options {
    std::string schema = "pgq_jobs";  ///< `connection_options::schema`
};

namespace schema {

inline constexpr std::string_view migration_table =
    "CREATE TABLE {s}.migration (version int4 PRIMARY KEY, name text NOT NULL,"
    " checksum int8 NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";

/// Takes the lock for which installations of one schema wait.
inline std::string install_lock(std::string_view schema_name) {
    return "pg_advisory_xact_lock(hashtextextended(" + literal("pgq install " + std::string{schema_name}) + ", 0))";
}

namespace script {

// {s} is the quoted schema, {s_name} the same as a literal. Each step sets the search path, because somebody may run
// the script without a transaction: the default of a column remembers the function that was found.
inline constexpr std::string_view begin = R"(
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    PERFORM {lock};
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'the encoding of the database is %, not UTF8', current_setting('server_encoding');
    END IF;
    IF to_regnamespace({s_name}) IS NULL THEN CREATE SCHEMA {s}; END IF;
    IF to_regclass({s_name} || '.migration') IS NULL THEN
        {table};
    ELSIF (SELECT max(version) FROM {s}.migration) > {newest} THEN
        RAISE EXCEPTION USING MESSAGE = 'the database has a newer version of pgq than this script',
                              HINT = 'write the script with the newer version';
    END IF;
END )";
inline constexpr std::string_view step = R"(
DECLARE
    had int8;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    SELECT m.checksum INTO had FROM {s}.migration m WHERE m.version = {version};
    IF had IS NULL THEN
        EXECUTE {sql};
        INSERT INTO {s}.migration (version, name, checksum) VALUES ({version}, {name}, {checksum});
    ELSIF had <> {checksum} THEN
        RAISE EXCEPTION USING MESSAGE = 'migration {version} is not the one that was applied',
                              HINT = 'install into another schema';
    END IF;
END )";

inline constexpr std::string_view only_upgrade = R"(
BEGIN
    IF pg_catalog.to_regclass({s_name} || '.migration') IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '3F000', MESSAGE = 'there are no pgq tables in the schema ' || {s_name},
                              HINT = 'run the script that installs';
    END IF;
END )";

}  // namespace script

inline result<void> check_name(std::string_view schema_name) {
    if (!schema_name.empty() && schema_name.size() <= 63 && detail::is_storable_text(schema_name)) return {};
    return error_info{errc::invalid_name, "a schema's name is UTF-8 text of 1 to 63 bytes"};
}

}  // namespace schema

/// The script that does what `install()` does, for programs that run their migrations with psql:
/// `psql -1 -v ON_ERROR_STOP=1 -f install.sql`. It makes the schema and its tables, or runs the migrations that are
/// missing. It may run again. After it `install()` changes nothing, and after `install()` it changes nothing.
///
/// Errors: errc::invalid_name, for a name of the schema that PostgreSQL does not accept.
inline result<std::string> install_sql(const install_options& o = {}) {
    if (auto valid = schema::check_name(o.schema); !valid) return std::move(valid.error());
    const std::string s = statement::quoted(o.schema), s_name = schema::literal(s);
    std::string out = "-- The tables of pgq, version " + std::to_string(schema::version) +
                      ". Run it as one transaction: psql -1 -v ON_ERROR_STOP=1 -f this_file\n\nDO " +
                      schema::dollar_quoted(schema::filled(
                          schema::script::begin, {{"s", s},
                                                  {"s_name", s_name},
                                                  {"lock", schema::install_lock(o.schema)},
                                                  {"table", statement::render(schema::migration_table, o.schema)},
                                                  {"newest", std::to_string(schema::version)}})) +
                      ";\n";
    for (const schema::migration& m : schema::migrations)
        out += "\nDO " +
               schema::dollar_quoted(schema::filled(schema::script::step,
                                                    {{"s", s},
                                                     {"sql", schema::dollar_quoted(statement::render(m.sql, o.schema))},
                                                     {"version", std::to_string(m.version)},
                                                     {"name", schema::literal(m.name)},
                                                     {"checksum", std::to_string(m.checksum())}})) +
               ";\n";
    return out;
}

/// The same for an installation that is there: it fails if there is none.
inline result<std::string> upgrade_sql(const install_options& o = {}) {
    auto install = install_sql(o);
    if (!install) return install;
    const std::string guard =
        schema::filled(schema::script::only_upgrade, {{"s_name", schema::literal(statement::quoted(o.schema))}});
    return "DO " + schema::dollar_quoted(guard) + ";\n\n" + *install;
}

}  // namespace pgq
