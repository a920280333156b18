#include <pgq/driver/libpq.hpp>
#include <pgq/statement/columns.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace integration_columns {

namespace {

std::string sorted(std::string_view list) {
    std::vector<std::string> names;
    for (std::size_t at = 0; at <= list.size();) {
        const auto end = std::min(list.find(", ", at), list.size());
        names.emplace_back(list.substr(at, end - at));
        at = end + 2;
    }
    std::ranges::sort(names);
    std::string out;
    for (const auto& n : names) out += (out.empty() ? "" : ", ") + n;
    return out;
}

}  // namespace

TEST_CASE("columns.hpp names each column of the tables between which jobs move, and no other",
          "[integration][columns]") {
    const test::database db;
    for (const auto& table : pgq::statement::columns::tables) {
        CAPTURE(table.name);
        CHECK(sorted(table.text) ==
              db.query_text("SELECT string_agg(attname, ', ' ORDER BY attname COLLATE \"C\") FROM pg_attribute"
                            " WHERE attrelid = '{q}." +
                            std::string{table.name} + "'::regclass AND attnum > 0 AND NOT attisdropped"));
    }
}

// The payload in `schedule` is a template: no job moves from there.
TEST_CASE("each table with payloads is in columns.hpp", "[integration][columns]") {
    const test::database db;
    std::string named;
    for (const auto& table : pgq::statement::columns::tables)
        named += (named.empty() ? "" : ", ") + std::string{table.name};
    CHECK(sorted(named) ==
          db.query_text("SELECT string_agg(c.relname, ', ' ORDER BY c.relname COLLATE \"C\") FROM pg_class c"
                        " WHERE c.relnamespace = to_regnamespace('{q}') AND c.relkind = 'r' AND c.relname <> "
                        "'schedule' AND EXISTS ("
                        "  SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('body', 'bodies'))"));
}

}  // namespace integration_columns
