#include <pgq/statement/query.hpp>

#include "support/catch.hpp"

#include <string>

namespace unit_statement_query {

using pgq::statement::in_literal;
using pgq::statement::quoted;
using pgq::statement::render;

TEST_CASE("an identifier is quoted, whatever characters it has", "[statement][query]") {
    CHECK(quoted("jobs") == R"("jobs")");
    CHECK(quoted("") == R"("")");
    CHECK(quoted(R"(a"b)") == R"("a""b")");
    CHECK(quoted(R"(")") == R"("""")");
    CHECK(quoted("a'b; DROP TABLE x --") == R"("a'b; DROP TABLE x --")");
    CHECK(quoted("Größe {s}") == R"("Größe {s}")");
}

TEST_CASE("inside a literal only apostrophes are doubled", "[statement][query]") {
    CHECK(in_literal(R"("o'clock")") == R"("o''clock")");
    CHECK(in_literal("''") == "''''");
    CHECK(in_literal(R"(\")") == R"(\")");
}

TEST_CASE("a statement names the schema as an identifier and inside a literal", "[statement][query]") {
    CHECK(render("SELECT nextval('{q}.job_id') FROM {s}.ready", "jobs") ==
          R"(SELECT nextval('"jobs".job_id') FROM "jobs".ready)");
    CHECK(render("{s}.a {s}.b", R"(it's "mine")") == R"("it's ""mine""".a "it's ""mine""".b)");
    CHECK(render("'{q}'", R"(it's "mine")") == R"('"it''s ""mine"""')");
}

TEST_CASE("the name of a schema that looks like a placeholder is not replaced again", "[statement][query]") {
    CHECK(render("{s}.ready '{q}'", "{s}") == R"("{s}".ready '"{s}"')");
    CHECK(render("{s}.ready", "{q}") == R"("{q}".ready)");
}

TEST_CASE("other braces do not change, wherever they are", "[statement][query]") {
    CHECK(render("", "x").empty());
    CHECK(render("SELECT 1", "x") == "SELECT 1");
    CHECK(render("'{}'::int[]", "x") == "'{}'::int[]");
    CHECK(render("'{a,b}' {t}", "x") == "'{a,b}' {t}");
    CHECK(render("{{s}", "x") == R"({"x")");
    CHECK(render("a {", "x") == "a {");
    CHECK(render("a {s", "x") == "a {s");
    CHECK(render("{", "x") == "{");
}

}  // namespace unit_statement_query
