#include <pgq/driver/libpq.hpp>
#include <pgq/schema/generated.hpp>

#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/jobs.hpp"

#include <string>
#include <string_view>

namespace integration_errors_connect {

using pgq::condition;
using pgq::errc;
using pgq::error_info;
using pgq::session_role;
using pgq::driver::connection_options;
using pgq::driver::libpq;
using test::database;
using test::note;

namespace {

error_info why_not(const libpq& driver) {
    auto opened = driver.connect(session_role::client);
    REQUIRE_FALSE(opened);
    return opened.error();
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Connecting and installing report the same errors, and these say what to do.
void check_refused(const std::string& conninfo, errc code, condition what, std::string_view message) {
    INFO(conninfo);
    const libpq driver{conninfo};
    for (const auto& e : {why_not(driver), driver.install().error()}) {
        INFO(e.text());
        CHECK(e == code);
        CHECK(e == what);
        CHECK(has(e.message, message));
        CHECK_FALSE(e.hint.empty());
        CHECK(e.message.back() != '\n');
    }
}

}  // namespace

TEST_CASE("a server that cannot be reached is connection_lost with libpq's message", "[errors][connect][direct]") {
    check_refused("host=127.0.0.1 port=1 connect_timeout=10", errc::connection_lost, condition::transient, "refused");
    check_refused("host=/nowhere/at/all", errc::connection_lost, condition::transient, "/nowhere/at/all");
    check_refused("host=no-such-host.invalid connect_timeout=10", errc::connection_lost, condition::transient,
                  "no-such-host.invalid");
    check_refused(database::with_settings("dbname", "no such database"), errc::connection_lost, condition::transient,
                  "no such database");
}

TEST_CASE("a connection string that cannot be parsed is an error that says so", "[errors][connect]") {
    for (const auto* text : {"host=/tmp dbname", "frob=1", "host='/tmp", "postgresql://[::1/db"})
        check_refused(text, errc::bad_conninfo, condition::configuration, "");
}

TEST_CASE("no error text contains a password", "[errors][connect]") {
    const libpq driver{"host=127.0.0.1 port=1 user=ada password=opensesame"};
    CHECK_FALSE(has(why_not(driver).text(), "opensesame"));
    CHECK_FALSE(has(driver.install().error().text(), "opensesame"));
}

TEST_CASE("each call of a queue reports why it cannot connect, and the queue works when that is repaired",
          "[errors][connect]") {
    const auto schema = test::fresh_schemas::next();
    test::note_queue<> jobs{libpq{connection_options{.conninfo = test::dsn(), .schema = schema}}};
    for (int i = 0; i < 2; ++i) {
        const auto put = jobs.enqueue(note{});
        REQUIRE_FALSE(put);
        CHECK(put.error() == errc::schema_missing);
        CHECK(put.error() == condition::configuration);
        CHECK(has(put.error().message, schema));
        CHECK(has(put.error().hint, "install()"));
    }
    pgq::worker w{jobs, [](const note&) {}};
    CHECK(w.run().error() == errc::schema_missing);
    jobs.install().value();
    jobs.enqueue(note{}).value();
}

TEST_CASE("a schema with another version is an error that says so", "[errors][schema]") {
    const database db;
    const auto known = std::to_string(pgq::schema::version);
    SECTION("a newer version") {
        db.exec("INSERT INTO {s}.migration (version, name, checksum) VALUES (999, 'future', 1)");
        const auto e = why_not(db.driver());
        CHECK(e == errc::schema_newer);
        CHECK(e == condition::configuration);
        CHECK(has(e.message, "999"));
        CHECK(has(e.message, known));
        CHECK_FALSE(e.hint.empty());
        CHECK(db.driver().install().error() == errc::schema_newer);
    }
    SECTION("an older version") {
        db.exec("DELETE FROM {s}.migration");
        const auto e = why_not(db.driver());
        CHECK(e == errc::schema_older);
        CHECK(e == condition::configuration);
        CHECK(has(e.hint, "install()"));
    }
    SECTION("a migration that was changed") {
        db.exec("UPDATE {s}.migration SET checksum = checksum + 1");
        const auto e = db.driver().install().error();
        CHECK(e == errc::schema_changed);
        CHECK(e == condition::configuration);
        CHECK_FALSE(e.hint.empty());
    }
    SECTION("another table with that name") {
        db.exec("DROP TABLE {s}.migration; CREATE TABLE {s}.migration (a int)");
        CHECK(why_not(db.driver()).code == pgq::make_sqlstate("42703"));
    }
}

TEST_CASE("the name of a schema has 1 to 63 bytes", "[errors][schema]") {
    for (const auto& name : {std::string{}, std::string(64, 'x'), std::string("a\0b", 3), std::string{"\xff"}}) {
        const libpq driver{connection_options{.conninfo = test::dsn(), .schema = name}};
        for (const auto& e : {why_not(driver), driver.install().error()}) {
            CHECK(e == errc::invalid_name);
            CHECK(e == condition::configuration);
        }
    }
    const libpq longest{
        connection_options{.conninfo = test::dsn(), .schema = test::fresh_schemas::next() + std::string(40, '"')}};
    CHECK(why_not(longest) == errc::schema_missing);
}

namespace {

// A role without any right. The destructor drops it.
class stranger {
public:
    explicit stranger(const database& db) : db_{&db}, name_{db.schema() + "_stranger"} {
        db.exec("CREATE ROLE " + name_ + " NOLOGIN");
    }
    stranger(const stranger&) = delete;
    stranger& operator=(const stranger&) = delete;
    ~stranger() { db_->exec("DROP OWNED BY " + name_ + "; DROP ROLE " + name_); }

