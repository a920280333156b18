#include <pgq/detail/utf8.hpp>
#include <pgq/sql_functions/sql_text.hpp>

#include "support/catch.hpp"

#include <string>
#include <string_view>

namespace unit_sql_functions_sql_text {

namespace sql = pgq::detail::sql;

TEST_CASE("a literal ends where its text ends, whatever the text is", "[sql_functions][sql_text]") {
    CHECK(sql::literal("") == "''");
    CHECK(sql::literal("plain") == "'plain'");
    CHECK(sql::literal("it's") == "'it''s'");
    CHECK(sql::literal("'; DROP TABLE x; --") == "'''; DROP TABLE x; --'");
    // With a backslash it is an escape string, so that standard_conforming_strings does not matter.
    CHECK(sql::literal("\\") == "E'\\\\'");
    CHECK(sql::literal("\\'; --") == "E'\\\\''; --'");
}

TEST_CASE("a dollar quote does not occur in what it quotes", "[sql_functions][sql_text]") {
    CHECK(sql::dollar_quoted("x") == "$pgq$x$pgq$");
    CHECK(sql::dollar_quoted("$pgq$; DROP TABLE x;") == "$pgq1$$pgq$; DROP TABLE x;$pgq1$");
    CHECK(sql::dollar_quoted("$pgq$ $pgq1$") == "$pgq2$$pgq$ $pgq1$$pgq2$");
}

TEST_CASE("placeholders become quoted names, and a name is not rendered again", "[sql_functions][sql_text]") {
    const sql::schemas s{.jobs = "a\"b", .functions = "{j}'"};
    CHECK(sql::render("{j}.x", s) == "\"a\"\"b\".x");
    CHECK(sql::render("{f}.x", s) == "\"{j}'\".x");
    CHECK(sql::render("{jl}", s) == "'\"a\"\"b\"'");
    CHECK(sql::render("{fl}", s) == "'\"{j}''\"'");
    CHECK(sql::render("{id}", s) == "'\"a\"\"b\".job_id'");
    CHECK(sql::render("'{}' {unknown} {", s) == "'{}' {unknown} {");
}

TEST_CASE("a name that PostgreSQL would cut is cut between characters and stays different",
          "[sql_functions][sql_text]") {
    std::string accents;
    while (accents.size() < 70) accents += "\xc3\xbc";
    const std::string one = sql::identifier("x" + accents + "a"), two = sql::identifier("x" + accents + "b");
    CHECK(one != two);
    CHECK(one.size() <= sql::max_identifier_bytes);
    CHECK(pgq::detail::is_storable_text(one));
    CHECK(sql::identifier(std::string(63, 'x')) == std::string(63, 'x'));
}

TEST_CASE("a digest has 16 digits and changes with its text", "[sql_functions][sql_text]") {
    CHECK(sql::digest("") == "cbf29ce484222325");
    CHECK(sql::digest("a") == "af63dc4c8601ec8c");
    CHECK(sql::digest("b") != sql::digest("a"));
}

}  // namespace unit_sql_functions_sql_text
