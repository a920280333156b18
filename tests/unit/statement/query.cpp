#include <pgq/statement/query.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace unit_statement_query {

using pgq::statement::count_parameters;
using pgq::statement::in_literal;
using pgq::statement::max_parameters;
using pgq::statement::query;
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

TEST_CASE("a session that cannot prepare statements calls the function of a stored statement", "[statement][query]") {
    constexpr query plain{"both", "SELECT $1 + $2 FROM {s}.ready"};
    CHECK(pgq::statement::unprepared_text(plain, "a\"b") == R"(SELECT $1 + $2 FROM "a""b".ready)");
    CHECK(pgq::statement::unprepared_text(plain.as_stored(), "a\"b") == R"(SELECT * FROM "a""b".stored_both($1, $2))");
    constexpr query none{"none", "SELECT 1"};
    CHECK(pgq::statement::unprepared_text(none.as_stored(), "s") == R"(SELECT * FROM "s".stored_none())");
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

TEST_CASE("a statement has the columns that it names in braces", "[statement][query][columns]") {
    const std::string job{pgq::statement::columns::text::job};
    CHECK(render("INSERT INTO {s}.ready ({job}) SELECT {job} FROM due", "jobs") ==
          "INSERT INTO \"jobs\".ready (" + job + ") SELECT " + job + " FROM due");
    for (const auto& list : pgq::statement::columns::lists) {
        CAPTURE(list.name);
        const std::string text = render(list.text, "x");
        CHECK(render("({" + std::string{list.name} + "})", "x") == "(" + text + ")");
        CHECK(text.find('{') == std::string::npos);  // of the words in braces a list has {s} only
        CHECK((text == list.text) == (list.text.find("{s}") == std::string_view::npos));
    }
}

TEST_CASE("a statement counts its parameters", "[statement][query]") {
    STATIC_REQUIRE(query{"none", "SELECT 1"}.parameters == 0);
    STATIC_REQUIRE(query{"three", "SELECT $1, $3 FROM $2"}.parameters == 3);
    CHECK(count_parameters("$1, $12") == 12);
    CHECK(count_parameters("DO $$ BEGIN END $$; SELECT '$'") == 0);
    CHECK(count_parameters("$99999999999999999999") == 100'000);
}

namespace {

struct most {
    static constexpr std::string_view text = "SELECT $25";
};
struct too_many {
    static constexpr std::string_view text = "SELECT $26";
};
template <class Text>
concept is_constant = requires {
    typename std::integral_constant<std::size_t, query{"q", Text::text}.parameters>;
};

}  // namespace

TEST_CASE("a constant statement with too many parameters does not compile, and another one throws",
          "[statement][query]") {
    STATIC_REQUIRE(max_parameters == 25);
    STATIC_REQUIRE(is_constant<most>);
    STATIC_REQUIRE_FALSE(is_constant<too_many>);
    CHECK_THROWS_AS((query{"q", std::string{too_many::text}}), std::length_error);
}

}  // namespace unit_statement_query
