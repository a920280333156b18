#include <pgq/schema/generated.hpp>
#include <pgq/schema/plan.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unit_schema_plan {

using pgq::errc;
using pgq::schema::applied;
using pgq::schema::migration;
using pgq::schema::plan;

namespace {

constexpr std::array<migration, 3> known{{{1, "core", "A"}, {2, "limits", "B"}, {3, "cron", "C"}}};

std::vector<int> versions(const std::vector<const migration*>& steps) {
    std::vector<int> out;
    for (const auto* m : steps) out.push_back(m->version);
    return out;
}

applied has(std::size_t i) { return {known[i].version, known[i].checksum()}; }

}  // namespace

TEST_CASE("an empty database needs all migrations, in order", "[schema][plan]") {
    CHECK(versions(plan(known, {}).value()) == std::vector{1, 2, 3});
}

TEST_CASE("a database that is up to date needs no migration", "[schema][plan]") {
    const std::vector found{has(0), has(1), has(2)};
    CHECK(plan(known, found).value().empty());
}

TEST_CASE("missing migrations run in order, whatever the order of the database's answer", "[schema][plan]") {
    const std::vector one{has(0)};
    CHECK(versions(plan(known, one).value()) == std::vector{2, 3});
    const std::vector gap{has(2), has(0)};
    CHECK(versions(plan(known, gap).value()) == std::vector{2});
}

TEST_CASE("a database that is newer than this program is not changed", "[schema][plan]") {
    const std::vector found{has(0), has(1), has(2), applied{4, 99}};
    const auto p = plan(known, found);
    REQUIRE_FALSE(p);
    CHECK(p.error() == errc::schema_newer);
    CHECK(p.error() == pgq::condition::configuration);
    CHECK(p.error().message.find("4") != std::string::npos);
    CHECK_FALSE(p.error().hint.empty());
}

TEST_CASE("a migration that changed after it was applied is an error", "[schema][plan]") {
    const std::vector found{has(0), applied{2, known[1].checksum() + 1}};
    const auto p = plan(known, found);
    REQUIRE_FALSE(p);
    CHECK(p.error() == errc::schema_changed);
    CHECK(p.error() == pgq::condition::configuration);
    CHECK(p.error().message.find("limits") != std::string::npos);
    CHECK_FALSE(p.error().hint.empty());
}

TEST_CASE("a database that is newer and also differs is reported as newer", "[schema][plan]") {
    const std::vector found{applied{1, 0}, applied{9, 0}};
    CHECK(plan(known, found).error() == errc::schema_newer);
}

TEST_CASE("the migrations of this version are numbered from one, with a placeholder for the schema",
          "[schema][generated]") {
    int expected = 1;
    for (const auto& m : pgq::schema::migrations) {
        CHECK(m.version == expected++);
        CHECK_FALSE(m.name.empty());
        CHECK(m.sql.find("{s}") != std::string_view::npos);
        CHECK(m.sql.find(":\"schema\"") == std::string_view::npos);
    }
    CHECK(pgq::schema::version == expected - 1);
}

}  // namespace unit_schema_plan
