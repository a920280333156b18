#include <pgq/admin/conditions.hpp>
#include <pgq/admin/drift.hpp>

#include <support/catch.hpp>

#include <array>
#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unit_admin_doctor {

using namespace pgq;
using namespace std::chrono_literals;
using findings = std::vector<finding>;
using schema::expected_object;

namespace {

constexpr std::array expected{
    expected_object{'t', "", "ready", "table", "", true},
    expected_object{'c', "ready", "id", "bigint", "nextval('job_id'::regclass)", true},
    expected_object{'i', "ready", "ready_order", " USING btree (lane, rank, id)", "", true},
    expected_object{'k', "ready", "ready_fkey", "FOREIGN KEY (lane) REFERENCES lane(id)", "", true},
    expected_object{'f', "", "schema_id()", "() RETURNS integer", "sql STABLE", true},
    expected_object{'f', "", "is_paused(integer)", "(of_lane integer) RETURNS boolean", "sql STABLE", true},
};

std::vector<catalog_object> as_expected() {
    std::vector<catalog_object> all;
    for (const auto& e : expected)
        all.push_back({.kind = static_cast<object_kind>(e.kind),
                       .table = std::string{e.table},
                       .name = std::string{e.name},
                       .definition = std::string{e.definition},
                       .traits = std::string{e.traits},
                       .fine = e.fine});
    all[4].body = statement::render(schema::body_of(schema::statement_of_function("schema_id")), "a\"b");
    return all;
}
findings compared(const std::vector<catalog_object>& found) {
    return detail::drift{expected, found, "a\"b", "me"}.findings();
}
finding only(const findings& found) {
    REQUIRE(found.size() == 1);
    return found[0];
}
found_condition condition(const char* code, const char* name = "", const char* detail = "", std::int64_t n = 0,
                          duration age = {}) {
    return {.code = code, .name = name, .detail = detail, .count = n, .age = age};
}

}  // namespace

TEST_CASE("objects as they are expected are no drift", "[admin][doctor]") {
    CHECK(compared(as_expected()).empty());
    auto found = as_expected();
    found[4].body = "  -- a better comment\n" + found[4].body;
    CHECK(compared(found).empty());
    // pause() makes another function of it.
    found[5].traits = "sql STABLE SECURITY DEFINER";
    CHECK(compared(found).empty());
}

