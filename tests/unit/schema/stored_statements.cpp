#include "../../../tools/schema/stored_statements.hpp"

#include <pgq/schema/generated.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <string>

namespace unit_schema_stored_statements {

using pgq::statement::query;
using pgq::tools::stored_statement;

TEST_CASE("the functions of the schema are the statements of the headers", "[schema]") {
    // After a change to a statement, run tools/scripts/generate_stored_statements.sh.
    const auto written = pgq::tools::detail::replaced(pgq::tools::stored_statements_sql(), ":\"schema\"", "{s}");
    bool found = false;
    for (const auto& m : pgq::schema::migrations) {
        if (m.name != "stored_statements") continue;
        found = true;
        CHECK(m.sql == written);
    }
    CHECK(found);
}

TEST_CASE("a stored statement has a type for each parameter", "[schema]") {
    for (const auto& s : pgq::tools::stored_statements) {
        CAPTURE(s.statement->name);
        std::size_t types = 1;
        for (const char c : s.parameters) types += c == ',' ? 1u : 0u;
        CHECK(types == s.statement->parameters);
    }
}

TEST_CASE("a statement that would read a table expression in place of a table is not stored", "[schema]") {
    constexpr auto shadowing = query{"q", "WITH\npack AS (DELETE FROM {s}.pack) SELECT FROM {s}.pack"}.as_stored();
    const stored_statement wrong{&shadowing, "int4", "int4"};
    CHECK_THROWS_AS(pgq::tools::create_function(wrong), std::logic_error);
    constexpr query unmarked{"q", "SELECT 1"};
    const stored_statement not_stored{&unmarked, "int4", "int4"};
    CHECK_THROWS_AS(pgq::tools::create_function(not_stored), std::logic_error);
}

}  // namespace unit_schema_stored_statements
