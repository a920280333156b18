#include <pgq/schema/catalog/generated.hpp>
#include <pgq/schema/catalog/statement_of.hpp>
#include <pgq/schema/checksum.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace unit_schema_catalog_statement_of {

using namespace pgq::schema;

TEST_CASE("the catalog was made from the migrations of this version", "[schema][catalog]") {
    INFO("run tools/scripts/generate_catalog.sh");
    CHECK(catalog_made_from == checksum_of_migrations());
}

TEST_CASE("each function, index and trigger of the catalog has its statement in a migration", "[schema][catalog]") {
    int functions = 0;
    for (const auto& e : catalog) {
        INFO(e.kind << " " << e.name);
        const std::string name{e.name.substr(0, e.name.find('('))};
        if (e.kind == 'f') {
            const auto sql = statement_of_function(name);
            CHECK(sql.starts_with("CREATE FUNCTION {s}." + name + "("));
            CHECK(sql.ends_with(";"));
            // pause() and resume() replace the functions that have no body.
            CHECK(body_of(sql).empty() == (name == "is_paused" || name == "paused_lanes" || name == "open_lane"));
            ++functions;
        }
        if (e.kind == 'i') CHECK(statement_of("CREATE INDEX " + name + " ").ends_with(";"));
        if (e.kind == 'r') CHECK(statement_of("CREATE TRIGGER " + name + " ").ends_with(";"));
    }
    CHECK(functions > 50);
}

TEST_CASE("a statement ends behind its body, not at a semicolon inside", "[schema][catalog]") {
    const auto sql = statement_of_function("requeue");
    CHECK(sql.find("BEGIN") != std::string_view::npos);
    CHECK(sql.find("CREATE", 1) == std::string_view::npos);
    CHECK(body_of(sql).find("END") != std::string_view::npos);
    CHECK(body_of(sql).find("$$") == std::string_view::npos);
    CHECK(statement_of("CREATE INDEX deferred_id ") == "CREATE INDEX deferred_id ON {s}.deferred (id);");
    CHECK(statement_of("CREATE NOTHING").empty());
    CHECK(body_of("CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1;").empty());
}

}  // namespace unit_schema_catalog_statement_of