TEST_CASE("each difference is one finding with its repair", "[admin][doctor]") {
    auto found = as_expected();
    SECTION("a missing index") {
        found.erase(found.begin() + 2);
        const auto f = only(compared(found));
        CHECK(f.severity == severity::warning);
        CHECK(f.what == "the index \"ready_order\" of the table \"ready\" is missing");
        CHECK(f.sql == "CREATE INDEX \"ready_order\" ON \"a\"\"b\".\"ready\" USING btree (lane, rank, id);");
    }
    SECTION("a missing constraint names the schema of the other table") {
        found.erase(found.begin() + 3);
        CHECK(only(compared(found)).sql ==
              "ALTER TABLE \"a\"\"b\".\"ready\" ADD CONSTRAINT \"ready_fkey\" "
              "FOREIGN KEY (lane) REFERENCES \"a\"\"b\".lane(id);");
    }
    SECTION("another default") {
        found[1].traits = "7";
        CHECK(only(compared(found)).sql ==
              "ALTER TABLE \"a\"\"b\".\"ready\" ALTER \"id\" SET DEFAULT nextval('\"a\"\"b\".job_id'::regclass);");
    }
    SECTION("default and null") {
        found[1].traits.clear();
        found[1].fine = false;
        CHECK(only(compared(found)).sql.ends_with("'::regclass), ALTER \"id\" SET NOT NULL;"));
    }
    SECTION("another type has no repair") {
        found[1].definition = "integer";
        CHECK(only(compared(found)).sql.empty());
    }
    SECTION("another text of a function") {
        found[4].body = "SELECT 1";
        const auto f = only(compared(found));
        CHECK(f.what == "the function schema_id() was changed: its text is another one");
        CHECK(f.sql.starts_with("CREATE OR REPLACE FUNCTION \"a\"\"b\".schema_id() RETURNS int4"));
        CHECK(f.sql.find("REVOKE") == std::string::npos);  // its rights stay
    }
    SECTION("another result of a function, which a replacement cannot change") {
        found[4].definition = "() RETURNS bigint";
        const auto f = only(compared(found));
        CHECK(f.sql.starts_with("DROP FUNCTION \"a\"\"b\".schema_id();\nCREATE OR REPLACE FUNCTION"));
        CHECK(f.sql.ends_with("REVOKE ALL ON FUNCTION \"a\"\"b\".schema_id() FROM PUBLIC;"));
    }
    SECTION("a missing table hides what belongs to it") {
        found.erase(found.begin(), found.begin() + 4);
        CHECK(only(compared(found)).what == "the table \"ready\" is missing");
    }
    SECTION("rights of PUBLIC, and another owner") {
        found[0].is_public = true;
        found[4].is_owned = false;
        const auto both = compared(found);
        REQUIRE(both.size() == 2);
        CHECK(both[0].sql == "REVOKE ALL ON TABLE \"a\"\"b\".\"ready\" FROM PUBLIC;");
        CHECK(both[1].sql == "ALTER FUNCTION \"a\"\"b\".schema_id() OWNER TO \"me\";");
    }
    SECTION("objects of others") {
        found.push_back({.kind = object_kind::index, .table = "ready", .name = "mine"});
        CHECK(only(compared(found)).sql == "DROP INDEX \"a\"\"b\".\"mine\";");
    }
    SECTION("many tables of others are one note that names five") {
        for (const char* name : {"a", "b", "c", "d", "e", "f", "g"}) {
            found.push_back({.kind = object_kind::table, .name = name});
            found.push_back({.kind = object_kind::column, .table = name, .name = "x", .fine = true});
        }
        const auto f = only(compared(found));
        CHECK(f.severity == severity::note);
        CHECK(f.what.ends_with("the table \"d\", the table \"e\" and 2 more"));
    }
}

TEST_CASE("the row of a table as an argument has the schema before it", "[admin][doctor]") {
    CHECK(detail::repair::signature("s", "f(schedule, integer)") == "\"s\".f(\"s\".\"schedule\", integer)");
    CHECK(detail::repair::signature("s", "f(integer, schedule)") == "\"s\".f(integer, \"s\".\"schedule\")");
    CHECK(detail::repair::signature("s", "f(integer)") == "\"s\".f(integer)");
}

TEST_CASE("conditions of the server have a sentence and a repair", "[admin][doctor]") {
    const detail::server_words words{"s"};
    auto f = words.of(condition("off", "fsync"));
    CHECK(f.severity == severity::error);
    CHECK(f.what == "fsync is off: a crash of the server may destroy jobs");
    CHECK(f.sql == "ALTER SYSTEM SET fsync = on;");
    CHECK(words.of(condition("off", "track_counts")).severity == severity::warning);
    CHECK(words.of(condition("standby")).severity == severity::note);
    CHECK(words.of(condition("read_only")).topic == "settings");
    CHECK(words.of(condition("connections", "", "197", 190)).what ==
          "190 of 197 connections are in use: soon no worker can connect");
    f = words.of(condition("snapshot", "42", "app, idle in transaction, SELECT 1", 0, 3h));
    CHECK(f.what ==
          "process 42 (app, idle in transaction, SELECT 1) has an open transaction since 3h: dead rows that "
          "are newer stay, and each claim becomes slower");
    CHECK(f.sql == "SELECT pg_terminate_backend(42);");
    CHECK(words.of(condition("prepared", "it's", "app", 0, 3h)).sql == "ROLLBACK PREPARED 'it''s';");
    CHECK(words.of(condition("slot", "old", "inactive", 12345)).what ==
          "the inactive replication slot \"old\" holds rows of the last 12 345 transactions");
    CHECK(words.of(condition("slot", "old", "inactive")).sql == "SELECT pg_drop_replication_slot('old');");
    CHECK(words.of(condition("slot", "busy", "active")).sql.empty());
    CHECK(words.of(condition("dead", "ready", "", 1'000'000)).sql == "VACUUM \"s\".\"ready\";");
}

