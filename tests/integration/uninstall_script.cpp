#include <pgq/driver/libpq.hpp>
#include <pgq/install.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>
#include <support/sql_functions.hpp>

#include <exception>
#include <string>

namespace integration_uninstall_script {

using test::database;
using test::note;

namespace {

std::string script_for(const database& db) { return pgq::uninstall_sql({.schema = db.schema()}).value(); }

bool is_there(const database& db) { return db.query_text("SELECT to_regnamespace('{q}') IS NOT NULL") == "t"; }

/// Why the script fails. It must leave everything as it is.
std::string refusal(const database& db) {
    try {
        test::run_script(db.sql(), script_for(db));
    } catch (const std::exception& e) {
        CHECK(is_there(db));
        return e.what();
    }
    return {};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the script of uninstall_sql deletes the schema with its jobs, and nothing else",
          "[integration][uninstall]") {
    for (const std::string name : {"", "Mixed \"q\" 'x' $pgq$ {s} \\"}) {
        CAPTURE(name);
        const database db{test::fresh_schemas::next() + name};
        test::note_queue<> jobs{pgq::driver::libpq{db.options()}};
        (void)jobs.enqueue(note{.n = 1}).value();
        CHECK(refusal(db).empty());
        CHECK_FALSE(is_there(db));
    }
}

TEST_CASE("the script of uninstall_sql refuses a schema with objects of others, and names them",
          "[integration][uninstall]") {
    const database db;
    db.exec("CREATE TABLE {s}.invoice ()");
    CHECK(has(refusal(db), "invoice"));
    db.exec("DROP TABLE {s}.invoice; CREATE FUNCTION {s}.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    CHECK(has(refusal(db), "mine()"));
    db.exec("DROP FUNCTION {s}.mine; CREATE TYPE {s}.colour AS ENUM ('red')");
    CHECK(has(refusal(db), "colour"));
    db.exec("DROP TYPE {s}.colour; CREATE TYPE {s}.pair AS (a int, b int)");
    CHECK(has(refusal(db), "pair"));
    db.exec("DROP TYPE {s}.pair; CREATE SEQUENCE {s}.counter");
    CHECK(has(refusal(db), "counter"));
    db.exec("DROP SEQUENCE {s}.counter; CREATE INDEX ON {s}.lane (created_at)");
    CHECK(refusal(db).empty());
    CHECK_FALSE(is_there(db));
}

TEST_CASE("the script of uninstall_sql refuses what something outside needs, and names it",
          "[integration][uninstall]") {
    const database db;
    const database other;
    const auto elsewhere = [&](const std::string& text) { db.exec(pgq::statement::render(text, other.schema())); };
    db.exec("CREATE VIEW " + pgq::statement::quoted(other.schema()) + ".waiting AS SELECT count(*) FROM {s}.job");
    CHECK(has(refusal(db), "waiting"));
    elsewhere("DROP VIEW {s}.waiting");
    db.exec("CREATE TABLE " + pgq::statement::quoted(other.schema()) + ".note (lane int REFERENCES {s}.lane)");
    CHECK(has(refusal(db), "note"));
    elsewhere("DROP TABLE {s}.note");
    CHECK(refusal(db).empty());
}

TEST_CASE("the script of uninstall_sql refuses a schema without pgq tables, and one of a newer version",
          "[integration][uninstall]") {
    const database db;
    db.exec("INSERT INTO {s}.migration (version, name, checksum) VALUES (999, 'later', 0)");
    CHECK(has(refusal(db), "newer version"));
    db.exec("DROP SCHEMA {s} CASCADE; CREATE SCHEMA {s}; CREATE TABLE {s}.migration (id int)");
    CHECK(has(refusal(db), "no pgq tables"));
}

TEST_CASE("upgrade_sql changes nothing of the newest version, and refuses a schema without tables",
          "[integration][install]") {
    const database db;
    const std::string script = pgq::upgrade_sql({.schema = db.schema()}).value();
    CHECK_NOTHROW(test::run_script(db.sql(), script));
    db.exec("DROP SCHEMA {s} CASCADE");
    CHECK_THROWS(test::run_script(db.sql(), script));
    db.exec("CREATE SCHEMA {s}");  // its database object drops it
}

}  // namespace integration_uninstall_script