    const std::string& name() const { return name_; }
    libpq driver() const {
        auto o = db_->options();
        o.conninfo = database::settings_of(o.conninfo, "options", "-c role=" + name_);
        return libpq{o};
    }

private:
    const database* db_;
    std::string name_;
};

}  // namespace

TEST_CASE("a missing right is reported with the server's message, as a permanent error", "[errors][rights][direct]") {
    const database db;
    const stranger who{db};
    SECTION("the right to use the schema") {
        const auto e = why_not(who.driver());
        CHECK(e.code == pgq::make_sqlstate("42501"));
        CHECK(e == condition::configuration);
        CHECK(has(e.message, "permission denied"));
    }
    SECTION("the right to create a schema") {
        auto o = who.driver().options();
        o.schema = test::fresh_schemas::next();
        const auto e = libpq{o}.install().error();
        CHECK(e.code == pgq::make_sqlstate("42501"));
        CHECK(e == condition::configuration);
    }
    SECTION("the right to enqueue: the session still works") {
        test::note_queue<> owner{db.driver()};
        (void)owner.lanes().value();
        db.exec("GRANT USAGE ON SCHEMA {s} TO " + who.name());
        db.exec("GRANT SELECT, INSERT ON {s}.migration, {s}.lane TO " + who.name());
        test::note_queue<> jobs{who.driver()};
        const auto refused = jobs.enqueue(note{});
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == pgq::make_sqlstate("42501"));
        CHECK(refused.error().statement == "enqueue_one");
        CHECK(refused.error() == condition::configuration);
        db.exec("GRANT SELECT, INSERT ON {s}.ready TO " + who.name());
        db.exec("GRANT SELECT ON {s}.worker TO " + who.name() + "; GRANT EXECUTE ON FUNCTION {s}.open_lane TO " +
                who.name());
        jobs.enqueue(note{}).value();
        CHECK(db.rows("ready") == 1);
    }
}

TEST_CASE("a database with another encoding is refused before the library creates anything in it",
          "[errors][encoding][slow]") {
    const database db;
    for (const auto* encoding : {"SQL_ASCII", "LATIN1"}) {
        const auto name = db.schema() + "_" + encoding;
        db.exec("CREATE DATABASE \"" + name + "\" TEMPLATE template0 ENCODING '" + encoding +
                "' LC_COLLATE 'C' LC_CTYPE 'C'");
        auto o = db.options();
        o.conninfo = database::with_settings("dbname", name);
        const auto installed = libpq{o}.install();
        const auto e = installed ? error_info{} : installed.error();
        db.exec("DROP DATABASE \"" + name + "\" WITH (FORCE)");
        CHECK(e == errc::invalid_option);
        CHECK(e == condition::configuration);
        CHECK(has(e.message, encoding));
        CHECK(has(e.hint, "UTF8"));
    }
}

}  // namespace integration_errors_connect