TEST_CASE("conditions of jobs say what, how many up to a cap, and since when", "[admin][doctor]") {
    const detail::job_words words{"s", 1000};
    CHECK(words.of(condition("lane", "\"note\" of the queue \"mail\"", "", 1001, 119s)).what ==
          "no live worker serves \"note\" of the queue \"mail\": 1 000+ jobs wait, the first since 1min 59s");
    CHECK(words.of(condition("version", "\"note\" of the queue \"mail\"", "2", 1, 2min)).what ==
          "no live worker reads the payload version \"2\" of \"note\" of the queue \"mail\": 1 jobs wait, the first "
          "since 2min");
    const auto f = words.of(condition("paused", "it's", "", 0, 48h));
    CHECK(f.what == "the queue \"it's\" is paused since 2d");
    CHECK(f.sql == "SELECT \"s\".resume('it''s', '');");
    CHECK(words.of(condition("draining")).what == "everything in the schema is draining since 0ms");
    CHECK(words.of(condition("due", "", "", 3, 5min)).topic == "due");
    CHECK(words.of(condition("schedule", "\"x\"")).topic == "schedule");
    CHECK(words.of(condition("orphaned")).topic == "worker");
}

TEST_CASE("clocks differ if the server's is a second off while it answered", "[admin][doctor]") {
    const time_point t{1h};
    CHECK(detail::clock_difference(t, t, t).empty());
    CHECK(detail::clock_difference(t + 500ms, t, t).empty());
    CHECK(detail::clock_difference(t + 4s, t, t + 5s).empty());  // a slow answer
    CHECK(detail::clock_difference(t - 3s, t, t + 1s) == "behind the clock of this process by 3s");
    CHECK(detail::clock_difference(t + 10min, t, t) == "ahead of the clock of this process by 10min");
}

TEST_CASE("missing rights of roles are one finding, without objects of others", "[admin][doctor]") {
    const std::array all{condition("no_right", "reader", "mine"), condition("clock")};
    CHECK_FALSE(detail::missing_rights(all, expected, {}, "s"));
    const std::array more{condition("no_right", "reader", "ready"), condition("no_right", "worker", "schema_id()")};
    const auto f = detail::missing_rights(more, expected, {.owner = "boss"}, "s");
    REQUIRE(f);
    CHECK(f->what == "the role \"reader\" has no right on ready, and 1 more rights are missing");
    CHECK(f->sql == roles_sql({.schema = "s", .owner = "boss"}).value());
}

TEST_CASE("what a worker checks becomes a finding with a statement for each table", "[admin][doctor]") {
    const auto f = detail::finding_of({"autovacuum", "it is off", "turn it on", false, {"pack", "ready"}}, "s");
    CHECK(f.severity == severity::warning);
    CHECK(f.sql ==
          "ALTER TABLE \"s\".\"pack\" RESET (autovacuum_enabled);\n"
          "ALTER TABLE \"s\".\"ready\" RESET (autovacuum_enabled);");
    const auto policies = detail::finding_of({"row_security_policies", "m", "r", false, {"ready"}}, "s");
    CHECK(policies.sql.empty());
    CHECK(detail::finding_of({"replica_identity", "m", "r", true, {"ready"}}, "s").severity == severity::error);
}

TEST_CASE("a part is left out for a missing right, a time-out or a missing object", "[admin][doctor]") {
    CHECK(detail::reason_to_skip({make_sqlstate("42501"), ""}) == "this role may not read it");
    CHECK(detail::reason_to_skip({make_sqlstate("57014"), ""}) == "it took too long");
    CHECK_FALSE(detail::reason_to_skip({make_sqlstate("42P01"), ""}).empty());
    CHECK(detail::reason_to_skip({errc::connection_lost}).empty());
}

}  // namespace unit_admin_doctor
