#include <pgq/driver/libpq.hpp>
#include <pgq/install.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>
#include <support/sql_functions.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace integration_install_script {

using test::database;
using test::note;

namespace {

/// What is in a schema, without the oids and the time of the installation.
std::string catalog_of(const database& db) {
    return db.query_text(
        "SELECT string_agg(t, E'\\n' ORDER BY t) FROM ("
        "  SELECT c.relname || ' ' || c.relkind::text || ' ' || c.relreplident::text || ' '"
        "      || coalesce(array_to_string(c.reloptions, ','), '') || ' '"
        "      || coalesce((SELECT string_agg(a.attname || ' ' || a.atttypid::regtype || ' ' || a.attnotnull || ' '"
        "                                     || a.attstorage::text, ',' ORDER BY a.attnum)"
        "                     FROM pg_attribute a WHERE a.attrelid = c.oid), '') AS t"
        "    FROM pg_class c WHERE c.relnamespace = to_regnamespace('{q}')"
        "  UNION ALL SELECT p.proname || ' ' || p.prosecdef || ' ' || md5(p.prosrc) || coalesce(p.proacl::text, '-')"
        "    FROM pg_proc p WHERE p.pronamespace = to_regnamespace('{q}')"
        "  UNION ALL SELECT c.conname || ' ' || md5(pg_get_constraintdef(c.oid)) FROM pg_constraint c"
        "             WHERE c.connamespace = to_regnamespace('{q}') AND c.contype = 'c'"
        "  UNION ALL SELECT m.version || m.name || m.checksum FROM {s}.migration m) x");
}

std::string script_for(const database& db) { return pgq::install_sql({.schema = db.schema()}).value(); }

}  // namespace

TEST_CASE("the script of install_sql makes what install() makes, and each accepts the work of the other",
          "[integration][install][usual_settings]") {
    for (const std::string name : {"", "Mixed \"q\" 'x' $pgq$ {s} \\"}) {
        CAPTURE(name);
        const database db{test::fresh_schemas::next() + name};
        const auto made = catalog_of(db);
        test::run_script(db.sql(), script_for(db));
        CHECK(catalog_of(db) == made);
        db.exec("DROP SCHEMA {s} CASCADE");
        test::run_script(db.sql(), script_for(db));
        CHECK(catalog_of(db) == made);
        CHECK(db.driver().install().has_value());
        CHECK(catalog_of(db) == made);
        test::note_queue<> jobs{db.driver()};
        CHECK(jobs.enqueue(note{}).has_value());
    }
}

TEST_CASE("the script adds the migrations that are missing, in a schema that exists",
          "[integration][install][usual_settings]") {
    const database db;
    const auto made = catalog_of(db);
    db.exec("DELETE FROM {s}.migration WHERE version = 5; DROP FUNCTION {s}.unpack, {s}.unpack_jobs");
    test::run_script(db.sql(), script_for(db));
    CHECK(catalog_of(db) == made);
    db.exec("DROP SCHEMA {s} CASCADE; CREATE SCHEMA {s}");
    test::run_script(db.sql(), script_for(db));
    CHECK(catalog_of(db) == made);
}

TEST_CASE("the script refuses a newer version and a changed migration, and changes nothing",
          "[integration][install][usual_settings]") {
    const database db;
    db.exec("INSERT INTO {s}.migration (version, name, checksum) VALUES (99, 'later', 1)");
    CHECK(test::refusal(db.sql(), script_for(db)).starts_with("P0001 the database has a newer version of pgq"));
    db.exec("DELETE FROM {s}.migration WHERE version = 99; UPDATE {s}.migration SET checksum = 7 WHERE version = 3");
    CHECK(test::refusal(db.sql(), script_for(db)).starts_with("P0001 migration 3 is not the one that was applied"));
}

TEST_CASE("psql runs the scripts of the tables and of the roles", "[integration][install][usual_settings]") {
    if (std::system("psql --version >/dev/null 2>&1") != 0) {
        WARN("there is no psql");
        return;
    }
    const database db;
    const auto made = catalog_of(db);
    db.exec("DROP SCHEMA {s} CASCADE");
    const auto file = std::filesystem::temp_directory_path() / (db.schema() + ".sql");
    std::ofstream{file} << script_for(db) << "\\! true\n";
    const auto command = "psql -1 -qX -v ON_ERROR_STOP=1 -f '" + file.string() + "' '" + test::dsn() + "'";
    CHECK(std::system(command.c_str()) == 0);
    std::filesystem::remove(file);
    CHECK(catalog_of(db) == made);
}

TEST_CASE("names that PostgreSQL would cut off are refused", "[integration][install][usual_settings]") {
    CHECK(pgq::install_sql({.schema = ""}).error() == pgq::errc::invalid_name);
    CHECK(pgq::install_sql({.schema = std::string(64, 'x')}).error() == pgq::errc::invalid_name);
}

}  // namespace integration_install_script
