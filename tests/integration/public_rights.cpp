#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/sql_functions.hpp>

#include <unistd.h>

#include <exception>
#include <string>

namespace integration_public_rights {

using test::database;

namespace {

/// A role that may use the schema, and nothing else. A connection of the test acts as it.
class stranger {
public:
    explicit stranger(const database& db) : db_{&db}, line_{test::dsn(), db.schema()} {
        db.exec("CREATE ROLE " + name() + "; GRANT USAGE ON SCHEMA {s} TO " + name());
        (void)line_.exec("SET ROLE " + name());
    }
    stranger(const stranger&) = delete;
    stranger& operator=(const stranger&) = delete;
    ~stranger() {
        try {
            (void)line_.exec("RESET ROLE; DROP OWNED BY " + name() + "; DROP ROLE " + name());
        } catch (const std::exception&) {  // it has no rights on anything that stays
        }
    }

    std::string name() const { return "stranger_of_" + db_->schema(); }
    const test::sql_connection& line() const noexcept { return line_; }

private:
    const database* db_;
    test::sql_connection line_;
};

}  // namespace

TEST_CASE("PUBLIC may not execute a function of the schema, nor touch a table of it", "[integration][rights]") {
    const database db;
    CHECK(db.query_text("SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc p"
                        " WHERE p.pronamespace = to_regnamespace('{q}')"
                        "   AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
                        "                WHERE a.grantee = 0)")
              .empty());
    CHECK(db.query_text("SELECT string_agg(c.relname, ', ') FROM pg_class c"
                        " WHERE c.relnamespace = to_regnamespace('{q}') AND c.relkind IN ('r', 'v', 'S')"
                        "   AND EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee = 0)")
              .empty());
}

TEST_CASE("a role with USAGE on the schema cannot call a function of it, nor make a trigger of one",
          "[integration][rights]") {
    const database db;
    const stranger them{db};
    int tried = 0;
    const auto names = db.sql().exec(
        "SELECT p.proname, p.prorettype = 'trigger'::regtype FROM pg_proc p"
        " WHERE p.pronamespace = to_regnamespace('{q}')");
    (void)them.line().exec("CREATE TEMPORARY TABLE theirs (id int4)");
    for (int i = 0; i < PQntuples(names.get()); ++i) {
        const std::string name = PQgetvalue(names.get(), i, 0);
        if (*PQgetvalue(names.get(), i, 1) != 't') continue;
        CAPTURE(name);
        CHECK(test::refusal(them.line(),
                            "CREATE TRIGGER t AFTER INSERT ON theirs FOR EACH ROW EXECUTE FUNCTION {s}." + name + "()")
                  .starts_with("42501"));
        ++tried;
    }
    CHECK(tried > 0);
    CHECK(test::refusal(them.line(), "SELECT {s}.schema_id()").starts_with("42501"));
    CHECK(test::refusal(them.line(), "SELECT {s}.cancel('{1}')").starts_with("42501"));
}

TEST_CASE("each function that runs with its owner's rights looks for names in its own schema first and in pg_temp last",
          "[integration][rights]") {
    const database db;
    // While nothing is paused three of them are expressions that the planner puts into statements; they name nothing.
    // The other one sets the search path of the session, and names pg_catalog each time.
    CHECK(db.query_text("SELECT string_agg(proname, ', ' ORDER BY proname) FROM pg_proc"
                        " WHERE pronamespace = to_regnamespace('{q}') AND proconfig IS NULL AND NOT prosecdef") ==
          "is_paused, open_lane, paused_lanes, stored_make_session_settings");
    db.exec("SELECT {s}.pause('', '', ''), {s}.pause('', '', '', 'draining')");
    CHECK(db.query_text("SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc p"
                        " WHERE p.pronamespace = to_regnamespace('{q}') AND p.proname <> 'stored_make_session_settings'"
                        "   AND NOT EXISTS (SELECT FROM unnest(p.proconfig) c"
                        "                    WHERE replace(c, '\"', '') = 'search_path=" +
                        db.schema() + ", pg_catalog, pg_temp')")
              .empty());
    // No trigger runs with the rights of another role than the one that writes.
    CHECK(db.query_text("SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc p"
                        " WHERE p.pronamespace = to_regnamespace('{q}') AND p.prosecdef"
                        "   AND p.prorettype = 'trigger'::regtype")
              .empty());
}

}  // namespace integration_public_rights
